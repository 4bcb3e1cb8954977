"""The compiled counts against plain Python that says the same in other words."""

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions import records
from sa1b_captions.quality.features import measure
from sa1b_captions.quality.lexicon.characters import Kind, kind_table

KINDS = kind_table()
LETTERS = {Kind.LATIN, Kind.FOREIGN, Kind.HAN, Kind.TRADITIONAL, Kind.KANA}
JOINING = {Kind.LATIN, Kind.DIGIT, Kind.MARK, Kind.FOREIGN}
ALPHABET = "aA bB..,!?。，红红水é0 0\n\"'“”(ж)かÃ©\u0301\ufffd\x00-=<[*#`|\U0001f600\U00020000"
LOOPS = st.lists(st.sampled_from(["a ", "b ", "红", ". "]), max_size=60).map("".join)
TEXTS = st.text(st.sampled_from(ALPHABET)) | st.text() | LOOPS | LOOPS.map(lambda text: text * 3)


def kind_of(character):
    return Kind(KINDS[ord(character)]) if ord(character) < len(KINDS) else Kind.LOST


def split_units(text):
    """Units in order, each a word or a character that is one."""
    units, word = [], ""
    for character in [*text, " "]:
        kind = kind_of(character)
        if kind in JOINING and (word or kind != Kind.MARK):
            fold = character.isascii() or "À" <= character <= "Þ"
            word += character.lower() if fold else character
            continue
        units += [word] if word else []
        word = ""
        units += [character] if kind in {Kind.HAN, Kind.TRADITIONAL, Kind.KANA} else []
    return units


def duplicate_share(units, width):
    runs = [tuple(units[i : i + width]) for i in range(len(units) - width + 1)]
    return (len(runs) - len(set(runs))) / len(runs) if runs else 0.0


def reference(text):
    kinds = [kind_of(character) for character in text]
    letters = [k for k in kinds if k in LETTERS]
    units = split_units(text)
    return {
        "caption_chars": len(text),
        "units": len(units),
        "letters": len(letters),
        "foreign_share": pytest.approx(
            (letters.count(Kind.FOREIGN) + letters.count(Kind.KANA)) / max(1, len(letters))
        ),
        "line_breaks": sum(character in "\n\r\x0b\x0c\x85\u2028\u2029" for character in text)
        + text.startswith((" ", "\t", "\xa0", "\u3000")),
        "dup2": pytest.approx(duplicate_share(units, 2)),
        "dup10": pytest.approx(duplicate_share(units, 10)),
    }


def features(text):
    return measure(pa.array([text], pa.string())).row(0, named=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=20))
def test_counts_are_those_of_plain_python(texts):
    for text, found in zip(texts, measure(pa.array(texts, pa.string())).to_dicts(), strict=True):
        expected = reference(text)
        assert {name: found[name] for name in expected} == expected


@settings(max_examples=15, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_numbers_do_not_depend_on_neighbours_or_slices(texts):
    rows = measure(pa.array(["", *texts], pa.string()).slice(1))
    assert rows.rows() == [tuple(features(text).values()) for text in texts]
    chunks = pa.chunked_array([[text] for text in texts], pa.string())
    assert measure(chunks).equals(rows)


def test_the_frame_has_the_columns_that_are_stored():
    table = measure(pa.array(["A red kettle.", None])).to_arrow()
    assert table.schema.names == records.TEXT_FEATURES.names
    assert table.cast(records.TEXT_FEATURES).to_pylist()[1] == dict.fromkeys(table.schema.names, 0)


def test_letters_are_of_the_script_that_unicode_names_them_by():
    """Apart from modifier letters, symbols and phonetic letters, which are mixtures."""
    mixed = {*range(0x1D00, 0x1DC0), *range(0x2000, 0x2C00)}
    foreign = ("CYRILLIC", "ARABIC", "THAI", "HEBREW", "DEVANAGARI", "HANGUL SYLLABLE")
    for code in sorted({*range(0x10000)} - mixed):
        if unicodedata.category(chr(code)) not in {"Ll", "Lu", "Lo"}:
            continue
        name = unicodedata.name(chr(code))
        if name.startswith(("LATIN ", "FULLWIDTH LATIN")):
            assert KINDS[code] == Kind.LATIN, name
        elif name.startswith("CJK"):
            assert KINDS[code] in {Kind.HAN, Kind.TRADITIONAL}, name
        elif name.startswith(foreign):
            assert KINDS[code] == Kind.FOREIGN, name


@pytest.mark.parametrize(
    ("text", "echo"),
    [
        ("a very, very old tree", 0),
        ("no no no no entry", 3),
        ("red panda,red panda,red panda", 4),
        ("a red panda and a red panda", 0),
        ("the bus stops by a bus stop. A bus stop has a roof.", 0),
        ("a clock shows 10 10 10 10", 0),
        ("红熊猫红熊猫", 3),
        ("他慢慢地走，一棵一棵地数", 1),
        ("吉祥物，吉祥物是一只熊", 0),
        ("红色、红色、红色", 4),
    ],
)
def test_an_echo_is_said_three_times_or_twice_without_a_stop(text, echo):
    assert features(text)["echo_units"] == echo


@pytest.mark.parametrize(
    ("text", "run"),
    [("a sign for www.a.com", 3), ("price 1000000", 6), ("wow!!!!", 4), ("0 0 0 0 0", 5),
     ("-=-=-=-=-=", 10), ("hahahaha", 1), ("a — b", 1), ("...", 3), ("", 0),
     ("so sooooo small", 15), ("a dial with IIII", 4), ("it says “AAAAAAAAAAAA!”", 4),
     ("写着「啊啊啊啊」", 3), ("写着“！！！！！！！！！！！！”", 4), ("a “wow” !!!!!!!!!", 9)],
)  # fmt: skip
def test_runs_of_a_character_and_rows_of_signs_are_counted(text, run):
    assert features(text)["character_run"] == run


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        *[("caf\ufffd", 1), ("a\x00b", 1), ("\ue000", 1), ("cafÃ©", 1), ("itâ€™s", 1)],
        *[("SÃO Paulo, naïve café «déjà»", 0), ("tab\there", 1), ("20 °C, ½ m², 5 €", 0)],
    ],
)
def test_characters_that_stand_for_none_are_counted(text, lost):
    assert features(text)["lost_characters"] == lost


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        *[("# A street", 1), ("- a car\n- a bus", 2), ("1. a car", 1), ("**Bold** text", 1)],
        *[('{"caption": "a"}', 1), ("see [a](b)", 1), ("a<br>b", 1), ("```", 1), ("12) a bus", 1)],
        *[("the text “#1” on a cup", 0), ("a bus - red - waits", 0), ("a four-star hotel ****", 0)],
        *[("f**k on a wall", 0), ("bus 12. It waits", 0), ("1950. A", 0), ("-5 °C", 0), ("#1", 0)],
    ],
)
def test_marks_of_markdown_are_counted_where_they_format(text, marks):
    assert features(text)["markdown_marks"] == marks


@pytest.mark.parametrize(
    "text", ["So.", "So!", "“So”", "so (red)", "好。", "好！」", "so… ", "so?\n"]
)
def test_an_end_may_be_followed_by_quotes_brackets_and_spaces(text):
    assert features(text)["ends_sentence"] == 1


@pytest.mark.parametrize("text", ["so", "so,", "so:", "和", "好，", "so -", "", " "])
def test_anything_else_is_no_end(text):
    assert features(text)["ends_sentence"] == 0


@pytest.mark.parametrize(
    ("text", "stray"),
    [
        *[('a sign reads "Добро"', 0), ("a sign reads 'Добро'", 0), ("Odessa (Одеса)", 0)],
        *[("the dogs' ball на a", 2), ("an unclosed “же and more. же", 2), ("же", 2)],
        *[("书名《か》", 0), ("the angle α", 0), ("the cat и dog", 2)],
    ],
)
def test_letters_in_quotations_are_not_stray(text, stray):
    assert features(text)["stray_foreign"] == stray


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't describe this image.",
        "As an AI language model, I see a bus.",
        "Sure! A bus waits.",
        "Here is a description of the image: a bus waits.",
        "The image you provided shows a bus.",
        "A bus waits. Let me know if you need more.",
        "很抱歉，我无法看到图片。",
        "无法查看该图片。",
        "This description is based on visible details only.",
        "以下是对图片的描述：一辆公交车。",
        "根据您提供的图片，有一辆公交车。",
        "作为一个AI，我看到一辆公交车。",
    ],
)
def test_refusals_and_meta_talk_are_found(text):
    found = features(text)
    assert found["refusals"] + found["meta_talk"] > 0


@pytest.mark.parametrize(
    "text",
    [
        'A sign in the shop window reads "Sorry, we\'re closed" in red letters above the door.',
        "A man bends as if apologising to the woman, unsure of what the picture on the wall shows.",
        "King Charles I was painted here, and a plaque of World War I is next to it.",
        "店门上挂着一块写有“抱歉，我们已打烊”的木牌，旁边停着一辆自行车。",
        "该男子背对镜头，无法看到这个人的脸，也无法看到照片中其他人的表情。",
        "标牌上刻着一段文字，该文字为金色，牌子下方的说明已经褪色。",
        "The caption below the photo on the newspaper page is too small to read.",
        "No picture is visible on the bare wall, and the man cannot see the painter behind him.",
        "一个人微微鞠躬，仿佛在表示抱歉，另一个人向他挥手。",
    ],
)
def test_what_the_picture_says_is_no_refusal(text):
    found = features(text)
    assert found["refusals"] + found["meta_talk"] == 0
