"""A forced run captions beside the captions that count, which count until its own are whole."""

import pytest

from sa1b_captions import layout
from sa1b_captions.caption.resuming.track_generations import begun_generations
from sa1b_captions.errors import PermanentError, RetryableError, SettingsError
from sa1b_captions.generations import FIRST
from sa1b_captions.receipts import BegunNote
from sa1b_captions.receipts.receipt_files import (
    begun_place,
    write_receipt,
)
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.stages.past_generations import drop_generations, restore_captions
from tests.support.engines import ScriptedEngine
from tests.support.generations import (
    IMAGES,
    OTHER,
    SHARD,
    TRACK,
    begin,
    campaign_at,
    caption,
    cut_off,
    everything,
    put_archive,
    receipt,
    saying,
    words,
)


@pytest.fixture
def campaign(tmp_path):
    return campaign_at(tmp_path)


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
