"""Window occupancy from the spans of samples: by hand, and in virtual time."""

from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions.caption.occupancy import window_occupancy
from sa1b_captions.receipts import ENOUGH_OCCUPANCY
from tests.support.virtual_window import spans

SEEDS = 8


def test_filling_and_emptying_the_window_do_not_count():
    """Two places: full from 1 to 10, and the last sample is taken at 5."""
    found = window_occupancy([(0.0, 4.0), (1.0, 3.0), (3.0, 9.0), (4.0, 5.0), (5.0, 10.0)], 2)
    assert (found.share, found.samples, found.note) == (1.0, 4, None)


def test_a_place_that_waits_is_missing_from_the_share():
    found = window_occupancy([(0.0, 4.0), (0.0, 2.0), (3.0, 6.0), (4.0, 8.0), (8.0, 9.0)], 2)
    assert found.share == pytest.approx((4 + 2 + 3 + 4) / 16, abs=0.001)
    assert found.low


def test_a_window_that_never_fills_is_measured_all_the_same():
    found = window_occupancy([(float(n), n + 1.0) for n in range(10)], 2)
    assert (found.share, found.low) == (0.5, True)


def test_the_order_in_which_samples_finish_changes_nothing():
    taken = list(spans(8, 40, feed=0.8))
    assert window_occupancy(taken, 8) == window_occupancy(sorted(taken), 8)


def test_a_sample_of_another_shard_keeps_a_place_busy_too():
    first, second = sorted(spans(16, 64, feed=1.5))[:32], sorted(spans(16, 64, feed=1.5))[32:]
    beside = window_occupancy(second, 16, first)
    assert beside.share > 0.99
    assert beside.samples == len(second)
    assert window_occupancy(second, 16).samples < len(second)  # it would have to fill again


@pytest.mark.parametrize(
    ("samples", "note"),
    [
        (0, "this run captioned nothing"),
        (1, "this run captioned 1 sample, and the engine takes 8 at once: none had to wait"),
        (8, "this run captioned 8 samples, and the engine takes 8 at once: none had to wait"),
    ],
)
def test_too_few_samples_have_no_number_but_a_reason(samples, note):
    found = window_occupancy(list(spans(8, samples, feed=2.0)) if samples else [], 8)
    assert (found.share, found.note, found.low) == (None, note, False)


def test_a_short_rest_has_a_number_that_raises_no_alarm():
    found = window_occupancy(list(spans(16, 24, feed=0.4)), 16)
    assert found.share < 0.5
    assert (found.low, found.note) == (False, "of 9 samples only, which tells little")


@pytest.mark.parametrize(
    ("feed", "least", "most"),
    [(2.0, 0.99, 1), (1.2, 0.99, 1), (0.8, 0.68, 0.74), (0.6, 0.48, 0.515)],
)
@pytest.mark.parametrize(
    ("window", "windows"), [(8, 3), (8, 9), (8, 40), (32, 3), (32, 20), (96, 3), (96, 9), (256, 3)]
)
def test_the_share_tells_how_fast_the_window_is_fed(window, windows, feed, least, most):
    """Whatever the window and the shard; a small shard is noisy, so it is the mean of a few."""
    found = [
        window_occupancy(list(spans(window, window * windows, feed, seed)), window)
        for seed in range(SEEDS if window * windows < 300 else 1)
    ]
    assert least <= mean(one.share for one in found) <= most
    assert all(one.low == (feed < 1) for one in found)


@given(
    window=st.integers(8, 48),
    windows=st.floats(3, 12),
    feed=st.one_of(st.floats(1.2, 5), st.floats(0.2, 0.8)),
    seed=st.integers(0),
)
@settings(max_examples=25, deadline=None)
def test_the_limit_tells_a_starving_engine_from_a_fed_one(window, windows, feed, seed):
    found = window_occupancy(list(spans(window, int(window * windows), feed, seed)), window)
    assert found.tells
    assert found.low == (feed < 1)
    assert found.low == (found.share < ENOUGH_OCCUPANCY)


def test_the_log_line_says_what_to_do_only_where_something_is_wrong():
    low = window_occupancy(list(spans(8, 80, feed=0.6)), 8)
    assert low.describe().startswith("window occupancy 0.5")
    assert low.describe().endswith("; give the pod more CPU, or look at the store's read times")
    assert window_occupancy(list(spans(8, 80, feed=2.0)), 8).describe() == "window occupancy 1.00"
    assert window_occupancy([], 8).describe() == (
        "no window occupancy, for this run captioned nothing"
    )
