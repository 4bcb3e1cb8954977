import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.duplicates import minhash, wording
from sa1b_captions.quality.duplicates import signatures as dedup
from sa1b_captions.quality.kernels import shingles as kernel
from sa1b_captions.recipe import load_recipe, parse_recipe
from tests.support.shingles import arrow, jaccard


def compare(first, second):
    (found,) = minhash.jaccard(arrow([first, second]), np.array([0]), np.array([1]))
    return found


def test_a_signature_never_changes():
    """Signatures are stored: whoever changes these values must change SIGNATURE_VERSION."""
    assert minhash.SIGNATURE_VERSION == "2-20x5-5-2a8505ab"
    bands = minhash.sign(arrow(["a red kettle on a table", "木桌上的红色水壶"]))
    assert [f"{value:016x}" for value in bands[:, [0, 19]].ravel()] == [
        "dc995202157774f5",
        "604b5e1ef6f74d0f",
        "87904846ec315adc",
        "23bb1e019f783da3",
    ]


UNITS = st.lists(
    st.sampled_from(["a", "b", "cat", "é", "两", "3", "eighteen", "photographs", "façade"]),
    max_size=14,
)


@settings(max_examples=40, deadline=None)
@given(first=UNITS, second=UNITS)
def test_jaccard_is_that_of_the_shingle_sets(first, second):
    found = compare(" ".join(first), " ".join(second))
    assert found == pytest.approx(jaccard(first, second))


def hash_units(text):
    data = np.frombuffer(text.encode(), np.uint8)
    units = np.empty(len(data) + 1, np.uint64)
    return units[: kernel.hash_units(data, 0, len(data), units)].tolist()


@settings(max_examples=60, deadline=None)
@given(words=st.lists(st.text("abé\x00!", min_size=1, max_size=20), max_size=12))
@example(["a", "a\x00", "abcdefgh", "abcdefgh\x00", "abcdefghi", "é", "aé", "abcdefgé"])
def test_a_unit_has_one_hash_wherever_it_stands_and_no_other_unit_has_it(words):
    hashes = hash_units(" ".join(words))
    assert hashes == [hash_units(word)[0] for word in words]
    assert len(set(hashes)) == len(set(words))


@pytest.mark.parametrize("size", [3, 20, 150, 600])
def test_signatures_agree_in_a_row_as_often_as_the_jaccard_says(size):
    """Few shingles leave most arcs empty, many leave none."""
    rng = np.random.default_rng(size)
    pairs, shared = 300, size * 2 // 3
    rows = np.empty((2, pairs, minhash.BANDS * kernel.ROWS), np.uint32)
    for pair in range(pairs):
        both, first, second = np.split(
            rng.integers(0, 2**64, 2 * size - shared, dtype=np.uint64), [shared, size]
        )
        for side, own in enumerate((first, second)):
            shingles = np.concatenate([own, both])
            kernel.find_minima(shingles, size, minhash.MULTIPLIERS, rows[side, pair])
    agree = (rows[0] == rows[1]).mean(axis=1)
    jaccard = shared / (2 * size - shared)
    # Of 100 rows each: five standard errors.
    assert agree.mean() == pytest.approx(jaccard, abs=5 * 0.5 / (100 * pairs) ** 0.5)
    assert 0.5 < agree.std() / (jaccard * (1 - jaccard) / 100) ** 0.5 < 1.5


def test_chinese_is_compared_by_characters_and_mixed_script_by_both():
    first, second = "红色的水壶放在木桌上 旁边有杯子", "红色的水壶放在木桌上 旁边有瓶子"
    plain = [text.replace(" ", "") for text in (first, second)]
    assert compare(first, second) == pytest.approx(jaccard(*plain))
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
    assert compare(" ".join(words), " ".join(half)) == pytest.approx(jaccard(words, half))


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
