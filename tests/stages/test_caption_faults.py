"""Workers that die, and stores that fail, at any call; forced runs and re-ingested shards."""

import dataclasses
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.receipts.receipt_files import caption_place, read_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.engines import ScriptedEngine, honest_reply
from tests.support.faulty_store import Fault, FaultyStore, faults, survived

SHARDS = ["sa_000000", "sa_000001"]
IMAGES = 6
SAMPLES = 2 * (6 + 3 + 2 * 2)
WINDOW = 3
MOST_CALLS = 160
"""Calls to the store of a forced run, about."""
JPEGS = {n: builders.make_jpeg(n, (16, 16)) for n in range(1, 2 * IMAGES + 1)}


def ready_campaign(folder):
    store = FileStore(folder)
    for number, shard in enumerate(SHARDS):
        own = {n: JPEGS[n] for n in range(IMAGES * number + 1, IMAGES * (number + 1) + 1)}
        builders.put_shard(store, shard, own, (16, 16))
    return builders.demo_campaign(store)


def engine(word, **options):
    """An engine whose captions begin with a word."""

    def script(request):
        reply = honest_reply(request)
        return dataclasses.replace(reply, caption=f"{word}: {reply.caption}")

    return ScriptedEngine(script, window=WINDOW, **options)


def require_every_sample_once(campaign):
    """By the receipts, as a later stage reads; returns each track's captions' first words."""
    words = {}
    for shard in SHARDS:
        index = read_index(campaign.store, shard)
        for track in TRACKS:
            plan = plan_track(campaign.recipe, campaign.recipe.tracks[track], shard, index)
            receipt = read_receipt(campaign.store, caption_place(campaign.name, track, shard))
            keys = [
                layout.part_key(campaign.name, track, shard, receipt.generation, block)
                for block in range(receipt.blocks)
            ]
            rows = [r for k in keys for r in records.read_table(campaign.store, k).to_pylist()]
            assert [row["sample_id"] for row in rows] == [sample.sample_id for sample in plan]
            assert receipt.planned == sum(receipt.statuses.values()) == len(plan)
            words[track, shard] = {row["caption"].partition(":")[0] for row in rows}
    return words


@settings(max_examples=6, deadline=None)
@given(found=st.lists(faults(MOST_CALLS), max_size=3), force=st.booleans())
def test_no_fault_at_any_call_loses_a_sample_or_repeats_much(tmp_path_factory, found, force):
    """A forced run leaves, at any moment, a whole old generation or a whole new one."""
    campaign = ready_campaign(tmp_path_factory.mktemp("store"))
    if force:
        caption_shards(campaign, SHARDS, lambda: engine("old"))

    def run(store):
        new = engine("new")
        try:
            with survived():
                caption_shards(
                    Campaign(campaign.name, store, campaign.recipe),
                    SHARDS,
                    lambda: new,
                    force=force,
                    run_id="monday",
                )
        finally:
            asked.append(len(new.asked))
        if force:
            words = require_every_sample_once(campaign).values()
            assert all(one in ({"old"}, {"new"}) for one in words)

    asked = []
    for fault in found:
        run(FaultyStore(campaign.store, fault))
    run(campaign.store)
    assert set.union(*require_every_sample_once(campaign).values()) == {"new"}
    # Each fault costs the open blocks: one a track, one more where a shard begins, the one that
    # could not be written; and what was in flight.
    open_samples = (len(TRACKS) + 2) * campaign.recipe.block_size
    assert sum(asked) <= SAMPLES + len(found) * (open_samples + WINDOW + 2)


def test_every_call_of_a_run_is_survived(tmp_path):
    """The faults above reach every call: a run has no more than they choose from."""
    campaign = ready_campaign(tmp_path)
    store = FaultyStore(campaign.store, Fault(10**9, kills=True, after=False))
    mine = Campaign(campaign.name, store, campaign.recipe)
    caption_shards(campaign, SHARDS, ScriptedEngine)
    caption_shards(mine, SHARDS, ScriptedEngine, force=True)
    assert MOST_CALLS * 0.6 < store.calls <= MOST_CALLS


@settings(max_examples=4, deadline=None)
@given(
    fault=faults(100),
    delay_s=st.sampled_from([0.0, 0.002]),
    runs=st.sampled_from([None, ("monday", "monday"), ("monday", "tuesday")]),
)
def test_two_workers_at_once_of_which_one_dies_leave_whole_shards(
    tmp_path_factory, fault, delay_s, runs
):
    """Of one run, forced or not, or of two forced ones, whose captions never mix."""
    campaign = ready_campaign(tmp_path_factory.mktemp("store"))
    if runs:
        caption_shards(campaign, SHARDS, lambda: engine("old"))

    def work(store, run_id):
        with survived():
            caption_shards(
                Campaign(campaign.name, store, campaign.recipe),
                SHARDS,
                lambda: engine(run_id, delay_s=delay_s),
                force=runs is not None,
                run_id=run_id,
            )

    stores = (campaign.store, FaultyStore(campaign.store, fault))
    threads = [
        threading.Thread(target=work, args=of)
        for of in zip(stores, runs or ("sunday", "sunday"), strict=True)
    ]
    for thread in threads:
        thread.start()
    while runs and any(thread.is_alive() for thread in threads):
        require_every_sample_once(campaign)
    for thread in threads:
        thread.join()
    words = require_every_sample_once(campaign).values()
    assert all(len(one) == 1 for one in words)
    assert {"old"} not in words


def test_parts_of_an_archive_that_was_ingested_anew_are_captioned_again(tmp_path):
    campaign = ready_campaign(tmp_path)
    caption_shards(campaign, SHARDS, ScriptedEngine)
    for track in TRACKS:
        campaign.store.delete(layout.caption_receipt_key(campaign.name, track, SHARDS[0]))
    changed = {n: JPEGS[n] for n in (1, 2, 3, 4, 5, 11, 12)}  # without 6, with two more
    builders.put_shard(campaign.store, SHARDS[0], changed, (16, 16))
    resumed = ScriptedEngine()
    caption_shards(campaign, SHARDS, lambda: resumed)
    require_every_sample_once(campaign)
    assert "single_en/sa_000000/1" not in resumed.asked  # its block of four is as planned
    assert "single_en/sa_000000/11" in resumed.asked
