"""Shards unlike the others, told by the others."""

import pytest

from sa1b_captions.quality.projection import MIN_SHARDS
from sa1b_captions.stages.status.outliers import find_outliers, mean_chars, reject_share, slowest
from sa1b_captions.stages.status.shard_figures import TrackFigures
from sa1b_captions.stages.status.status import ShardStatus


def shard(number, hours=1, **numbers):
    figures = TrackFigures(
        **{"planned": 1000, "rejected": 20 + number % 3, "captions": 1000, "chars": 640_000}
        | {"began_at": "2026-11-01T00:00:00", "ended_at": f"2026-11-01T{hours:02}:00:00"}
        | numbers
    )
    steps = {"single_en": "curated"}
    return ShardStatus(f"sa_{number:06d}", True, steps, "", figures={"single_en": figures})


def test_a_shard_that_loses_far_more_than_the_others_is_odd():
    shards = [*(shard(n) for n in range(20)), shard(20, rejected=300)]
    (odd,) = find_outliers(shards)
    assert (odd.shard, odd.track, odd.measure) == ("sa_000020", "single_en", "rejected")
    assert (odd.value, odd.median) == (0.3, pytest.approx(0.021))
    assert odd.deviations > 50


def test_one_sample_more_of_a_few_is_chance():
    few = [shard(n, planned=79, rejected=1, chars=None) for n in range(20)]
    assert find_outliers([*few, shard(20, planned=79, rejected=3, chars=None)]) == []
    (odd,) = find_outliers([*few, shard(20, planned=79, rejected=20, chars=None)])
    assert odd.shard == "sa_000020"


def test_shorter_captions_are_odd_below_the_median():
    (odd,) = find_outliers([*(shard(n) for n in range(9)), shard(9, chars=200_000)])
    assert (odd.measure, odd.value, odd.deviations < 0) == ("characters", 200.0, True)


def test_shards_that_differ_by_a_hair_are_not_odd_and_few_shards_never():
    assert find_outliers([*(shard(n, chars=640_000) for n in range(9)), shard(9)]) == []
    few = [shard(n) for n in range(MIN_SHARDS - 2)]
    assert find_outliers([*few, shard(9, rejected=900)]) == []


def test_the_slowest_come_first_and_those_without_times_not_at_all():
    shards = [shard(0, 2), shard(1, 5), shard(2, began_at=None), shard(3, 3)]
    assert slowest(shards, 2) == [("sa_000001", 5.0), ("sa_000003", 3.0)]


def test_what_is_not_stored_has_no_mean():
    assert mean_chars(TrackFigures(planned=3)) is None
    assert reject_share(TrackFigures(planned=0, rejected=0)) is None
