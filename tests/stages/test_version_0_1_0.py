"""What version 0.1.0 stored is read by this one; it is judged by newer rules, and no more."""

import json
import shutil

import pytest

from sa1b_captions.campaign import open_campaign
from sa1b_captions.receipts import Occupancy
from sa1b_captions.receipts.receipt_files import caption_place, dedup_place, digest, read_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.stages.ingesting.drop import drop_shards, is_dropped
from sa1b_captions.stages.ingesting.ingest import ingest_shard
from sa1b_captions.stages.status.status import is_done, read_status
from sa1b_captions.stages.validating.validate_release import validate_release
from sa1b_captions.stages.validating.validate_shards import validate_shards
from sa1b_captions.storage import FileStore
from tests.support import version_0_1_0
from tests.support.version_0_1_0 import SHARDS


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The store, made once."""
    root = tmp_path_factory.mktemp("version_0_1_0")
    version_0_1_0.put_store(FileStore(root))
    return root


@pytest.fixture
def campaign(stored, tmp_path):
    """The campaign in a copy of the store."""
    shutil.copytree(stored, tmp_path / "store")
    return open_campaign(FileStore(tmp_path / "store"), "test")


@pytest.fixture(scope="module")
def judged_anew(stored, tmp_path_factory):
    """The same, judged by the present rules once."""
    root = tmp_path_factory.mktemp("judged_anew")
    shutil.copytree(stored, root, dirs_exist_ok=True)
    campaign = open_campaign(FileStore(root), "test")
    for shard in SHARDS:
        curate_shard(campaign, shard)
    validate_shards(campaign, SHARDS)
    for track in TRACKS:
        dedup_track(campaign, track)
    validate_release(campaign)
    return root


@pytest.fixture
def judged(judged_anew, tmp_path):
    """The campaign in a copy of that."""
    shutil.copytree(judged_anew, tmp_path / "judged")
    return open_campaign(FileStore(tmp_path / "judged"), "test")


def content(campaign):
    return {key: campaign.store.read(key) for key in campaign.store.list("")}


def no_engine():
    raise AssertionError("the model was loaded for nothing")


def test_the_stored_recipe_has_the_fingerprints_it_had(campaign):
    assert campaign.recipe.fingerprint == version_0_1_0.RECIPE_FINGERPRINT
    assert campaign.quality_fingerprint != version_0_1_0.QUALITY_FINGERPRINT


def test_newer_rules_take_no_caption_and_no_archive_anew(campaign, judged):
    before, after = content(campaign), content(judged)
    assert {key for key in before if "/curated/" not in key} <= set(after)
    kept = [key for key in before if key.startswith("shards/") or "/captions/" in key]
    assert kept
    assert all(after[key] == before[key] for key in kept)


def test_every_shard_is_done(judged):
    campaign = judged
    statuses = read_status(campaign).shards
    assert [(one.shard, one.state, one.done) for one in statuses] == [
        ("sa_000000", "pass", True),
        ("sa_000001", "pass", True),
    ]
    assert all(is_done(campaign, shard) for shard in SHARDS)


def test_no_stage_does_anything_again(judged):
    campaign = judged
    before = content(campaign)
    for shard in SHARDS:
        ingest_shard(campaign.store, shard, {}, expected_md5="0" * 32)
    found = caption_shards(campaign, SHARDS, no_engine)
    assert [found[shard]["captioned"] for shard in SHARDS] == [0, 0]
    for shard in SHARDS:
        curate_shard(campaign, shard)
    assert validate_shards(campaign, SHARDS)["up_to_date"] == list(SHARDS)
    for track in TRACKS:
        dedup_track(campaign, track)
    assert validate_release(campaign)["verdict"] == "pass"
    assert content(campaign) == before


def test_a_release_is_made_of_it(judged):
    rows = export_release(judged, "v1")["rows"]
    assert list(rows.values()) == [16, 6, 6, 6]


def test_its_archives_can_be_dropped(judged):
    campaign = judged
    assert drop_shards(campaign, SHARDS)["dropped"] == list(SHARDS)
    assert all(is_dropped(campaign, shard) for shard in SHARDS)


@pytest.mark.parametrize("track", TRACKS)
def test_a_track_that_it_deduplicated_is_read_as_one_where_nothing_was_counted(campaign, track):
    receipt = read_receipt(campaign.store, dedup_place(campaign.name, track))
    assert receipt.candidate_pairs == 10
    assert receipt.alike == []


def test_a_receipt_that_it_wrote_has_the_digest_that_it_computed(campaign):
    place = caption_place("test", "single_en", "sa_000000")
    text = json.dumps(version_0_1_0.CAPTION_RECEIPT, ensure_ascii=False, indent=1)
    campaign.store.write(place.key, text.encode())
    receipt = read_receipt(campaign.store, place)
    assert digest(receipt) == version_0_1_0.CAPTION_DIGEST
    assert receipt.occupancy == Occupancy()
    assert receipt.stored["efficiency"] == 0.656
