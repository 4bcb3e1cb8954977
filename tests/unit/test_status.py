"""One definition of done: receipts, of the present captions, by the recipe's present rules."""

import dataclasses

import pytest

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.status import is_done, read_shard, read_status
from sa1b_captions.storage import FileStore
from tests.support import builders, receipts

SHARD = "sa_000000"


@pytest.fixture
def campaign(tmp_path):
    """One of two shards is done."""
    campaign = builders.demo_campaign(FileStore(tmp_path))
    receipts.put_ingest(campaign.store, SHARD)
    for track in TRACKS:
        receipts.put_caption(campaign, track, SHARD)
        receipts.put_curate(campaign, track, SHARD)
    receipts.put_shard_validation(campaign, SHARD)
    return campaign


def with_other_rules(campaign):
    quality = dataclasses.replace(campaign.recipe.quality, reject_share_warning=0.01)
    recipe = dataclasses.replace(campaign.recipe, quality=quality)
    source = {
        **recipe.source,
        "quality": {**recipe.source["quality"], "reject_share_warning": 0.01},
    }
    return Campaign(campaign.name, campaign.store, dataclasses.replace(recipe, source=source))


def caption_again(campaign):
    receipts.put_caption(campaign, "multi_zh", SHARD)


def curate_again(campaign):
    receipts.put_curate(campaign, "multi_zh", SHARD)


def lose_captions(campaign):
    campaign.store.delete(layout.caption_receipt_key(campaign.name, "multi_zh", SHARD))


def test_a_shard_that_is_validated_as_it_is_is_done(campaign):
    first, second = read_status(campaign).shards
    assert (first.state, first.done, first.outdated) == ("pass", True, False)
    assert (second.state, second.done, second.outdated) == ("waiting", False, False)
    assert is_done(campaign, SHARD)


@pytest.mark.parametrize(
    ("change", "step"),
    [(caption_again, "captioned"), (curate_again, "curated"), (lose_captions, "")],
)
def test_what_changed_behind_a_validation_undoes_it(campaign, change, step):
    change(campaign)
    found = read_shard(campaign, SHARD)
    assert (found.done, found.verdict, found.outdated) == (False, "", True)
    assert found.tracks["multi_zh"] == step
    assert found.tracks["single_en"] == "curated"
    assert read_status(campaign).shards[0] == found
    assert not is_done(campaign, SHARD)


def test_other_rules_undo_what_the_old_ones_judged(campaign):
    changed = with_other_rules(campaign)
    assert changed.quality_fingerprint != campaign.quality_fingerprint
    found = read_shard(changed, SHARD)
    assert (found.done, found.state, found.outdated) == (False, "captioned", True)
    assert "single_en/sa_000000 are stale: the recipe's rules have changed since" in found.summary
