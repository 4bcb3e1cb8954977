"""Rates of tokens, and the efficiency that follows from them, in virtual time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.caption.gauge import EngineGauge, ShardGauge
from sa1b_captions.caption.sampling import Sample
from sa1b_captions.caption.worker import Outcome
from sa1b_captions.efficiency import ENOUGH_SAMPLES, Efficiency, compare
from sa1b_captions.records import CaptionStatus
from tests.support import builders
from tests.support.engines import ScriptedEngine
from tests.support.virtual_window import spans

SHARD = "sa_000000"
TRACK = builders.demo_recipe().tracks["single_en"]


def outcome(began_s, latency_s, tokens):
    sample = Sample("single_en/sa_000000/1", SHARD, TRACK, (None,), 0)
    reply = Reply(CaptionStatus.OK, "A dog.", completion_tokens=tokens)
    return Outcome(sample, reply, attempt=1, began_s=began_s, latency_s=latency_s)


def shard_gauge(*outcomes):
    gauge = ShardGauge()
    for one in outcomes:
        gauge.add(outcome(*one))
    return gauge


def test_tokens_count_evenly_over_a_requests_time_in_the_engine():
    gauge = shard_gauge((0.0, 10.0, 100), (5.0, 10.0, 400), (10.0, 1.0, 7))
    assert gauge.tokens_per_s(0, 1) == pytest.approx(10)  # 50 of the first in 5 s
    assert gauge.tokens_per_s(1, 2) == pytest.approx(10 + 40)


def test_the_order_in_which_samples_finish_changes_nothing():
    outcomes = [(0.0, 10.0, 100), (5.0, 10.0, 400), (10.0, 1.0, 7)]
    rates = {shard_gauge(*order).tokens_per_s(0, 2) for order in (outcomes, outcomes[::-1])}
    assert len(rates) == 1


def test_no_rate_of_no_time_and_of_no_tokens():
    assert shard_gauge((0.0, 1.0, 5), (0.0, 1.0, 5)).tokens_per_s(0, 1) is None
    assert shard_gauge((0.0, 1.0, None), (2.0, 1.0, None)).tokens_per_s(0, 1) is None
    assert shard_gauge((0.0, 1.0, 5)).tokens_per_s(0, 1) is None


@pytest.mark.parametrize(
    ("samples", "stock"), [(9, 0), (10, 9), (16, 10), (24, 12), (40, 16), (11_186, 16)]
)
def test_a_stock_leaves_samples_for_the_pipeline_and_stays_under_two_windows(samples, stock):
    assert EngineGauge(ScriptedEngine(window=8)).stock(ShardGauge(), samples) == stock


def test_the_engine_is_measured_once():
    gauge = EngineGauge(ScriptedEngine(window=8))
    assert gauge.stock(ShardGauge(), 5) == 0
    assert gauge.stock(ShardGauge(), 100) == 16
    assert gauge.stock(ShardGauge(), 100) == 0


def test_few_samples_raise_no_alarm():
    assert compare(50.0, 100.0, ENOUGH_SAMPLES, 8).efficiency_low
    few = compare(50.0, 100.0, 5, 8)
    assert (few.efficiency, few.efficiency_low) == (0.5, False)
    assert "of 5 samples only" in few.efficiency_note
    assert not compare(50.0, 100.0, ENOUGH_SAMPLES, 256).efficiency_low  # not one window


def virtual_efficiency(window, samples, feed, seed=0):
    shard, gauge = ShardGauge(), EngineGauge(ScriptedEngine(window=window))
    stock = gauge.stock(shard, samples)
    for span in spans(window, samples, stock, feed, seed):
        shard.add(outcome(*span))
    return gauge.efficiency(shard)


@pytest.mark.parametrize("window", [8, 96, 256])
@pytest.mark.parametrize("windows", [3, 9])
def test_a_fed_engine_is_near_one_and_a_starving_one_far_below(window, windows):
    fed = virtual_efficiency(window, windows * window, feed=2.0)
    starved = virtual_efficiency(window, windows * window, feed=0.4)
    assert fed.efficiency == pytest.approx(1, abs=0.05)
    assert 0.3 < starved.efficiency < 0.75
    assert not fed.efficiency_low
    assert starved.efficiency_low == (starved.efficiency_samples >= max(window, ENOUGH_SAMPLES))


@given(
    window=st.integers(6, 64),
    windows=st.floats(1.2, 12),
    feed=st.floats(1.1, 5),
    seed=st.integers(0),
)
@settings(max_examples=25, deadline=None)
def test_no_fed_engine_raises_an_alarm_whatever_the_shard(window, windows, feed, seed):
    found = virtual_efficiency(window, int(window * windows) + 2, feed, seed)
    assert not found.efficiency_low
    assert found.efficiency > 0.85


def test_the_share_that_is_missing_is_the_share_that_the_feed_lacks():
    assert virtual_efficiency(96, 4000, feed=0.5).efficiency == pytest.approx(0.5, abs=0.03)


def test_the_log_line_says_what_to_do_only_where_something_is_wrong():
    low = compare(100.0, 200.0, ENOUGH_SAMPLES, 8).describe()
    assert low == (
        "efficiency 0.50: 100 tokens/s, and the engine alone writes 200; "
        "give the pod more CPU, or look at the store's read times"
    )
    assert "give" not in compare(196.0, 200.0, ENOUGH_SAMPLES, 8).describe()
    assert Efficiency(efficiency_note="a reason").describe() == "no efficiency, for a reason"
