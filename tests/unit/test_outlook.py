"""When captions will be there: an honest rate, an interval, and none from a few shards."""

import dataclasses
import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.quality.projection import MIN_SHARDS
from sa1b_captions.recipe import TRACKS
from sa1b_captions.settings import load_settings
from sa1b_captions.stages.status.outlook import (
    LAST_SHARDS,
    gpus_of_worker,
    hours_of,
    outlook,
    shares_done,
)
from sa1b_captions.stages.status.shard_figures import TrackFigures
from sa1b_captions.stages.status.status import CampaignStatus, ShardStatus

NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
WAITING = dict.fromkeys(TRACKS, "")


def shard(number, ended, hours=2.0, steps=None):
    """A shard that was captioned in so many hours, up to then."""
    at = [ended - dt.timedelta(hours=hours), ended]
    began, end = (one.isoformat(timespec="seconds") for one in at)
    figures = {
        track: TrackFigures(planned=100, captioned_at=end, began_at=began, ended_at=end)
        for track in TRACKS
    }
    return ShardStatus(
        f"sa_{number:06d}", True, steps or dict.fromkeys(TRACKS, "curated"), "pass", figures=figures
    )


def campaign(done, waiting, **options):
    """Shards of which one was captioned every day, the last one today, and others."""
    made = [shard(n, NOW - dt.timedelta(days=done - 1 - n), **options) for n in range(done)]
    left = [ShardStatus(f"sa_{done + n:06d}", False, dict(WAITING), "") for n in range(waiting)]
    return CampaignStatus([*made, *left])


def test_few_shards_give_no_rate_and_no_end():
    found = outlook(campaign(MIN_SHARDS - 1, 10), NOW)
    assert (found.shards_per_day, found.ends_at, found.ends_late) == (None, None, None)
    assert (found.captioned, found.left) == (MIN_SHARDS - 1, 10)
    assert found.to_go_h.value == pytest.approx(20)
    assert (found.to_go_h.low, found.to_go_h.high) == (None, None)
    assert f"no rate from fewer than {MIN_SHARDS} shards" in found.describe()


def test_a_shard_a_day_ends_after_as_many_days_as_shards_are_left():
    found = outlook(campaign(30, 10), NOW)
    assert found.shards_per_day.value == pytest.approx(1.0)
    assert found.shards_per_day.low < 1.0 < found.shards_per_day.high
    assert found.ends_at == "2026-11-30T00:00:00+00:00"
    assert found.ends_early < found.ends_at < found.ends_late
    assert found.spent_h == pytest.approx(60)
    assert found.to_go_h.value == pytest.approx(20)
    assert "30 of 40 shards captioned in all tracks, 1 a day" in found.describe()
    assert "the last about 2026-11-30" in found.describe()


def test_a_high_rate_is_told_in_whole_shards():
    made = [shard(n, NOW - dt.timedelta(seconds=50 * (1999 - n))) for n in range(2000)]
    told = outlook(CampaignStatus(made), NOW).describe()
    assert re.match(
        r"2,000 of 2,000 shards captioned in all tracks, 1,\d{3} a day \(1,\d{3} to ", told
    )


def test_the_rate_is_of_the_last_shards_and_falls_while_none_ends():
    shards = campaign(LAST_SHARDS + 40, 10)
    assert outlook(shards, NOW).window == LAST_SHARDS
    later = outlook(shards, NOW + dt.timedelta(days=100)).shards_per_day
    assert later.value < outlook(shards, NOW).shards_per_day.value / 2


def test_the_rate_stays_once_all_shards_are_captioned():
    shards = campaign(30, 0)
    later = outlook(shards, NOW + dt.timedelta(days=100))
    assert later.shards_per_day == outlook(shards, NOW).shards_per_day
    assert later.shards_per_day.value == pytest.approx(1)


def test_a_shard_without_times_counts_as_captioned_and_not_as_timed():
    found = campaign(8, 0)
    old = {track: TrackFigures(planned=100) for track in TRACKS}
    found.shards[0] = ShardStatus(
        "sa_000000", True, dict.fromkeys(TRACKS, "curated"), "pass", figures=old
    )
    told = outlook(found, NOW)
    assert (told.captioned, told.timed, told.window, told.left) == (8, 7, 7, 0)
    assert hours_of(found.shards[0]) is None


def test_the_run_that_captioned_a_shard_knows_its_time_best():
    one = shard(0, NOW, hours=30.0)
    for track, found in one.figures.items():
        one.figures[track] = dataclasses.replace(found, run_s=3600.0, run_samples=380)
    assert hours_of(one) == pytest.approx(400 / 380)
    again = one.figures["multi_zh"]
    one.figures["multi_zh"] = dataclasses.replace(again, run_s=60.0, run_samples=20)
    assert hours_of(one) == pytest.approx(30.0)


def test_a_begun_shard_is_done_by_the_samples_of_its_tracks():
    half = shard(1, NOW, steps=WAITING | {"single_en": "captioned"})
    half.figures.update({"single_en": TrackFigures(planned=900)})
    for track in TRACKS[1:]:
        del half.figures[track]
    whole = shard(0, NOW)
    shares = shares_done([whole, half, ShardStatus("sa_000002", True, dict(WAITING), "")])
    assert shares == [1.0, pytest.approx(900 / 1200), 0.0]


def test_a_time_that_is_none_is_passed_over():
    broken = TrackFigures(planned=1, captioned_at="yesterday", ended_at="2026-11-01T00:00:00")
    assert broken.finished == dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    assert TrackFigures(planned=1, captioned_at="yesterday").finished is None


@given(st.integers(MIN_SHARDS, 90), st.integers(0, 2000), st.integers(0, 10**7))
def test_an_interval_holds_its_value_and_a_time_is_one(done, left, seconds):
    found = outlook(campaign(done, left), NOW + dt.timedelta(seconds=seconds))
    rate = found.shards_per_day
    assert 0 <= rate.low <= rate.value <= rate.high
    assert found.to_go_h.low <= found.to_go_h.value <= found.to_go_h.high
    assert found.describe()


@pytest.mark.parametrize(
    ("values", "gpus"),
    [
        ({}, None),
        ({"CAPTIONS_ENGINE": "lmdeploy", "CAPTIONS_TENSOR_PARALLEL": "2"}, 2),
        ({"CAPTIONS_ENGINE": "openai", "CAPTIONS_TENSOR_PARALLEL": "2"}, None),
        ({"CAPTIONS_RUNTIME": "pod"}, 4),
    ],
)
def test_settings_say_how_many_gpus_a_shard_takes(values, gpus):
    assert gpus_of_worker(load_settings({"CAPTIONS_ROOT": "file:///x", **values})) == gpus
