"""Damaged blocks, half-written files and lost receipts of generations."""

import os

import pytest

from sa1b_captions import generations, layout
from sa1b_captions.caption.resuming.track_generations import begun_generations
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.shard_freshness import read_tracks
from sa1b_captions.generations import FIRST
from sa1b_captions.receipts.receipt_files import (
    caption_place,
    ingest_place,
)
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.past_generations import drop_generations, restore_captions
from tests.support import receipts
from tests.support.engines import ScriptedEngine
from tests.support.generations import (
    SHARD,
    TRACK,
    OtherEngine,
    campaign_at,
    caption,
    cut_off,
    everything,
    receipt,
    saying,
    words,
)


@pytest.fixture
def campaign(tmp_path):
    return campaign_at(tmp_path)


def part(block, generation=FIRST):
    return layout.part_key("test", TRACK, SHARD, generation, block)


def cut(store, key):
    data = store.read(key)
    store.write(key, data[: len(data) // 2])


@pytest.mark.parametrize("damage", [cut, lambda store, key: store.delete(key)])
def test_of_captions_that_count_only_a_damaged_block_is_captioned_again(campaign, damage):
    caption(campaign, saying("old"))
    caption(campaign, saying("new"), force=True, run_id="monday")
    present = receipt(campaign)
    curate_shard(campaign, SHARD, tracks=[TRACK])
    before = everything(campaign)
    bad = part(1, present.generation)
    damage(campaign.store, bad)
    mend = f"; run sa1b-captions caption --shards {SHARD} --tracks {TRACK}$"
    with pytest.raises(PermanentError, match=mend):
        curate_shard(campaign, SHARD, tracks=[TRACK], force=True)
    engine = saying("mended", window=1)
    assert caption(campaign, engine)["captioned"] == 4
    assert words(campaign) == {"new", "mended"}
    found, after = receipt(campaign), everything(campaign)
    assert (found.generation, found.previous) == (present.generation, FIRST)
    assert {key for key in before if before[key] != after[key]} == {
        bad,
        layout.caption_receipt_key("test", TRACK, SHARD),
    }
    (state,) = read_tracks(campaign, TRACK, [SHARD])
    assert state.stale[0].why == "damaged blocks of the track were captioned again since"
    curate_shard(campaign, SHARD, tracks=[TRACK])
    assert caption(campaign, engine)["captioned"] == 0


def test_a_damaged_block_of_a_dropped_archive_asks_for_the_archive(campaign):
    caption(campaign, saying("old"))
    campaign.store.delete(ingest_place(SHARD).key)
    assert caption(campaign, saying("new"))["captioned"] == 0
    cut(campaign.store, part(2))
    with pytest.raises(PermanentError, match=r"dropped; run sa1b-captions ingest --shards .* --fo"):
        caption(campaign, saying("new"))


def test_a_damaged_block_is_not_mended_by_another_engine(campaign):
    caption(campaign, ScriptedEngine())
    cut(campaign.store, part(0))
    with pytest.raises(PermanentError, match="was begun with scripted"):
        caption(campaign, OtherEngine())


def leave_half_written(campaign, key):
    path = campaign.store.root / key
    path = path.with_name(f".{path.name}.killed.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half")
    os.utime(path, (1, 1))
    return path


def test_what_a_killed_worker_left_half_written_is_cleared_by_the_one_that_goes_on(campaign):
    cut_off(campaign, "new", run_id="monday")
    (name,) = begun_generations(campaign, TRACK, SHARD)
    left = leave_half_written(campaign, part(2, name))
    caption(campaign, saying("new"), force=True, run_id="monday")
    assert not left.exists()


def test_freeing_generations_frees_what_was_half_written_of_them(campaign):
    caption(campaign, saying("old"))
    cut_off(campaign, "new", run_id="monday")
    name = generations.newest(begun_generations(campaign, TRACK, SHARD))
    old, live = leave_half_written(campaign, part(0)), leave_half_written(campaign, part(2, name))
    young = live.with_name(".part-00001.parquet.young.partial")
    young.write_bytes(b"half")
    drop_generations(campaign, [SHARD])
    assert [path.exists() for path in (old, live, young)] == [False, False, True]
    drop_generations(campaign, [SHARD], unfinished=True)
    assert not young.exists()


@pytest.mark.parametrize("name", ["../../x", "1", "0002-A/b", ""])
def test_a_receipt_that_names_no_generation_is_refused(campaign, name):
    caption(campaign, saying("old"))
    place = caption_place(campaign.name, TRACK, SHARD)
    receipts.edit(campaign.store, place.key, generation=name)
    with pytest.raises(PermanentError, match="is no name of a generation"):
        caption(campaign, saying("new"))


def test_names_order_generations_by_number():
    assert generations.newest(["0002-b", FIRST, "10000-a", "0003-c"]) == "10000-a"
    assert generations.following([], "x", 0) == "0001-x"
    assert generations.following([FIRST], "x", 7) == "0008-x"
    assert generations.own(["0003-x", "0002-x", "0002-y"], "x") == ["0002-x", "0003-x"]
    assert generations.is_generation(f"0002-{generations.owner_of_run('manual__2026-11-01')}")


@pytest.mark.parametrize("restored", [False, True], ids=["newest counted", "restored"])
def test_a_lost_receipt_lets_the_captions_count_that_did_and_keeps_the_way_back(
    campaign, caplog, restored
):
    caption(campaign, saying("old"))
    caption(campaign, saying("new"), force=True, run_id="monday")
    if restored:
        restore_captions(campaign, [SHARD], [TRACK])
    cut_off(campaign, "newest", run_id="tuesday")
    before, said = receipt(campaign), words(campaign)
    campaign.store.delete(caption_place(campaign.name, TRACK, SHARD).key)
    stored = everything(campaign)
    with pytest.raises(PermanentError, match="says which generation .* counts; run .*caption"):
        drop_generations(campaign, [SHARD], unfinished=True)
    assert everything(campaign) == stored
    caption(campaign, ScriptedEngine(lambda request: pytest.fail("captioned again")))
    after = receipt(campaign)
    assert words(campaign) == said == {"old" if restored else "new"}
    assert (after.generation, after.previous) == (before.generation, before.previous)
    assert after.restored_from == before.restored_from
    assert f"the receipt is gone; generation {after.generation} counted" in caplog.text
    if not restored:
        restore_captions(campaign, [SHARD], [TRACK])
        assert words(campaign) == {"old"}


def test_a_forced_run_that_was_whole_and_never_counted_does_not_count_by_a_lost_receipt(campaign):
    caption(campaign, saying("old"))
    caption(campaign, saying("new"), force=True, run_id="monday")
    place = caption_place(campaign.name, TRACK, SHARD)
    old = layout.past_receipt_key(campaign.name, TRACK, SHARD, FIRST)
    campaign.store.delete(old)  # as if it had been killed before the switch
    campaign.store.delete(place.key)
    caption(campaign, saying("newer"))
    assert words(campaign) == {"old"}


def test_a_forced_run_by_hand_begins_anew_where_the_receipt_of_its_last_one_is_lost(campaign):
    caption(campaign, saying("old"))
    caption(campaign, saying("new"), force=True)
    campaign.store.delete(caption_place(campaign.name, TRACK, SHARD).key)
    caption(campaign, saying("newest"), force=True)
    assert words(campaign) == {"newest"}
