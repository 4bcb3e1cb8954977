import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions.errors import PermanentError
from sa1b_captions.quality import dedup, minhash, wording
from sa1b_captions.recipe import load_recipe, parse_recipe
from shingles import arrow, likeness


def compare(first, second):
    (found,) = minhash.jaccard(arrow([first, second]), np.array([0]), np.array([1]))
    return found


def test_a_signature_never_changes():
    """Signatures are stored: whoever changes these values must change SIGNATURE_VERSION."""
    assert minhash.SIGNATURE_VERSION == "1-20x5-5-b37f8a48"
    bands = minhash.sign(arrow(["a red kettle on a table", "木桌上的红色水壶"]))
    assert [f"{value:016x}" for value in bands[:, [0, 19]].ravel()] == [
        "41a300c3b4bc6c4b",
        "ded44f8b42265eb3",
        "4d5933bd2ec98a1e",
        "c289274bd7be4975",
    ]


@settings(max_examples=40, deadline=None)
@given(
    first=st.lists(st.sampled_from(["a", "b", "cat", "é", "两", "3"]), max_size=14),
    second=st.lists(st.sampled_from(["a", "b", "cat", "é", "两", "3"]), max_size=14),
)
def test_jaccard_is_that_of_the_shingle_sets(first, second):
    found = compare(" ".join(first), " ".join(second))
    assert found == pytest.approx(likeness(first, second))


def test_chinese_is_compared_by_characters_and_mixed_script_by_both():
    first, second = "红色的水壶放在木桌上 旁边有杯子", "红色的水壶放在木桌上 旁边有瓶子"
    plain = [text.replace(" ", "") for text in (first, second)]
    assert compare(first, second) == pytest.approx(likeness(*plain))
    assert compare("写着open的牌子hotel", "写着 open 的 牌子 hotel") == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one",
        "一",
        "🙂",
        "🙂 🙃 👩‍👩‍👧",
        "x" * 200_000,
        "word " * 70_000,
        "a\u0301 é ß ﬀ",
        "\x00",
    ],
)
def test_any_text_can_be_signed_and_is_like_itself_only(text):
    texts = wording.normalised(pa.array([text, "a plain caption of six words", None]))
    bands = minhash.sign(texts)
    assert (bands[0] == 0).all() == (texts[0].as_py() == "")
    assert (bands[2] == 0).all()
    assert compare(texts[0].as_py(), texts[0].as_py()) == (1.0 if texts[0].as_py() else 0.0)
    assert compare(texts[0].as_py(), texts[1].as_py()) == 0.0


def test_a_text_past_65536_words_is_compared_whole():
    words = [str(number) for number in range(140_000)]
    half = words[:70_000]
    assert compare(" ".join(words), " ".join(half)) == pytest.approx(likeness(words, half))


def test_signatures_of_another_version_are_refused():
    rows = pa.table({"sample_id": ["a"], "image_ids": [[1]], "caption": ["a red kettle"]})
    table = dedup.signature_table(rows, 0).set_column(4, "signature_version", pa.array(["0"]))
    with pytest.raises(PermanentError, match="signed by version 0.*run sa1b-captions curate"):
        dedup.Signatures(1).add(table, "single_en/sa_000000")


def test_a_limit_out_of_range_is_refused():
    source = load_recipe("internvl").source
    quality = source["quality"] | {"near_duplicate_jaccard": 0}
    with pytest.raises(PermanentError, match="near_duplicate_jaccard"):
        parse_recipe(source | {"quality": quality}, where="tests")
