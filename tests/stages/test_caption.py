import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions import layout, records
from sa1b_captions.caption.resuming.track_generations import stored_blocks
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.generations import FIRST
from sa1b_captions.receipts.receipt_files import caption_place, read_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.engines import ScriptedEngine, honest_reply

SHARD = "sa_000000"


@pytest.fixture
def campaign(tmp_path):
    return ready_campaign(tmp_path)


def ready_campaign(folder):
    store = FileStore(folder)
    builders.put_shard(store, SHARD, {n: builders.make_jpeg(n) for n in range(1, 12)})
    return builders.demo_campaign(store)


def caption(campaign, open_engine, **options):
    """Caption the one shard."""
    return caption_shards(campaign, [SHARD], open_engine, **options)[SHARD]


def rows(campaign, track, shard=SHARD):
    receipt = read_receipt(campaign.store, caption_place(campaign.name, track, shard))
    keys = [
        layout.part_key(campaign.name, track, shard, receipt.generation, block)
        for block in range(receipt.blocks)
    ]
    return [row for key in keys for row in records.read_table(campaign.store, key).to_pylist()]


def planned_ids(campaign, track, shard=SHARD):
    index = read_index(campaign.store, shard)
    plan = plan_track(campaign.recipe, campaign.recipe.tracks[track], shard, index)
    return [sample.sample_id for sample in plan]


def test_parts_hold_every_planned_sample_once_in_plan_order(campaign):
    result = caption(campaign, ScriptedEngine)
    for track in TRACKS:
        assert [row["sample_id"] for row in rows(campaign, track)] == planned_ids(campaign, track)
    assert result["statuses"]["single_en"] == {"ok": 11}
    row = rows(campaign, "multi_en")[0]
    assert row["images"] == [f"{SHARD}/sa_{i}.jpg" for i in row["image_ids"]]
    assert row["recipe_fingerprint"] == campaign.recipe.fingerprint


def test_a_finished_shard_loads_no_model(campaign):
    caption(campaign, ScriptedEngine)

    def refuse():
        raise AssertionError("the model was loaded for nothing")

    assert caption(campaign, refuse)["captioned"] == 0


def test_force_captions_anew(campaign):
    caption(campaign, ScriptedEngine)
    engine = ScriptedEngine()
    caption(campaign, lambda: engine, tracks=["single_en"], force=True)
    assert len(engine.asked) == 11


def test_a_retry_of_a_forced_run_resumes_where_it_was_killed(campaign):
    caption(campaign, ScriptedEngine)
    budget = threading.Semaphore(8)

    def script(request):
        if not budget.acquire(blocking=False):
            raise RetryableError("killed")
        return honest_reply(request)

    def force(engine):
        caption(campaign, lambda: engine, tracks=["single_en"], force=True, run_id="monday")

    with pytest.raises(RetryableError):
        force(ScriptedEngine(script, window=1))
    retry = ScriptedEngine()
    force(retry)
    assert len(retry.asked) == 11 - 8


def test_the_engine_is_closed_when_it_fails(campaign):
    def script(request):
        raise RetryableError("gone")

    engine = ScriptedEngine(script)
    with pytest.raises(RetryableError):
        caption(campaign, lambda: engine)
    assert engine.closed


def test_a_shard_that_is_not_ingested_names_the_command(campaign):
    with pytest.raises(PermanentError, match="sa1b-captions ingest --shards"):
        caption_shards(campaign, ["sa_000001"], ScriptedEngine)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6))
def test_killed_workers_resume_without_gaps_or_repeats(tmp_path_factory, seed):
    """Workers die after random numbers of captions until one gets through."""
    campaign = ready_campaign(tmp_path_factory.mktemp("store"))
    rng = random.Random(seed)
    size = campaign.recipe.block_size
    asked = 0
    kills = 0
    for budget in [rng.randrange(0, 25) for _ in range(3)] + [10**6]:
        left = threading.Semaphore(budget)

        def script(request, left=left):
            if not left.acquire(blocking=False):
                raise RetryableError("killed")
            return honest_reply(request)

        engine = ScriptedEngine(script, window=3)
        try:
            caption(campaign, lambda engine=engine: engine)
        except RetryableError:
            kills += 1
        asked += len(engine.asked)
    total = 0
    for track in TRACKS:
        assert [row["sample_id"] for row in rows(campaign, track)] == planned_ids(campaign, track)
        total += len(rows(campaign, track))
    # A kill loses at most the open block of each track and the window's requests.
    assert asked <= total + kills * (len(TRACKS) * size + 3)


def test_two_workers_on_one_shard_write_equal_sets(campaign):
    threads = [
        threading.Thread(
            target=caption,
            args=(campaign, lambda: ScriptedEngine(delay_s=0.002)),
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for track in TRACKS:
        assert [row["sample_id"] for row in rows(campaign, track)] == planned_ids(campaign, track)


def test_a_missing_block_is_captioned_again_alone(campaign):
    caption(campaign, ScriptedEngine)
    campaign.store.delete(layout.caption_receipt_key(campaign.name, "single_en", SHARD))
    campaign.store.delete(layout.part_key(campaign.name, "single_en", SHARD, FIRST, 1))
    engine = ScriptedEngine()
    caption(campaign, lambda: engine)
    assert sorted(engine.asked) == sorted(planned_ids(campaign, "single_en")[4:8])
    assert stored_blocks(campaign, "single_en", SHARD, FIRST) == {0, 1, 2}
