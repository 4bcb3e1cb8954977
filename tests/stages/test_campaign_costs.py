"""What the forecast takes from a store."""

import dataclasses

import pytest

from sa1b_captions.costs.forecast import Terms
from sa1b_captions.receipts.receipt_files import caption_place, require_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.stages.status.campaign_costs import forecast_campaign, see
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.engines import ScriptedEngine

TERMS = Terms(profile="h100x4", nodes=2, price_per_gpu_hour=2.0)


@pytest.fixture
def campaign(tmp_path):
    """Three shards, two of which are ingested: photographs of 3:2, and of 4:3."""
    store = FileStore(tmp_path)
    for number, size in ((0, (96, 64)), (1, (128, 96))):
        ids = range(100 * number + 1, 100 * number + 9)
        jpegs = {n: builders.make_jpeg(n, size) for n in ids}
        builders.put_shard(store, f"sa_{number:06d}", jpegs, size)
    return builders.demo_campaign(store, builders.demo_recipe(shards="0-2"))


def caption(campaign, shards, profile):
    caption_shards(campaign, shards, ScriptedEngine, profile=profile)


def test_sizes_come_from_the_indexes_and_receipts_of_ingested_shards(campaign):
    seen = see(campaign, "h100x4")
    assert seen.shards == 3
    assert seen.mix.images == 8
    assert seen.mix.tiles == pytest.approx((7 + 13) / 2)
    assert seen.numbers["megabytes_per_image"].kind == "measured"
    assert seen.seconds == ()


def test_speed_and_load_come_from_shards_that_pods_of_the_profile_captioned(campaign):
    caption(campaign, ["sa_000000", "sa_000001"], "h100x4")
    seen = see(campaign, "h100x4")
    assert seen.shards == 1
    assert len(seen.seconds) == 2
    assert min(seen.seconds) > 0
    assert seen.numbers["load_min"].source == "1 caption receipt of this campaign's store"
    found = forecast_campaign(campaign, TERMS)
    assert found.work.shards == 1
    assert found.speed.kind == "measured"


def test_other_profiles_and_no_pod_tell_nothing(campaign):
    caption(campaign, ["sa_000000"], "a100x4")
    caption(campaign, ["sa_000001"], None)
    assert see(campaign, "h100x4").seconds == ()


def test_a_run_that_captioned_a_part_tells_nothing(campaign):
    caption_shards(campaign, ["sa_000000"], ScriptedEngine, tracks=["single_en"], profile="h100x4")
    caption_shards(campaign, ["sa_000000"], ScriptedEngine, profile="h100x4")
    assert see(campaign, "h100x4").seconds == ()


def test_a_campaign_that_is_captioned_has_nothing_left_to_foretell(campaign):
    ready = dataclasses.replace(campaign, recipe=builders.demo_recipe(shards="0-1"))
    caption(ready, ["sa_000000", "sa_000001"], "h100x4")
    assert forecast_campaign(ready, TERMS) is None


def test_the_receipts_of_a_shard_tell_the_pace_of_the_run(campaign):
    caption(campaign, ["sa_000000", "sa_000001"], "h100x4")
    places = [caption_place("test", track, "sa_000000") for track in TRACKS]
    (pace,) = {require_receipt(campaign.store, place).pace for place in places}
    assert pace.samples == 8 + 3 + 3 + 3
    assert pace.images > pace.samples
    assert pace.load_s is not None
    second = require_receipt(campaign.store, caption_place("test", "single_en", "sa_000001"))
    assert second.pace.load_s is None
