"""The plan of faults: the same seed gives the same, every kind comes, more begin with fewer."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.plan import GAP_S, make_plan, scene

seeds = st.integers(0, 2**32)


@given(seeds, st.integers(0, 80), st.integers(0, 80))
def test_a_seed_gives_one_plan_of_which_a_shorter_one_is_the_beginning(seed, fewer, more):
    shorter, longer = sorted((fewer, more))
    assert make_plan(seed, longer)[:shorter] == make_plan(seed, shorter)


@given(seeds)
def test_every_kind_of_the_scene_comes_once_before_any_comes_twice(seed):
    kinds = set(scene(seed).kinds)
    assert {fault.kind for fault in make_plan(seed, len(kinds))} == kinds


@given(seeds, st.integers(1, 60))
def test_faults_follow_each_other_and_last_as_long_as_their_kind_does(seed, count):
    plan = make_plan(seed, count)
    moments = [0.0, *(fault.at_s for fault in plan)]
    for before, after in itertools.pairwise(moments):
        assert GAP_S[0] - 0.1 <= after - before <= GAP_S[1] + 0.1
    for fault in plan:
        least, most = scene(seed).kinds[fault.kind]
        assert least <= fault.lasts_s <= most
        assert 0 <= fault.which < 1
        assert fault.pick([]) is None
        assert fault.pick("abc") in "abc"


def test_seeds_differ():
    assert len({tuple(make_plan(seed, 5)) for seed in range(20)}) == 20
