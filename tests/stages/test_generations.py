"""New captions beside the old: which count, going back, and freeing what counts no more."""

import dataclasses
import json
import os
import threading

import pytest

from sa1b_captions import generations, layout, records
from sa1b_captions.caption.engines.openai.engine import UNREPORTED
from sa1b_captions.caption.track_generations import begun_generations
from sa1b_captions.errors import PermanentError, RetryableError, SettingsError
from sa1b_captions.freshness.shard_freshness import read_tracks
from sa1b_captions.generations import FIRST
from sa1b_captions.receipts import BegunNote
from sa1b_captions.receipts.receipt_files import (
    begun_place,
    caption_place,
    curate_place,
    digest,
    ingest_place,
    read_receipt,
    write_receipt,
)
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.past_generations import drop_generations, restore_captions
from sa1b_captions.storage import FileStore
from tests.support import builders, receipts
from tests.support.engines import ScriptedEngine, honest_reply

SHARD = "sa_000000"
OTHER = "sa_000001"
TRACK = "single_en"
IMAGES = 11


@pytest.fixture
def campaign(tmp_path):
    store = FileStore(tmp_path)
    put_archive(store)
    return builders.demo_campaign(store)


def put_archive(store, first_seed=1, shard=SHARD):
    builders.put_shard(store, shard, {n: builders.make_jpeg(first_seed + n) for n in range(IMAGES)})


def saying(word, budget=10**6, **options):
    """An engine whose captions begin with a word, and that is gone after so many."""
    left = threading.Semaphore(budget)

    def script(request):
        if not left.acquire(blocking=False):
            raise RetryableError("killed")
        reply = honest_reply(request)
        return dataclasses.replace(reply, caption=f"{word}: {reply.caption}")

    return ScriptedEngine(script, **options)


def caption(campaign, engine, **options):
    options = {"tracks": [TRACK]} | options
    return caption_shards(campaign, [SHARD], lambda: engine, **options)[SHARD]


def cut_off(campaign, word, **options):
    """A forced run that dies after two blocks."""
    with pytest.raises(RetryableError) as caught:
        caption(campaign, saying(word, 8, window=1), force=True, **options)
    return str(caught.value)


def receipt(campaign, track=TRACK):
    return read_receipt(campaign.store, caption_place(campaign.name, track, SHARD))


def words(campaign, track=TRACK):
    """First words of the captions that count, which are whole."""
    found = receipt(campaign, track)
    rows = [
        row
        for block in range(found.blocks)
        for row in records.read_table(
            campaign.store,
            layout.part_key(campaign.name, track, SHARD, found.generation, block),
        ).to_pylist()
    ]
    assert len({row["sample_id"] for row in rows}) == len(rows) == found.planned
    return {row["caption"].partition(":")[0] for row in rows}


def everything(campaign):
    return {key: campaign.store.read(key) for key in campaign.store.list("")}


@pytest.mark.parametrize("error", [SettingsError("no model"), RetryableError("no GPU")])
def test_an_engine_that_does_not_open_changes_nothing(campaign, error):
    caption(campaign, saying("old"))
    before = everything(campaign)

    def fail():
        raise error

    with pytest.raises(type(error)):
        caption_shards(campaign, [SHARD], fail, force=True)
    assert everything(campaign) == before


def test_an_archive_that_is_gone_is_refused_before_the_engine_is_opened(campaign):
    campaign.store.delete(layout.archive_key(SHARD))
    with pytest.raises(PermanentError, match=r"sa_000000\.tar is gone .* ingest --shards"):
        caption_shards(campaign, [SHARD], lambda: pytest.fail("opened for nothing"))


def test_the_old_captions_count_until_the_new_ones_are_whole(campaign):
    caption(campaign, saying("old"))
    before = receipt(campaign)
    cut_off(campaign, "new", run_id="monday")
    assert (receipt(campaign), words(campaign)) == (before, {"old"})
    engine = saying("new")
    caption(campaign, engine, force=True, run_id="monday")
    assert words(campaign) == {"new"}
    assert len(engine.asked) == IMAGES - 8
    assert receipt(campaign).previous == FIRST


def test_a_run_that_did_it_again_does_it_once(campaign):
    caption(campaign, saying("old"))
    caption(campaign, saying("new"), force=True, run_id="monday")
    stored = everything(campaign)
    engine = saying("newer")
    caption(campaign, engine, force=True, run_id="monday")
    assert engine.asked == []
    assert everything(campaign) == stored


def test_a_command_by_hand_goes_on_where_it_was_cut_off_and_then_begins_anew(campaign):
    caption(campaign, saying("old"))
    cut_off(campaign, "new")
    second, third = saying("new"), saying("newest")
    caption(campaign, second, force=True)
    assert len(second.asked) == IMAGES - 8
    caption(campaign, third, force=True)
    assert len(third.asked) == IMAGES
    assert words(campaign) == {"newest"}
    assert list(begun_generations(campaign, TRACK, SHARD)) == [FIRST, "0002-hand", "0003-hand"]


def test_two_forced_runs_never_write_into_one_generation(campaign):
    cut_off(campaign, "monday", run_id="monday")
    cut_off(campaign, "tuesday", run_id="tuesday")
    caption(campaign, saying("monday"), force=True, run_id="monday")
    assert words(campaign) == {"monday"}
    caption(campaign, saying("tuesday"), force=True, run_id="tuesday")
    assert words(campaign) == {"tuesday"}
    assert len(begun_generations(campaign, TRACK, SHARD)) == 2


def test_a_worker_of_an_older_run_that_ends_late_does_not_take_the_newer_captions_place(campaign):
    caption(campaign, saying("old"))
    cut_off(campaign, "monday", run_id="monday")
    caption(campaign, saying("tuesday"), force=True, run_id="tuesday")
    present = receipt(campaign)
    caption(campaign, saying("monday"), force=True, run_id="monday")
    assert (receipt(campaign), words(campaign)) == (present, {"tuesday"})


def test_captions_are_restored_one_generation_back(campaign):
    for word in ("one", "two", "three"):
        caption(campaign, saying(word), force=True, run_id=word)
    assert words(campaign) == {"three"}
    names = list(begun_generations(campaign, TRACK, SHARD))
    found = restore_captions(campaign, [SHARD], [TRACK])
    assert found["restored"] == {SHARD: {TRACK: [names[2], names[1]]}}
    assert words(campaign) == {"two"}
    restore_captions(campaign, [SHARD], [TRACK])
    assert words(campaign) == {"one"}
    with pytest.raises(PermanentError, match="no other captions counted before in single_en; noth"):
        restore_captions(campaign, [SHARD], [TRACK])


def test_what_was_restored_stays_until_somebody_captions_again(campaign):
    caption(campaign, saying("old"))
    caption(campaign, saying("new"), force=True, run_id="monday")
    restore_captions(campaign, [SHARD], [TRACK])
    caption(campaign, saying("new"), force=True, run_id="monday")  # its task is cleared
    caption(campaign, saying("new"))
    assert words(campaign) == {"old"}
    caption(campaign, saying("newest"), force=True, run_id="tuesday")
    assert words(campaign) == {"newest"}
    restore_captions(campaign, [SHARD], [TRACK])
    assert words(campaign) == {"old"}


def test_restored_captions_are_curated_again(campaign):
    caption(campaign, saying("old"))
    caption(campaign, saying("new"), force=True)
    curate_shard(campaign, SHARD, tracks=[TRACK])
    restore_captions(campaign, [SHARD], [TRACK])
    (state,) = read_tracks(campaign, TRACK, [SHARD])
    assert state.stale[0].why == "earlier captions of the track were restored since"
    curate_shard(campaign, SHARD, tracks=[TRACK])
    texts = [
        row["caption"]
        for name in ("accepted", "rejected")
        for row in records.read_table(
            campaign.store, layout.curated_key(campaign.name, TRACK, SHARD, f"{name}.parquet")
        ).to_pylist()
    ]
    assert len(texts) == IMAGES
    assert all(text.startswith("old") for text in texts)


def curate_receipt(campaign):
    return read_receipt(campaign.store, curate_place(campaign.name, TRACK, SHARD))


def test_captions_that_are_restored_as_they_were_curated_are_not_curated_again(campaign):
    caption(campaign, saying("old"))
    curate_shard(campaign, SHARD, tracks=[TRACK])
    curated = curate_receipt(campaign)
    for word in ("new", "newest"):  # back, and again from captions that were restored before
        caption(campaign, saying(word), force=True, run_id=word)
        (state,) = read_tracks(campaign, TRACK, [SHARD])
        assert state.stale[0].why == "the track was captioned again since"
        found = restore_captions(campaign, [SHARD], [TRACK])
        assert found["stale"] == []
        (state,) = read_tracks(campaign, TRACK, [SHARD])
        assert (state.stale, state.step) == ((), "curated")
    before = everything(campaign)
    curate_shard(campaign, SHARD, tracks=[TRACK])
    assert (curate_receipt(campaign), everything(campaign)) == (curated, before)


def test_a_run_goes_back_once_however_often_its_task_is_done_again(campaign):
    for word in ("one", "two", "three"):
        caption(campaign, saying(word), force=True, run_id=word)
    for _ in range(2):
        found = restore_captions(campaign, [SHARD], [TRACK], run_id="monday")
        switch = found["restored"][SHARD][TRACK]
        assert [generations.number(name) for name in switch] == [3, 2]
        assert words(campaign) == {"two"}
    restore_captions(campaign, [SHARD], [TRACK], run_id="tuesday")
    assert words(campaign) == {"one"}


def test_what_restoring_leaves_stale_is_said(campaign):
    caption(campaign, saying("old"))
    caption(campaign, saying("new"), force=True)
    curate_shard(campaign, SHARD, tracks=[TRACK])
    (stale,) = restore_captions(campaign, [SHARD], [TRACK])["stale"]
    assert stale == (
        "curated captions of single_en/sa_000000 are stale: earlier captions of the track were "
        "restored since; run sa1b-captions curate --shards sa_000000 --tracks single_en"
    )


def test_a_generation_that_is_not_whole_is_not_restored(campaign):
    caption(campaign, saying("old"))
    caption(campaign, saying("new"), force=True)
    campaign.store.delete(layout.part_key(campaign.name, TRACK, SHARD, FIRST, 1))
    before = everything(campaign)
    with pytest.raises(PermanentError, match="generation 0001, .* lacks 1 of 3 parts; nothing was"):
        restore_captions(campaign, [SHARD], [TRACK])
    assert everything(campaign) == before


def test_captions_of_other_images_than_the_archive_are_not_restored(campaign):
    set_content(campaign, "a" * 16)
    caption(campaign, saying("old"))
    set_content(campaign, "b" * 16)
    caption(campaign, saying("new"), force=True)
    before = everything(campaign)
    with pytest.raises(PermanentError, match="generation 0001, .* is of other images than"):
        restore_captions(campaign, [SHARD], [TRACK])
    assert everything(campaign) == before
    set_content(campaign, "a" * 16)
    restore_captions(campaign, [SHARD], [TRACK])
    assert words(campaign) == {"old"}


def test_no_shard_is_restored_if_another_cannot_be(campaign):
    put_archive(campaign.store, shard=OTHER)
    both = [SHARD, OTHER]
    for word in ("old", "new"):
        caption_shards(
            campaign, both, lambda word=word: saying(word), tracks=[TRACK], force=True, run_id=word
        )
    drop_generations(campaign, [OTHER])
    before = everything(campaign)
    with pytest.raises(PermanentError, match=r"sa_000001: .* is gone, .*; nothing was changed"):
        restore_captions(campaign, both, [TRACK])
    assert everything(campaign) == before


def test_a_command_by_hand_that_is_cut_off_names_the_shards_it_did_not_finish(campaign):
    put_archive(campaign.store, shard=OTHER)
    for run_id, how in ((None, "again with --shards 1"), ("monday", "again or clear the task")):
        with pytest.raises(RetryableError, match=f"; to go on, run the same command {how}$"):
            caption_shards(
                campaign,
                [SHARD, OTHER],
                lambda: saying("new", IMAGES + 4, window=1),
                tracks=[TRACK],
                force=True,
                run_id=run_id,
            )


def test_superseded_generations_are_freed_and_those_of_live_runs_only_when_named(campaign):
    caption(campaign, saying("old"))
    caption(campaign, saying("new"), force=True, run_id="monday")
    cut_off(campaign, "newest", run_id="tuesday")
    _, counts, live = begun_generations(campaign, TRACK, SHARD)
    found = drop_generations(campaign, [SHARD])
    assert (found["freed"], found["kept"]) == ({SHARD: {TRACK: [FIRST]}}, {SHARD: {TRACK: [live]}})
    assert words(campaign) == {"new"}
    with pytest.raises(PermanentError, match="as after drop --generations, and cannot be restored"):
        restore_captions(campaign, [SHARD], [TRACK])
    assert drop_generations(campaign, [SHARD], unfinished=True)["freed"] == {SHARD: {TRACK: [live]}}
    assert list(begun_generations(campaign, TRACK, SHARD)) == [counts]
    folder = layout.captions_prefix(campaign.name, TRACK, SHARD)
    assert len(list(campaign.store.list(folder))) == 1 + 1 + 3  # receipt, note, parts


def test_a_forced_run_whose_samples_fail_leaves_the_old_captions(campaign):
    caption(campaign, saying("old"))

    def script(request):
        raise ValueError("out of order")

    with pytest.raises(PermanentError, match="11 of 11 samples failed"):
        caption(campaign, ScriptedEngine(script), force=True, max_failure_share=0.1)
    assert words(campaign) == {"old"}


class OtherEngine(ScriptedEngine):
    name = "other"


class OtherModel(ScriptedEngine):
    model = "larger"


class OtherRevision(ScriptedEngine):
    model_revision = "2"


class UnnamedRevision(ScriptedEngine):
    model_revision = UNREPORTED


def begin(campaign):
    with pytest.raises(RetryableError):
        caption(campaign, saying("old", 8, window=1))


@pytest.mark.parametrize("other", [OtherEngine, OtherModel, OtherRevision])
def test_a_shard_begun_with_one_engine_is_not_gone_on_with_by_another(campaign, other):
    begin(campaign)
    before, engine = everything(campaign), other()
    with pytest.raises(PermanentError, match=r"single_en was begun with scripted \(preview, revi"):
        caption(campaign, engine)
    assert engine.asked == []
    assert everything(campaign) == before
    caption(campaign, engine, force=True)
    assert len(engine.asked) == IMAGES
    assert receipt(campaign).engine == engine.name


def test_the_tracks_of_a_shard_have_one_engine(campaign):
    caption(campaign, ScriptedEngine())
    with pytest.raises(PermanentError, match="cannot go on with other"):
        caption(campaign, OtherEngine(), tracks=TRACKS)


def test_a_revision_that_nobody_named_may_be_gone_on_with(campaign):
    begin(campaign)
    caption(campaign, UnnamedRevision())
    found = receipt(campaign)
    assert (found.engine, found.model_revision) == (None, None)


def test_a_receipt_names_its_engine_and_its_archive(campaign):
    caption(campaign, ScriptedEngine())
    found = receipt(campaign)
    assert (found.engine, found.model, found.model_revision) == ("scripted", "preview", "1")
    assert found.input == digest(read_receipt(campaign.store, ingest_place(SHARD)))


def set_content(campaign, content):
    place = ingest_place(SHARD)
    found = read_receipt(campaign.store, place)
    write_receipt(campaign.store, place, dataclasses.replace(found, content=content))


def test_captions_of_other_images_are_stale_until_they_are_made_again(campaign):
    set_content(campaign, "a" * 16)
    caption(campaign, saying("old"))
    set_content(campaign, "a" * 16)  # the same bytes ingested again
    assert caption(campaign, saying("old"))["captioned"] == 0
    set_content(campaign, "b" * 16)
    with pytest.raises(PermanentError, match=r"captions of single_en are stale: .* --force"):
        caption(campaign, saying("new"))
    assert words(campaign) == {"old"}
    caption(campaign, saying("new"), force=True)
    assert receipt(campaign).content == "b" * 16
    assert caption(campaign, saying("new"))["captioned"] == 0


def forget_images(campaign):
    """Make the receipt one of version 0.1.0, which does not name the images."""
    place = caption_place(campaign.name, TRACK, SHARD)
    content = json.loads(campaign.store.read(place.key))
    new = ("content", "engine", "model", "model_revision", "generation", "previous", "format")
    new = (*new, "checksum")
    for name in new:
        del content[name]
    campaign.store.write(place.key, json.dumps(content).encode())


@pytest.mark.parametrize(("first_seed", "stale"), [(1, False), (50, True)])
def test_captions_of_0_1_0_are_told_from_those_of_other_images_by_their_rows(
    campaign, first_seed, stale
):
    caption(campaign, saying("old"))
    forget_images(campaign)
    put_archive(campaign.store, first_seed)
    if stale:
        with pytest.raises(PermanentError, match="stale"):
            caption(campaign, saying("new"))
    else:
        assert caption(campaign, saying("new"))["captioned"] == 0


def test_blocks_of_other_images_under_the_same_ids_are_captioned_again(campaign):
    begin(campaign)
    put_archive(campaign.store, first_seed=50)
    engine = saying("new")
    caption(campaign, engine)
    assert len(engine.asked) == IMAGES
    assert words(campaign) == {"new"}


def test_a_shard_that_0_1_0_began_anew_is_gone_on_with_by_the_same_run(campaign):
    begin(campaign)
    place = begun_place(campaign.name, TRACK, SHARD, FIRST)
    assert place.key.endswith("/anew.json")
    write_receipt(campaign.store, place, BegunNote(run_id="monday"))
    engine = saying("old")
    caption(campaign, engine, force=True, run_id="monday")
    assert len(engine.asked) == IMAGES - 8
    assert receipt(campaign).generation == FIRST


def test_a_run_that_is_not_forced_goes_on_with_what_a_forced_one_began(campaign):
    cut_off(campaign, "new", run_id="monday")
    engine = saying("new")
    caption(campaign, engine)
    assert len(engine.asked) == IMAGES - 8
    caption(campaign, saying("new"), force=True, run_id="monday")
    assert len(begun_generations(campaign, TRACK, SHARD)) == 1


def test_a_run_that_loses_one_caption_says_so_in_the_singular(campaign):
    with pytest.raises(RetryableError, match="; lost: 1 caption of unfinished blocks; "):
        caption(campaign, saying("new", 9, window=1))


def test_a_run_that_is_cut_off_says_what_is_safe_what_is_lost_and_how_to_go_on(campaign):
    caption(campaign, saying("old"))
    with pytest.raises(RetryableError) as caught:
        caption(campaign, saying("new", 10, window=1), force=True)
    assert str(caught.value) == (
        "killed; safe: 8 of 11 captions of sa_000000 are stored; the earlier captions count until "
        "the new ones are whole; lost: 2 captions of unfinished blocks; to go on, run the same "
        "command again or clear the task"
    )


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
