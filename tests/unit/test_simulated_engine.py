import pytest

from sa1b_captions.caption.decoding.images import ShardReader
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.caption.worker import Worker
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.simulated_engine import SimulatedEngine

RECIPE = builders.demo_recipe()


@pytest.fixture
def shard(tmp_path):
    store = FileStore(tmp_path)
    builders.put_shard(store, "sa_000000", {n: builders.make_jpeg(n) for n in range(1, 41)})
    plan = plan_track(
        RECIPE, RECIPE.tracks["single_en"], "sa_000000", read_index(store, "sa_000000")
    )
    return plan, ShardReader(store, "sa_000000", plan)


@pytest.mark.parametrize("static", [False, True])
def test_every_request_ends_and_no_slot_is_busier_than_all_the_time(shard, static):
    plan, reader = shard
    engine = SimulatedEngine(window=8, speedup=200.0, static=static)
    outcomes = list(Worker(engine, RECIPE.generation).run((s, reader) for s in plan))
    engine.close()
    assert len(outcomes) == len(plan)
    assert 0 < engine.occupancy <= 1


def test_lengths_depend_on_seed_and_sample_only():
    lengths = []
    for seed in (1, 1, 2):
        engine = SimulatedEngine(seed=seed)
        lengths.append([engine.length(f"single_en/sa_000000/{n}") for n in range(50)])
        engine.close()
    assert lengths[0] == lengths[1] != lengths[2]
    assert min(lengths[0]) >= 8
    assert 120 < sum(lengths[0]) / 50 < 280
