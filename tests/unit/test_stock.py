"""A worker that holds decoded samples back until it has a stock of them."""

import threading

import pytest

from sa1b_captions.caption.worker import Worker
from sa1b_captions.errors import RetryableError
from tests.support import builders
from tests.support.engines import ScriptedEngine, honest_reply

RECIPE = builders.demo_recipe()


def test_with_a_stock_the_engine_gets_nothing_before_it_is_decoded(planned_shard):
    plan, reader = planned_shard
    decoded, seen = [], []

    class Reading:
        def read(self, sample):
            decoded.append(sample)
            return reader.read(sample)

    def script(request):
        seen.append(len(decoded))
        return honest_reply(request)

    worker = Worker(ScriptedEngine(script, window=2), RECIPE.generation)
    worker.stock_up(12)
    outcomes = list(worker.run((sample, Reading()) for sample in plan))
    assert len(outcomes) == len(plan)
    assert min(seen) >= 12


def test_a_stock_asked_for_midway_holds_back_those_after_it_alone(planned_shard):
    """What is in the engine goes on: these replies come only once later samples were decoded."""
    plan, reader = planned_shard
    decoded = threading.Event()
    read = []

    class Reading:
        def read(self, sample):
            read.append(sample)
            if len(read) == 2 + 8:
                decoded.set()
            return reader.read(sample)

    def script(request):
        assert decoded.wait(30)
        return honest_reply(request)

    worker = Worker(ScriptedEngine(script, window=2), RECIPE.generation)

    def samples():
        for place, sample in enumerate(plan):
            if place == 2:
                worker.stock_up(8)
            yield sample, Reading()

    assert len(list(worker.run(samples()))) == len(plan)


def test_a_stock_larger_than_the_shard_is_the_shard(planned_shard):
    plan, reader = planned_shard
    worker = Worker(ScriptedEngine(), RECIPE.generation)
    worker.stock_up(1000)
    assert len(list(worker.run((s, reader) for s in plan))) == len(plan)


def test_stop_drops_what_no_engine_was_asked_for(planned_shard):
    plan, reader = planned_shard
    stop = threading.Event()
    engine = ScriptedEngine(window=2, delay_s=0.01)
    worker = Worker(engine, RECIPE.generation, stop=stop)

    def run():
        worker.stock_up(18)
        for _ in worker.run((s, reader) for s in plan):
            stop.set()

    with pytest.raises(RetryableError, match="stopped on request"):
        run()
    assert len(engine.asked) < 12
