"""Each change makes stale what is behind it, and the reason names that change and no other."""

import dataclasses

import pytest

from sa1b_captions import campaign as campaigns
from sa1b_captions import layout
from sa1b_captions.campaign import open_campaign
from sa1b_captions.caption.resuming.track_generations import count, earlier, restore
from sa1b_captions.freshness.release_freshness import read_stale
from sa1b_captions.freshness.shard_freshness import read_shard
from sa1b_captions.receipts import CaptionReceipt
from sa1b_captions.receipts.receipt_files import (
    audit_place,
    caption_place,
    dedup_place,
    read_receipt,
    shard_validation_place,
    write_receipt,
)
from sa1b_captions.recipe import TRACKS
from tests.support import builders, receipts

SHARD, OTHER, TRACK = "sa_000000", "sa_000001", "single_en"
WHERE = f"{TRACK}/{SHARD}"


@pytest.fixture
def campaign(local):
    """Receipts of two shards that are done, audits included, and of the release."""
    recipe = builders.demo_recipe(audit={})
    campaign = builders.demo_campaign(local, recipe)
    for shard in recipe.shards:
        receipts.put_ingest(local, shard, content="a" * 16)
        for track in TRACKS:
            caption(campaign, track, shard, "0001", ["one"])
            curate(campaign, track, shard)
            receipts.put_audit(campaign, track, shard)
        receipts.put_shard_validation(campaign, shard)
    for track in TRACKS:
        receipts.put_dedup(campaign, track)
    receipts.put_release_validation(campaign)
    assert read_stale(campaign) == []
    return campaign


def curate(campaign, track, shard):
    receipts.put_curate(campaign, track, shard, files={"accepted.parquet": "f" * 16})


def caption(campaign, track, shard, generation, parts, **facts):
    """Let a whole generation count that has these parts."""
    receipt = CaptionReceipt(
        shard=shard,
        track=track,
        planned=4 * len(parts),
        blocks=len(parts),
        parts=parts,
        statuses={},
        recipe_fingerprint=campaign.recipe.fingerprint,
        generation=generation,
        content="a" * 16,
        **facts,
    )
    place = caption_place("test", track, shard)
    old = read_receipt(campaign.store, place)
    if old is None or old.generation == generation:
        return write_receipt(campaign.store, place, receipt)
    return count(campaign, receipt)


def caption_again(campaign):
    caption(campaign, TRACK, SHARD, "0002-hand", ["two"])


def mend(campaign):
    caption(campaign, TRACK, SHARD, "0001", ["mended"], mended=[0])


def caption_again_and_mend(campaign):
    caption(campaign, TRACK, SHARD, "0002-hand", ["two"])
    caption(campaign, TRACK, SHARD, "0002-hand", ["mended"], mended=[0])


def lose_the_receipt(campaign):
    campaign.store.delete(layout.caption_receipt_key("test", TRACK, SHARD))
    caption(campaign, TRACK, SHARD, "0001", ["one"])


def go_back(campaign):
    caption_again(campaign)
    curate(campaign, TRACK, SHARD)
    part = layout.part_key("test", TRACK, SHARD, "0001", 0)
    campaign.store.write(part, b"a part")
    restore(campaign, *earlier(campaign, TRACK, SHARD))


def pin(campaign):
    return dataclasses.replace(campaign, reference_digest="b" * 16)


def change_a_rule(campaign):
    quality = dataclasses.replace(campaign.recipe.quality, near_duplicate_jaccard=0.5)
    return dataclasses.replace(
        campaign, recipe=dataclasses.replace(campaign.recipe, quality=quality)
    )


def of_other_images(campaign):
    receipts.put_ingest(campaign.store, SHARD, content="c" * 16)


def delete(key):
    def lose(campaign):
        campaign.store.delete(key)

    lose.__name__ = f"lose {key}"
    return lose


CURATED = {
    caption_again: "the track was captioned again since",
    mend: "damaged blocks of the track were captioned again since",
    caption_again_and_mend: "the track was captioned again since",
    lose_the_receipt: "the receipt of the track's captions was written anew since",
    go_back: "earlier captions of the track were restored since",
    pin: "another reference was pinned since",
    change_a_rule: "the recipe's rules have changed since",
    of_other_images: "the captions they were made from are stale",
    delete(layout.caption_receipt_key("test", TRACK, SHARD)): (
        "the captions they were made from are gone"
    ),
}


@pytest.mark.parametrize("change", CURATED, ids=lambda change: change.__name__)
def test_curated_captions_are_stale_for_the_one_reason(campaign, change):
    campaign = change(campaign) or campaign
    assert why(campaign, f"curated captions of {WHERE}") == CURATED[change]


def test_another_version_of_the_code_is_not_called_another_rule(campaign, monkeypatch):
    monkeypatch.setattr(campaigns, "CURATION_VERSION", 99)
    reason = "this version of sa1b-captions judges otherwise"
    assert why(campaign, f"curated captions of {WHERE}") == reason


def test_an_older_receipt_is_called_stale_in_words_that_are_true_of_it(campaign):
    key = layout.curate_receipt_key("test", TRACK, SHARD)
    receipts.edit(campaign.store, key, judged_by=None, quality_fingerprint="d" * 16)
    reason = "they were judged otherwise than the recipe and this version would"
    assert why(campaign, f"curated captions of {WHERE}") == reason


def curate_again(campaign):
    curate(campaign, TRACK, SHARD)


def audit_again(campaign):
    receipts.put_audit(campaign, TRACK, SHARD)


def accept_others(campaign):
    receipts.put_curate(campaign, TRACK, SHARD, files={"accepted.parquet": "e" * 16})


def ask_otherwise(campaign):
    audit = dataclasses.replace(campaign.recipe.audit, captions_per_shard=3)
    return dataclasses.replace(campaign, recipe=dataclasses.replace(campaign.recipe, audit=audit))


def ask_nothing(campaign):
    return dataclasses.replace(campaign, recipe=dataclasses.replace(campaign.recipe, audit=None))


def validated_before(change):
    """The change, after a validation that did not see what it adds."""
    place, key = change

    def do(campaign):
        receipt = read_receipt(campaign.store, place)
        campaign.store.delete(key)
        receipts.put_shard_validation(campaign, SHARD)
        write_receipt(campaign.store, place, receipt)

    do.__name__ = f"first_{place.kind.STAGE}"
    return do


VALIDATION = {
    curate_again: f"{TRACK} was curated again since it was made",
    audit_again: f"{TRACK} was audited again since it was made",
    validated_before((audit_place("test", TRACK, SHARD), audit_place("test", TRACK, SHARD).key)): (
        f"{TRACK} was audited since it was made"
    ),
    caption_again: f"curated captions of {WHERE} are stale",
    ask_otherwise: f"answers of the audit of {WHERE} are stale",
    ask_nothing: "the recipe asks for no audit any more",
    delete(layout.curate_receipt_key("test", TRACK, SHARD)): (
        f"curated captions of {WHERE} are gone"
    ),
    delete(layout.audit_receipt_key("test", TRACK, SHARD)): (
        f"answers of the audit of {WHERE} are gone"
    ),
}


@pytest.mark.parametrize("change", VALIDATION, ids=lambda change: change.__name__)
def test_a_shards_validation_is_stale_for_the_one_reason(campaign, change):
    campaign = change(campaign) or campaign
    assert why(campaign, f"results of the validation of {SHARD}") == VALIDATION[change]


AUDIT = {
    ask_otherwise: "the recipe asks otherwise since",
    accept_others: "other captions are accepted since",
    caption_again: "the curated captions that they are about are stale",
    delete(layout.curate_receipt_key("test", TRACK, SHARD)): (
        "the curated captions that they are about are gone"
    ),
}


@pytest.mark.parametrize("change", AUDIT, ids=lambda change: change.__name__)
def test_answers_of_an_audit_are_stale_for_the_one_reason(campaign, change):
    campaign = change(campaign) or campaign
    assert why(campaign, f"answers of the audit of {WHERE}") == AUDIT[change]


DEDUP = {
    curate_again: "captions were curated again since",
    caption_again: f"curated captions of {WHERE} are stale",
    delete(layout.curate_receipt_key("test", TRACK, SHARD)): (
        f"curated captions of {WHERE} are gone"
    ),
}


@pytest.mark.parametrize("change", DEDUP, ids=lambda change: change.__name__)
def test_a_dedup_is_stale_for_the_one_reason(campaign, change):
    change(campaign)
    assert why(campaign, f"results of the dedup of {TRACK}") == DEDUP[change]


def dedup_again(campaign):
    receipts.put_dedup(campaign, TRACK)


def validate_again(campaign):
    receipts.put_shard_validation(campaign, SHARD)


def aim_higher(campaign):
    tracks = campaign.recipe.tracks
    tracks = tracks | {TRACK: dataclasses.replace(tracks[TRACK], target=1)}
    return dataclasses.replace(campaign, recipe=dataclasses.replace(campaign.recipe, tracks=tracks))


RELEASE = {
    dedup_again: "captions were deduplicated again since it was made",
    validate_again: "shards were validated again since it was made",
    aim_higher: "the recipe's targets have changed since",
    curate_again: f"results of the validation of {SHARD} are stale",
    caption_again: f"curated captions of {WHERE} are stale",
    delete(dedup_place("test", TRACK).key): f"the dedup of {TRACK} is gone",
    delete(shard_validation_place("test", SHARD).key): (
        f"results of the validation of {SHARD} are gone"
    ),
    delete(layout.curate_receipt_key("test", TRACK, SHARD)): (
        f"curated captions of {WHERE} are gone"
    ),
}


@pytest.mark.parametrize("change", RELEASE, ids=lambda change: change.__name__)
def test_the_releases_validation_is_stale_for_the_one_reason(campaign, change):
    campaign = change(campaign) or campaign
    assert why(campaign, "results of the validation of the release") == RELEASE[change]


def test_a_shard_that_never_was_validated_is_not_called_gone(campaign):
    campaign.store.delete(shard_validation_place("test", SHARD).key)
    receipts.put_release_validation(campaign)
    assert read_stale(campaign) == []
    receipts.put_shard_validation(campaign, OTHER)
    reason = "shards were validated again since it was made"
    assert why(campaign, "results of the validation of the release") == reason


def why(campaign, what):
    return {one.what: one.why for one in read_stale(campaign)}.get(what, "nothing")


def test_validations_of_before_name_what_they_can(campaign):
    key = shard_validation_place("test", SHARD).key
    receipts.edit(campaign.store, key, curated={}, audited={})
    curate_again(campaign)
    (stale,) = read_shard(campaign, SHARD).stale_validation
    assert stale.why == "what it was made of was made again since"
    caption_again(campaign)
    (stale,) = read_shard(campaign, SHARD).stale_validation
    assert stale.why == f"curated captions of {WHERE} are stale"
    assert open_campaign(campaign.store, "test").recipe.audit is not None
