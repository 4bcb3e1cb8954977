"""Going back to the captions that counted before."""

import pytest

from sa1b_captions import generations, layout, records
from sa1b_captions.caption.resuming.track_generations import begun_generations
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.shard_freshness import read_tracks
from sa1b_captions.generations import FIRST
from sa1b_captions.receipts.receipt_files import (
    curate_place,
    read_receipt,
)
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.past_generations import drop_generations, restore_captions
from tests.support.generations import (
    IMAGES,
    OTHER,
    SHARD,
    TRACK,
    campaign_at,
    caption,
    everything,
    put_archive,
    saying,
    set_content,
    words,
)


@pytest.fixture
def campaign(tmp_path):
    return campaign_at(tmp_path)


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
