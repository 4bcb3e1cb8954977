"""Every generator plants what its name says. Told by plain means, not by the rules."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gold.captions import LANGUAGES
from tests.gold.planted import DEFECTS, PER_KIND, planted
from tests.gold.planting.base import Base, good_captions, material
from tests.gold.planting.languages import traditional_table

_HAN = re.compile(r"[\u4e00-\u9fff]")


def _said(group):
    """Whether a sentence of that group of the material stands in the text."""

    def check(base, text):
        sentences = material("talk")[group][base.language]
        return any(sentence in text for sentence in sentences)

    return check


def _aside(*groups):
    """Whether something of those groups stands within the text, not at either end."""

    def check(base, text):
        by_language = [material("asides")[group] for group in groups]
        said = [thing for by in by_language for thing in by.get(base.language, by.get("both"))]
        return any(thing in text[1:-1] for thing in said)

    return check


def _slip(group):
    def check(base, text):
        return any(said in text for said in material("slips")[group][base.language])

    return check


def _spliced(group):
    def check(base, text):
        known = [said for sentences in material("sentences")[group].values() for said in sentences]
        found = [said for said in known if said in text]
        return len(found) == 1 and all(said in text for said in base.sentences)

    return check


def _put_in(group):
    def check(base, text):
        words = material("sentences")["words"][group]
        words = words.split() if isinstance(words, str) else words
        return any(
            text.replace(word + base.glue, "", 1) == base.text for word in words if word in text
        )

    return check


def _holds(pattern):
    return lambda base, text: re.search(pattern, text) and not re.search(pattern, base.text)


def _is_cut(base, text):
    return base.text.startswith(text.rstrip("，,")) and text.rstrip()[-1] not in ".!?。！？"


def _run_comes_twice(base, text):
    size = 6 if base.language == "en" else 8
    units = base.words(text)
    runs = [tuple(units[place : place + size]) for place in range(len(units) - size + 1)]
    return len(set(runs)) < len(runs)


def _times(least):
    return lambda base, text: (
        max(map(text.count, base.sentences)) >= least
        and all(said in text for said in base.sentences)
    )


def _other_signs(base, text):
    """Signs that the caption has not, outside of ASCII."""
    return any(not sign.isascii() and sign not in base.text for sign in text)


def _looped(base, text):
    return re.search(r"(.{6,}?)\1{3,}" if base.language == "en" else r"(.{5,}?)\1{3,}", text)


def _echo(least, most):
    def check(base, text):
        word = rf"\S+(?: \S+){{{least - 1},{most - 1}}}"
        pattern = rf"(?<!\S)({word})(?: \1){{2}}" if base.language == "en" else r"(.{2,6})\1\1"
        return re.search(pattern, text)

    return check


def _ends_alike(times):
    """Whether as many clauses end in the same two words or four characters."""

    def check(base, text):
        clauses = filter(None, (clause.strip() for clause in re.split("[,，.。]", text)))
        ends = [
            " ".join(clause.split()[-2:]) if base.language == "en" else clause[-4:]
            for clause in clauses
        ]
        return max(map(ends.count, ends)) >= times

    return check


def _traditional(base, text):
    changed = [new for old, new in zip(base.text, text, strict=True) if old != new]
    return len(changed) >= 3 and set(changed) <= set(traditional_table().values())


CHECKS = {
    "cut_in_a_word": _is_cut,
    "cut_after_a_comma": lambda base, text: _is_cut(base, text) and text[-1] in ",，",
    "no_full_stop": _is_cut,
    "cut_after_a_small_word": lambda base, text: (
        text.startswith(base.text) and text[-1].isalpha() and len(text) > len(base.text)
    ),
    "too_short": lambda base, text: len(text) < (200 if base.language == "en" else 60),
    "too_long": lambda base, text: len(text) > (2000 if base.language == "en" else 600),
    "line_break": lambda base, text: (
        len(text.splitlines()) > 1 and "".join(text.split()) == "".join(base.text.split())
    ),
    "loop_phrase": _looped,
    "loop_sentence": _times(4),
    "repeat_sentence": _times(2),
    "repeat_clause": _run_comes_twice,
    "loop_list": _looped,
    "loop_template": _ends_alike(4),
    "echo_word": _echo(1, 1),
    "echo_phrase": _echo(1, 3),
    "echo_after_commas": lambda base, text: re.search(r"(\w{2,})[,，、] ?\1[,，、]", text),
    "character_run": lambda base, text: re.search(r"(\S)\1{11}", text),
    "splice_latin_sentence": _spliced("latin"),
    "splice_other_script": _spliced("other_script"),
    "splice_chinese_sentence": _spliced("chinese"),
    "splice_english_sentence": _spliced("english"),
    "whole_in_latin": lambda base, text: not _HAN.search(text) and text not in good_captions("en"),
    "whole_in_the_other": lambda base, text: bool(_HAN.search(text)) == (base.language == "en"),
    "word_of_other_script": _put_in("other_script"),
    "chinese_word": _put_in("chinese"),
    "english_word": _put_in("english"),
    "word_of_another_language": _put_in("abroad"),
    "code_switching": lambda base, text: (
        2 <= len(re.findall("[a-z]+", text)) <= 5 and re.sub("[a-z]+", "", text) == base.text
    ),
    "traditional_whole": _traditional,
    "traditional_sentence": lambda base, text: (
        _traditional(base, text) and any(said in text for said in base.sentences)
    ),
    "full_width_punctuation": _holds("[，。：；]"),
    "look_alike_letters": lambda base, text: 3 <= len(re.findall(r"\w*[а-я]\w*", text)) <= 6,
    "utf8_read_as_cp1252": _holds(r"[âãäåæçèé][^a-z\s]"),
    "utf8_read_as_gbk": lambda base, text: _HAN.search(text) and _other_signs(base, text),
    "read_as_utf8": _holds("\ufffd"),
    "gbk_read_as_latin": _holds("[\u00a0-\u00ff]{8}"),
    "kun_jin_kao": _holds("锟斤拷"),
    "replacement_characters": _holds("\ufffd"),
    "control_characters": _holds(r"[\x00-\x08\x1b\x7f-\x9f]"),
    "private_use": _holds("[\ue000-\uf8ff]"),
    "zero_width": _holds("[\u200b\u200e\u202e\u2060\ufeff]"),
    "bold": _holds(r"(\*\*|__)[^*_]+\1"),
    "emphasis": _holds(r"([*_])[^*_]+\1"),
    "inline_code": _holds("`[^`]+`"),
    "link": _holds(r"\[[^]]+\]\(http"),
    "heading": _holds("^#{1,4} "),
    "numbered_list": _holds(r"1[.)、）].+2[.)、）]"),
    "bullet_list": _holds(r"^[-*•] .+ [-*•] "),
    "html_entity": _holds(r"&#?\w+;"),
    "html_tag": _holds(r"</?[a-z]+/?>"),
    "json_object": _holds(r'^\{"\w+": ".+"\}$'),
    "latex": _holds(r"\\[a-z(]"),
    "literal_line_break": _holds(r"\\[ntr]"),
    "unicode_escape": _holds(r"\\u[0-9a-f]{4}"),
    "table": _holds(r"^\| .+ \| .+ \|$"),
    "chat_token": _holds(r"<[|/a-zA-Z].*>|\[/?INST\]"),
    "unused_token": _holds(r"(?i)unused|reserved"),
    "thinking": _holds("</think>"),
    "bare_box": _holds(r"\[\d+, \d+, \d+, \d+\]"),
    "grounding": _holds(r"<ref>.+</ref><box>\[\["),
    "image_token": _holds(r"<image>|<img>"),
    "refusal_alone": _said("refusal"),
    "refusal_beside": lambda base, text: (
        _said("refusal")(base, text) and all(said in text for said in base.sentences)
    ),
    "question_at_the_end": lambda base, text: text.startswith(base.text) and text[-1] in "?？",
    "offer_of_help": _said("offer"),
    "note_on_itself": _said("note"),
    "announcement": _said("announcement"),
    "speaker_label": _said("label"),
    "invitation": _said("invitation"),
    "word_count": lambda base, text: text.startswith(base.text) and _said("count")(base, text),
    "declines_within": _aside("declines"),
    "rules_within": _aside("hints_at_rules"),
    "prompt_within": _aside("echoes_the_prompt"),
    "question_within": _aside("asks_the_reader"),
    "talk_within": _aside("talks_about_itself", "talks_of_the_task"),
    "offer_within": _aside("offers"),
    "list_within": _aside("lists"),
    "token_within": _aside("tokens"),
    "damage_within": _aside("damage"),
    "switch_in_a_sentence": lambda base, text: any(
        f", {said}." in text for by in material("slips")["clauses"].values() for said in by
    ),
    "look_alike_letter": _holds("[a-z][а-яіαορ][a-z]"),
    "wide_quotation_marks": _holds("[「『《【][A-Za-z]+ [A-Za-z-]+[」』》】]"),
    "doubled_function_letter": _holds(r"([是有和了在被])\1"),
    "pinyin": _holds(r"[a-z]{2,6} [a-z]{2,6}"),
    "correction": _slip("corrections"),
    "broken_letter": _slip("broken"),
    "clause_said_within": _run_comes_twice,
    "phrase_three_times": lambda base, text: re.search(r"(.{12,}).+\1.+\1", text),
}


@pytest.mark.parametrize(
    ("language", "defect"),
    [
        pytest.param(language, defect, id=f"{language}-{defect.kind}")
        for defect in DEFECTS
        for language in defect.languages
    ],
)
@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_a_generator_plants_what_it_is_named_for(language, defect, seed):
    rng = random.Random(seed)
    base = Base(language, rng.choice(good_captions(language)))
    text = defect.plant(rng, base)
    assert text != base.text
    assert CHECKS[defect.kind](base, text), ascii(text)


def test_every_kind_is_checked():
    kinds = [defect.kind for defect in DEFECTS]
    assert sorted(kinds) == sorted(CHECKS)
    assert all(defect.expected not in defect.optional for defect in DEFECTS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_seed_plants_the_same_and_no_text_twice(language):
    rows = planted(language, seed=5, per_kind=2)
    planted.cache_clear()
    assert planted(language, seed=5, per_kind=2) == rows
    assert len({row.text for row in rows}) == len(rows)
    assert planted(language, seed=6, per_kind=2) != rows
    kinds = [defect for defect in DEFECTS if language in defect.languages]
    assert len(planted(language)) == len(kinds) * PER_KIND


def test_the_table_of_traditional_characters_holds_pairs_of_unlike_ones():
    table = traditional_table()
    assert len(table) > 600
    for simplified, traditional in table.items():
        assert chr(simplified) != traditional
        assert chr(simplified).encode("gb2312")
        assert traditional.encode("big5")
    assert not set(map(chr, table)) & set(table.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_good_captions_are_whole_and_unlike(language):
    good = good_captions(language)
    assert len(set(good)) == len(good) >= 50
    for text in good:
        base = Base(language, text)
        assert base.join(base.sentences) == text
        assert len(base.sentences) >= 2
