"""Workers that die, and stores that fail, at any call; forced runs and re-ingested shards."""

import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.receipt_files import caption_place, read_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.engines import ScriptedEngine
from tests.support.faulty_store import Fault, FaultyStore, faults, survived

SHARDS = ["sa_000000", "sa_000001"]
IMAGES = 6
SAMPLES = 2 * (6 + 3 + 2 * 2)
WINDOW = 3
JPEGS = {n: builders.make_jpeg(n, (16, 16)) for n in range(1, 2 * IMAGES + 1)}


def ready_campaign(folder):
    store = FileStore(folder)
    for number, shard in enumerate(SHARDS):
        own = {n: JPEGS[n] for n in range(IMAGES * number + 1, IMAGES * (number + 1) + 1)}
        builders.put_shard(store, shard, own, (16, 16))
    return builders.demo_campaign(store)


def require_every_sample_once(campaign):
    """By the receipts, as a later stage reads; returns how many there are."""
    total = 0
    for shard in SHARDS:
        index = read_index(campaign.store, shard)
        for track in TRACKS:
            plan = plan_track(campaign.recipe, campaign.recipe.tracks[track], shard, index)
            receipt = read_receipt(campaign.store, caption_place(campaign.name, track, shard))
            keys = [
                layout.part_key(campaign.name, track, shard, block)
                for block in range(receipt.blocks)
            ]
            rows = [r for k in keys for r in records.read_table(campaign.store, k).to_pylist()]
            assert [row["sample_id"] for row in rows] == [sample.sample_id for sample in plan]
            assert receipt.planned == sum(receipt.statuses.values()) == len(plan)
            total += len(rows)
    return total


@settings(max_examples=12, deadline=None)
@given(found=st.lists(faults(80), max_size=3), force=st.booleans())
def test_no_fault_at_any_call_loses_a_sample_or_repeats_much(tmp_path_factory, found, force):
    campaign = ready_campaign(tmp_path_factory.mktemp("store"))
    if force:  # over what an earlier run left
        caption_shards(campaign, SHARDS, ScriptedEngine)

    def run(store):
        engine = ScriptedEngine(window=WINDOW)
        run = {"force": force, "run_id": "monday"}
        try:
            with survived():
                caption_shards(
                    Campaign(campaign.name, store, campaign.recipe), SHARDS, lambda: engine, **run
                )
        finally:
            asked.append(len(engine.asked))

    asked = []
    for fault in found:
        run(FaultyStore(campaign.store, fault))
    run(campaign.store)
    total = require_every_sample_once(campaign)
    assert total <= SAMPLES
    # Each fault costs the open blocks: one a track, one more where a shard begins, the one that
    # could not be written; and what was in flight.
    open_samples = (len(TRACKS) + 2) * campaign.recipe.block_size
    assert sum(asked) <= total + len(found) * (open_samples + WINDOW + 2)


def test_every_call_of_a_run_is_survived(tmp_path):
    """The faults above reach every call: a run has no more than they choose from."""
    campaign = ready_campaign(tmp_path)
    store = FaultyStore(campaign.store, Fault(10**9, kills=True, after=False))
    caption_shards(Campaign(campaign.name, store, campaign.recipe), SHARDS, ScriptedEngine)
    assert 40 < store.calls <= 80


@settings(max_examples=4, deadline=None)
@given(fault=faults(60), delay_s=st.sampled_from([0.0, 0.002]))
def test_two_workers_at_once_of_which_one_dies_leave_whole_shards(tmp_path_factory, fault, delay_s):
    campaign = ready_campaign(tmp_path_factory.mktemp("store"))

    def work(store):
        with survived():
            mine = Campaign(campaign.name, store, campaign.recipe)
            caption_shards(mine, SHARDS, lambda: ScriptedEngine(delay_s=delay_s))

    threads = [
        threading.Thread(target=work, args=(store,))
        for store in (campaign.store, FaultyStore(campaign.store, fault))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    require_every_sample_once(campaign)


def test_parts_of_an_archive_that_was_ingested_anew_are_captioned_again(tmp_path):
    campaign = ready_campaign(tmp_path)
    caption_shards(campaign, SHARDS, ScriptedEngine)
    for track in TRACKS:
        campaign.store.delete(layout.caption_receipt_key(campaign.name, track, SHARDS[0]))
    changed = {n: JPEGS[n] for n in (1, 2, 3, 4, 5, 11, 12)}  # without 6, with two more
    builders.put_shard(campaign.store, SHARDS[0], changed, (16, 16))
    engine = ScriptedEngine()
    caption_shards(campaign, SHARDS, lambda: engine)
    require_every_sample_once(campaign)
    assert "single_en/sa_000000/1" not in engine.asked  # its block of four is as planned
    assert "single_en/sa_000000/11" in engine.asked
