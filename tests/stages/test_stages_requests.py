"""How often a stage asks the store: a thousand shards make every request a thousand."""

import pytest

from sa1b_captions import layout
from sa1b_captions.recipe import TRACKS
from sa1b_captions.shards import shard_name
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.stages.status import campaign_summary
from sa1b_captions.stages.status.status import read_status, why_release_stale
from sa1b_captions.stages.validating.validate_release import validate_release
from sa1b_captions.stages.validating.validate_shards import validate_shards
from tests.support import builders, receipts
from tests.support.counting_store import CountingStore

SHARDS = 12
KINDS = 1 + 2 * len(TRACKS) + 1
"""Receipts of a shard: of ingest, captions and curation by track, validation."""


@pytest.fixture(autouse=True)
def _few_shards_are_worth_keeping(monkeypatch):
    monkeypatch.setattr(campaign_summary, "WORTH_KEEPING", 2)


@pytest.fixture
def store(tmp_path):
    return CountingStore(tmp_path)


@pytest.fixture
def done(store):
    """A campaign of shards that are done, as far as receipts say."""
    campaign = builders.demo_campaign(store, builders.demo_recipe(shards=f"0-{SHARDS - 1}"))
    for shard in campaign.recipe.shards:
        receipts.put_ingest(store, shard)
        for track in TRACKS:
            receipts.put_caption(campaign, track, shard)
            receipts.put_curate(campaign, track, shard, accepted=1)
        receipts.put_shard_validation(campaign, shard)
    store.forget()
    return campaign


@pytest.fixture(scope="module")
def curated_root(tmp_path_factory):
    """A store of curated shards, with captions."""
    from sa1b_captions.stages.curate import curate_shard

    store = CountingStore(tmp_path_factory.mktemp("curated"))
    campaign = builders.demo_campaign(store, builders.demo_recipe(shards=f"0-{SHARDS - 1}"))
    for number, shard in enumerate(campaign.recipe.shards):
        receipts.put_ingest(store, shard)
        for track in TRACKS:
            captions = [f"{word} {number}" for word in ("One", "Two", "Three")]
            captions = [f"{caption} stones lie on a path to the sea." * 8 for caption in captions]
            table = builders.caption_rows(campaign.recipe, track, shard, captions)
            builders.put_captions(campaign, shard, track, table)
        curate_shard(campaign, shard)
    return store.root


@pytest.fixture
def curated(curated_root):
    return builders.demo_campaign(
        CountingStore(curated_root), builders.demo_recipe(shards=f"0-{SHARDS - 1}")
    )


def test_looking_again_reads_the_summary_alone(done, store):
    first = read_status(done)
    assert store.calls == {"stamps": KINDS, "read": 1 + KINDS * SHARDS, "write": 1}
    store.forget()
    assert read_status(done) == first
    assert store.calls == {"stamps": KINDS, "read": 1}


def test_a_shard_that_changed_is_read_again_and_no_other(done, store):
    read_status(done)
    receipts.put_curate(done, "multi_en", shard_name(7), accepted=1)
    store.forget()
    assert [one.shard for one in read_status(done).shards if one.stale] == [shard_name(7)]
    assert store.calls == {"stamps": KINDS, "read": 1 + KINDS}


def test_many_shards_are_asked_for_by_hundreds(store):
    campaign = builders.demo_campaign(store, builders.demo_recipe(shards="0-299"))
    store.forget()
    read_status(campaign)
    assert store.calls == {"stamps": 3 * KINDS, "read": 1, "write": 1}


def test_the_release_s_state_is_looked_up_too(done, store):
    for track in TRACKS:
        receipts.put_dedup(done, track)
    receipts.put_release_validation(done)
    store.forget()
    assert why_release_stale(done) == ""
    assert store.calls["read"] == 1 + KINDS * SHARDS + len(TRACKS) + 1
    store.forget()
    assert why_release_stale(done) == ""
    assert store.calls == {"stamps": KINDS + len(TRACKS) + 1, "read": 1}


def test_a_shard_is_validated_without_its_neighbours_receipts(curated):
    store = curated.store
    names = [shard_name(number) for number in range(SHARDS)]
    read_status(curated)
    store.forget()
    validate_shards(curated, names[:1], force=True)
    of_others = sum(n for key, n in store.reads.items() if names[0] not in key)
    # The summary, and of each neighbour the metrics of each track.
    assert of_others == 1 + (SHARDS - 1) * len(TRACKS)
    assert store.calls["read"] - of_others <= 35
    store.forget()
    validate_shards(curated, names, force=True)
    assert store.calls.total() <= SHARDS * 55
    missing = [layout.index_key(name) for name in names]
    assert [store.reads[key] for key in missing] == [1] * SHARDS


def test_a_release_asks_for_each_object_once_or_twice(curated):
    store = curated.store
    validate_shards(curated, curated.recipe.shards)
    store.forget()
    for track in TRACKS:
        dedup_track(curated, track)
    # Three receipts and two tables of each shard and track; of one track the images' hashes.
    assert store.calls["read"] <= len(TRACKS) * (SHARDS * 6 + 4)
    store.forget()
    validate_release(curated)
    assert store.calls["read"] <= SHARDS * (KINDS + len(TRACKS)) + 80
    store.forget()
    export_release(curated, "v1", allow_verdicts=["pass", "warn", "fail"])
    # Receipts once; of each shard and track two tables, what repeats within, receipt and index.
    assert store.calls["read"] <= SHARDS * (KINDS + 5 * len(TRACKS)) + 40
    # Twice each kind of receipt, and once the files of each track's only batch.
    assert store.calls["stamps"] <= 2 * (KINDS + len(TRACKS) + 1) + len(TRACKS)
