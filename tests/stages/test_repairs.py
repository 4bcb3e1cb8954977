"""Repairs on their way into reports and releases."""

import io
import json

import pyarrow.parquet as pq
import pytest

from sa1b_captions.freshness.audits import audit_fingerprint
from sa1b_captions.mark_logs import MarkLog
from sa1b_captions.marks import SentenceMark, Support
from sa1b_captions.outputs import read_answers
from sa1b_captions.receipts.receipt_files import audit_place, read_receipt, release_validation_place
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.auditing.audit import audit_shards
from sa1b_captions.stages.auditing.repairs import find_repairs
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.stages.validating.validate_release import validate_release
from sa1b_captions.stages.validating.validate_shards import validate_shards
from tests.support import builders
from tests.support.audited import SHARD, audited_recipe_campaign, judge
from tests.support.planted_falsehoods import plant

SURE = {"repair": True, "repair_confidence": 0.9}


@pytest.fixture
def world():
    return plant(20, 0.0)


def image_of(row):
    return int(row["sample_id"].rpartition("/")[2])


def audit_of(campaign, track="single_en"):
    return read_receipt(campaign.store, audit_place(campaign.name, track, SHARD))


def released(campaign):
    """The release's card, its single_en captions by image, and their provenance."""
    validate_shards(campaign, [SHARD])
    for track in TRACKS:
        dedup_track(campaign, track)
    validate_release(campaign)
    export_release(campaign, "v1", allow_verdicts=("pass", "warn"))
    root = campaign.store
    lines = root.read("releases/v1/test_single_en.jsonl").decode().splitlines()
    texts = {
        int(row["image"].rpartition("_")[2].removesuffix(".jpg")): row["conversations"][1]["value"]
        for row in map(json.loads, lines)
    }
    (key,) = (k for k in root.list("releases/v1/provenance/single_en/") if k.endswith(".parquet"))
    return (
        root.read("releases/v1/README.md").decode(),
        texts,
        pq.read_table(io.BytesIO(root.read(key))),
    )


def test_a_release_leaves_out_what_the_judge_is_sure_not_to_find(tmp_path, world):
    campaign = audited_recipe_campaign(tmp_path, world, **SURE)
    audit_shards(campaign, [SHARD], judge("umbrella", sure=0.97))
    rows = read_answers(campaign, audit_of(campaign)).to_pylist()
    gone = next(
        row
        for row in rows
        if row["answer"] == "no" and world.captions[image_of(row)].count("umbrella") == 1
    )
    MarkLog(campaign.store, campaign.name).add(
        SentenceMark(
            sample_id=gone["sample_id"],
            text_xxh3=gone["text_xxh3"],
            sentence=gone["sentence"],
            supported=Support.YES,
            who="ada",
        )
    )
    card, texts, provenance = released(campaign)
    originals = provenance.column("original_caption").to_pylist()
    shorter = 0
    for place, (image, text) in enumerate(texts.items()):
        whole = world.captions[image]
        once = whole.count("umbrella") == 1  # without two sentences it would be too short
        shorter += once
        assert originals[place] == (whole if once else None)
        assert "umbrella" not in text if once else text == whole
    repairs = (
        read_receipt(campaign.store, release_validation_place(campaign.name))
        .audit.tracks["single_en"]
        .repairs
    )
    assert repairs.captions == repairs.sentences == shorter > 0
    assert repairs.kept == sum(text.count("umbrella") > 1 for text in world.captions.values())
    assert repairs.chars_after < repairs.chars_before
    assert (repairs.marked_true, repairs.marked_false) == (1, 0)
    assert "`original_caption` in the provenance" in card


def test_without_repair_releases_are_as_they_were(tmp_path, world):
    campaign = audited_recipe_campaign(tmp_path, world)
    audit_shards(campaign, [SHARD], judge("umbrella", sure=0.97))
    _, texts, provenance = released(campaign)
    assert texts == world.captions
    assert "original_caption" not in provenance.column_names


def test_a_caption_of_which_too_little_would_be_left_stays_whole(tmp_path, world):
    campaign = audited_recipe_campaign(tmp_path, world, **SURE)
    audit_shards(campaign, [SHARD], judge("Right beside", sure=0.97))
    found = find_repairs(campaign, audit_of(campaign))
    assert (found.texts, found.kept) == ({}, 20)


def test_repair_asks_nothing_anew():
    plain, repairs = builders.demo_recipe(audit={}), builders.demo_recipe(audit=SURE)
    assert audit_fingerprint(plain) == audit_fingerprint(repairs)
    assert plain.fingerprint == repairs.fingerprint
    assert (plain.repairs, repairs.repairs) == (False, True)
