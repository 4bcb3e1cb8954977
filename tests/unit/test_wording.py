import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sa1b_captions.quality.duplicates.wording import normalise, normalised


def by_definition(texts):
    frame = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})
    return frame.select(normalise(pl.col("text"))).to_series().to_list()


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Two  Cats,\tone dog.", "two cats one dog"),
        ("(two) cats — one dog!", "two cats one dog"),
        ("两只猫，一只狗。", "两只猫 一只狗"),
        ("ÉCOLE", "école"),
        ("ΟΔΟΣ ΣΑΣ", "οδος σας"),
        ("İzmir 🙂 𠀀", "i̇zmir 🙂 𠀀"),
        ("3.5 m", "3 5 m"),
        ("...", ""),
        ("\x00", "\x00"),
    ],
)
def test_normalising_leaves_words_alone(text, normal):
    assert by_definition([text]) == [normal]
    assert normalised(pa.array([text])).to_pylist() == [normal]


TEXTS = st.lists(
    st.text()
    | st.text(alphabet="aB1 .,\n—，。é猫ΣσİȺK\u00a0\u2028\u3000🙂𠀀")
    | st.text(alphabet="aZ09 @[`{/:.\x7fé", min_size=8, max_size=40),
    max_size=12,
)


@settings(deadline=None)
@given(texts=TEXTS)
@example(["Σ", "", "A"])
def test_the_compiled_loop_does_what_the_definition_says(texts):
    assert normalised(pa.array(texts, pa.string())).to_pylist() == by_definition(texts)


def test_every_code_point_between_letters_becomes_what_the_definition_says():
    codes = [chr(code) for code in range(0x20100) if not 0xD800 <= code < 0xE000]
    texts = [f"X{code}Y {code}" for code in codes]
    assert normalised(pa.array(texts)).to_pylist() == by_definition(texts)


def test_a_part_of_a_column_and_its_nulls_keep_their_places():
    column = pa.chunked_array([["A b", None, "C!"], [], ["Σ.", "d"]], pa.string()).slice(1)
    assert normalised(column).to_pylist() == ["", "c", "σ", "d"]
    assert normalised(column.slice(0, 0)).to_pylist() == []
