"""Sums of shards, cut into spans of time."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.stages.status.over_time import MOST_SPANS, Totals, over_time, sum_up
from sa1b_captions.stages.status.shard_figures import TrackFigures
from sa1b_captions.stages.status.status import ShardStatus

FIRST = dt.datetime(2026, 11, 1, 10, 30, tzinfo=dt.UTC)


def shard(number, ended, **numbers):
    """A shard that took an hour."""
    began = ended - dt.timedelta(hours=1)
    figures = TrackFigures(
        **{"planned": 100, "rejected": 5, "captions": 100, "chars": 60_000, "tokens": 36_000}
        | {"occupancy": 0.9, "began_at": began.isoformat(), "ended_at": ended.isoformat()}
        | numbers
    )
    steps = {"single_en": "curated"}
    return ShardStatus(f"sa_{number:06d}", True, steps, "", figures={"single_en": figures})


def test_shards_together_count_every_sample_alike():
    small = shard(0, FIRST, planned=10, rejected=5, occupancy=0.1, captions=10, chars=1000)
    found = sum_up([small, shard(1, FIRST, planned=90, rejected=0, occupancy=1.0)], "single_en")
    assert found.shards == 2
    assert found.tokens_per_s == pytest.approx(10)
    assert found.reject_share == pytest.approx(0.05)
    assert found.occupancy == pytest.approx(0.91)
    assert found.mean_chars == pytest.approx(61_000 / 110)


def test_what_nobody_tells_is_no_zero():
    for none in (Totals(), sum_up([shard(0, FIRST, rejected=None, chars=None)], "single_zh")):
        assert (none.reject_share, none.mean_chars, none.occupancy) == (None, None, None)
    assert Totals().tokens_per_s is None


def test_a_shard_lies_in_the_span_in_which_its_last_caption_came():
    ends = [FIRST + dt.timedelta(days=day) for day in (0, 0, 5, 9)]
    found = over_time([shard(n, end) for n, end in enumerate(ends)], "single_en")
    assert found.width == dt.timedelta(hours=6)
    assert found.begins[0] == dt.datetime(2026, 11, 1, 6, tzinfo=dt.UTC)
    assert found.values(lambda one: one.shards)[0] == 2
    assert sum(found.values(lambda one: one.shards)) == 4
    assert found.totals[20].reject_share == 0.05
    assert found.totals[1].reject_share is None


def test_nothing_captioned_has_no_spans():
    assert over_time([ShardStatus("sa_000000", True, {"single_en": ""}, "")], "x").begins == []


@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=30))
def test_every_shard_lies_in_one_of_a_few_spans(seconds):
    ends = [FIRST + dt.timedelta(seconds=one) for one in seconds]
    found = over_time([shard(n, end) for n, end in enumerate(ends)], "single_en")
    assert 1 <= len(found.totals) <= MOST_SPANS
    assert sum(one.shards for one in found.totals) == len(seconds)
