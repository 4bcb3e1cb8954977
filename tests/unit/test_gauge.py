import logging

import pytest

import builders
from engines import ScriptedEngine, honest_reply
from sa1b_captions.caption.gauge import (
    STOCK_WINDOWS,
    WORTHWHILE_WINDOWS,
    Efficiency,
    EngineGauge,
    ShardGauge,
    stock_for,
)
from sa1b_captions.receipts import read_receipt
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.storage import FileStore


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def finish(gauge, clock, replies, seconds_each, tokens=100):
    for _ in range(replies):
        clock.now += seconds_each
        gauge.add(tokens)


def test_the_burst_of_the_first_replies_does_not_count():
    clock = Clock()
    gauge = EngineGauge(8, 24, clock=clock)
    finish(gauge, clock, 5, 0.0)  # half a window at one instant, and the one that starts the clock
    finish(gauge, clock, 7, 0.5)
    assert gauge.tokens_per_s == pytest.approx(200)


def test_what_comes_after_the_stock_does_not_count():
    clock = Clock()
    gauge = EngineGauge(8, 24, clock=clock)
    finish(gauge, clock, 12, 0.5)
    finish(gauge, clock, 50, 9.0)
    assert gauge.tokens_per_s == pytest.approx(200)


@pytest.mark.parametrize("stock", [0, 24])
def test_nothing_is_said_of_an_engine_that_was_not_measured(stock):
    gauge = EngineGauge(8, stock)
    for _ in range(40):
        gauge.add(None)
    assert gauge.tokens_per_s is None
    assert ShardGauge().efficiency("sa_000000", 100.0) == Efficiency()


def shard_gauge(seconds_each):
    clock = Clock()
    gauge = ShardGauge(clock=clock)
    finish(gauge, clock, 101, seconds_each)
    return gauge


def test_a_starving_engine_is_named_in_plain_words(caplog):
    with caplog.at_level(logging.INFO):
        found = shard_gauge(1.0).efficiency("sa_000000", 200.0)
    assert found == Efficiency(100.0, 200.0, 0.5)
    assert "sa_000000: the GPU waits for images: 100 tokens/s" in caplog.text


def test_a_fed_engine_raises_no_alarm(caplog):
    assert shard_gauge(1.0).efficiency("sa_000000", 102.0).efficiency == 0.98
    assert "waits" not in caplog.text


def test_preview_small_shards_and_wide_windows_are_not_gauged():
    engine = ScriptedEngine(window=4)
    few = WORTHWHILE_WINDOWS * 4
    assert stock_for(engine, few) == STOCK_WINDOWS * 4
    assert stock_for(engine, few - 1) == 0
    assert stock_for(ScriptedEngine(window=97), 10**6) == 0  # would not fit small pods' memory
    engine.name = "preview"
    assert stock_for(engine, few) == 0


def receipt_after(tmp_path, engine):
    store = FileStore(tmp_path)
    builders.put_shard(store, "sa_000000", {n: builders.make_jpeg(n) for n in range(1, 40)})
    campaign = builders.demo_campaign(store)
    caption_shards(campaign, ["sa_000000"], lambda: engine, tracks=["single_en"])
    return read_receipt(store, campaign.caption_receipt("single_en", "sa_000000"))


def test_the_receipt_carries_both_rates_and_no_sample_is_captioned_twice(tmp_path):
    engine = ScriptedEngine(honest_reply, window=2, delay_s=0.005)
    receipt = receipt_after(tmp_path, engine)
    assert len(engine.asked) == len(set(engine.asked)) == receipt["planned"]
    assert receipt["engine_tokens_per_s"] > 0
    ratio = receipt["pipeline_tokens_per_s"] / receipt["engine_tokens_per_s"]
    assert receipt["efficiency"] == pytest.approx(ratio, abs=0.01)


def test_the_receipt_of_a_shard_that_was_not_gauged_says_null(tmp_path):
    receipt = receipt_after(tmp_path, ScriptedEngine(window=16))
    assert receipt["efficiency"] is None
    assert receipt["engine_tokens_per_s"] is None
