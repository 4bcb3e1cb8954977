"""One definition of done: receipts, of the present captions, by the recipe's present rules."""

import dataclasses
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sa1b_captions import checked_json, layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.shard_freshness import receipt_keys
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.status import campaign_summary
from sa1b_captions.stages.status.status import is_done, read_shard, read_status
from sa1b_captions.storage import FileStore
from tests.support import builders, receipts
from tests.support.faulty_store import FaultyStore, faults, survived

SHARD = "sa_000000"


@pytest.fixture(autouse=True)
def _two_shards_are_worth_keeping(monkeypatch):
    monkeypatch.setattr(campaign_summary, "WORTH_KEEPING", 1)


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


SUMMARIES = [
    b"",
    b"[]",
    b'{"sa_000000": 3}',
    b'{"sa_000000": {"mark": "", "found": {"shard": "sa_000000"}}}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("content", SUMMARIES)
def test_a_summary_that_is_damaged_is_made_again(campaign, content):
    before = read_status(campaign)
    whole = campaign.store.read(layout.summary_key(campaign.name))
    campaign.store.write(layout.summary_key(campaign.name), content)
    assert read_status(campaign) == before
    assert json.loads(campaign.store.read(layout.summary_key(campaign.name))) == json.loads(whole)


def test_a_field_of_the_summary_that_does_not_fit_is_read_from_receipts(campaign):
    before, key = read_status(campaign), layout.summary_key(campaign.name)
    content = json.loads(campaign.store.read(key))
    content[SHARD]["found"]["tracks"] = "all"
    campaign.store.write(key, checked_json.render(content))
    assert read_status(campaign) == before


@pytest.mark.parametrize("checksum", [True, False], ids=["flipped", "of an older version"])
def test_a_summary_is_believed_only_where_its_checksum_shows_what_was_written(campaign, checksum):
    before, key = read_status(campaign), layout.summary_key(campaign.name)
    content = json.loads(campaign.store.read(key))
    content[SHARD]["found"]["ingested"] = not content[SHARD]["found"]["ingested"]
    if not checksum:
        del content[checked_json.CHECKSUM]
    campaign.store.write(key, json.dumps(content).encode())
    assert read_status(campaign) == before


def test_who_may_not_write_sees_the_same(campaign):
    class ReadOnlyStore(FileStore):
        def write(self, key, data):
            raise PermanentError("no permission")

    looking = dataclasses.replace(campaign, store=ReadOnlyStore(campaign.store.root))
    assert read_status(looking) == read_status(campaign)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_happens_to_receipts_and_summary_the_status_is_that_of_the_receipts(
    campaign, data
):
    """Receipts come, go and come back; summaries of before come back; looks are cut off."""
    shards = campaign.recipe.shards
    keys = [key for shard in shards for key in receipt_keys(campaign, shard)]
    kept = {key: campaign.store.read(key) for key in campaign.store.list("")}
    for _ in range(data.draw(st.integers(1, 6))):
        key = data.draw(st.sampled_from([*keys, layout.summary_key(campaign.name)]))
        act = data.draw(st.sampled_from(["delete", "restore", "again", "cut off", "look"]))
        if act == "delete":
            campaign.store.delete(key)
        elif act == "restore" and key in kept:
            campaign.store.write(key, kept[key])
        elif act == "again":
            track, shard = data.draw(st.sampled_from(TRACKS)), data.draw(st.sampled_from(shards))
            receipts.put_caption(campaign, track, shard)
            receipts.put_curate(campaign, track, shard, accepted=data.draw(st.integers(0, 9)))
        elif act == "cut off":
            fault = data.draw(faults(30))
            with survived():
                store = FaultyStore(campaign.store, fault)
                read_status(dataclasses.replace(campaign, store=store))
        found = read_status(campaign).shards
        assert found == [read_shard(campaign, shard) for shard in shards]
        kept |= {key: campaign.store.read(key) for key in campaign.store.list("")}


def test_other_rules_undo_what_the_old_ones_judged(campaign):
    changed = with_other_rules(campaign)
    assert changed.quality_fingerprint != campaign.quality_fingerprint
    found = read_shard(changed, SHARD)
    assert (found.done, found.state, found.outdated) == (False, "captioned", True)
    assert "single_en/sa_000000 are stale: the recipe's rules have changed since" in found.summary
