import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.release.card.figures import histogram
from sa1b_captions.release.card.summary import Lengths, example_id


@given(st.lists(st.integers(0, 3000), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_length_that_so_many_rows_do_not_exceed(values, percent):
    lengths = Lengths()
    lengths.add(pa.chunked_array([pa.array([*values, None], pa.int32())]))
    found = lengths.percentile(percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)
    assert lengths.mean == pytest.approx(sum(values) / len(values))


def test_no_length_has_no_percentile():
    with pytest.raises(ValueError, match="no length"):
        Lengths().percentile(50)


@given(st.integers(0, 2**31), st.integers(1, 10**7))
def test_the_example_is_one_of_the_rows_and_always_the_same(seed, rows):
    found = example_id(seed, "single_en", rows)
    assert 0 <= found < rows
    assert found == example_id(seed, "single_en", rows)


@given(st.dictionaries(st.integers(0, 5000), st.integers(1, 10**7), min_size=1))
def test_a_histogram_has_few_bars_that_stay_inside(counts):
    svg = histogram(counts, "characters")
    assert 1 <= svg.count("<title>") <= 40
    assert "nan" not in svg
    assert 'y="-' not in svg
