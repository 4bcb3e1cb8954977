import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.costs.work import count_tiles, mean_tiles

SIDES = st.integers(1, 9000)


@pytest.mark.parametrize(
    ("size", "tiles", "tiles_of_six"),
    [((2250, 1500), 7, 7), ((2000, 1500), 13, 7), ((1500, 1500), 10, 5), ((2667, 1500), 9, 3)],
)
def test_tiles_are_those_that_lmdeploy_cuts(size, tiles, tiles_of_six):
    """Of lmdeploy 0.18.0's own dynamic_preprocess, but for the last column."""
    assert count_tiles(*size, 12) == tiles
    assert count_tiles(*size, 6) == tiles_of_six


@given(SIDES, SIDES, st.integers(1, 12))
def test_no_image_has_more_tiles_than_allowed_and_its_thumbnail(width, height, most):
    assert 1 <= count_tiles(width, height, most) <= most + 1
    assert count_tiles(width, height, most) != 2


def test_an_image_without_a_size_is_one_tile():
    assert count_tiles(0, 0, 12) == 1


def test_the_mean_counts_every_image():
    assert mean_tiles([(2250, 1500)] * 3 + [(2000, 1500)], 12) == pytest.approx((3 * 7 + 13) / 4)
