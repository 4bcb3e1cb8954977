"""What the soak calls a leak, and what it does not."""

import random

import pytest

from tests.soak.measures import SoakError
from tests.soak.slopes import Growth, growth, growths, slope_of


def handles(values) -> Growth:
    return growth("handles", values)


def test_one_handle_left_open_each_round_is_a_leak():
    found = handles([20.0 + number for number in range(12)])
    assert (found.leaks, found.slope, found.first, found.last) == (True, 1.0, 20.0, 31.0)


def test_a_leak_is_seen_through_noise_of_many_times_its_size():
    dice = random.Random(5)
    values = [1e5 + 150 * number + dice.gauss(0, 2000) for number in range(400)]
    found = growth("memory_kib", values)
    assert found.leaks
    assert found.slope == pytest.approx(150, rel=0.1)


def test_a_few_wild_rounds_are_no_leak_though_they_come_last():
    assert not handles([20.0] * 20 + [500.0] * 4).leaks


def test_noise_and_a_sawtooth_are_no_leak():
    dice = random.Random(7)
    assert not growth("memory_kib", [1e5 + dice.gauss(0, 5000) for _ in range(300)]).leaks
    assert not growth("memory_kib", [1e5 + 900 * (number % 25) for number in range(300)]).leaks


def test_what_fills_in_the_warm_up_and_stays_full_is_no_leak():
    rounds = [{"threads": min(40.0, 4.0 * number)} for number in range(30)]
    assert not growths(rounds)[0].leaks


def test_what_fills_slowly_is_none_before_it_is_more_than_a_pool():
    assert not handles([20.0, 21.0, 22.0, 22.0, 22.0, 23.0]).leaks


def test_too_few_rounds_say_nothing():
    with pytest.raises(SoakError, match="5 rounds are too few to tell a leak from a start"):
        growths([{"handles": 1.0}] * 5)


def test_long_runs_are_thinned_out_and_keep_their_slope():
    assert slope_of([3.0 * number for number in range(5000)]) == pytest.approx(3)
