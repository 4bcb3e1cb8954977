"""Audits in validations: what reports say of them, and what makes results stale."""

import dataclasses
import re

import pytest

from sa1b_captions.campaign import open_campaign
from sa1b_captions.freshness.shard_freshness import read_shard
from sa1b_captions.mark_logs import MarkLog
from sa1b_captions.marks import SentenceMark, Support
from sa1b_captions.outputs import read_answers
from sa1b_captions.receipts.findings import Verdict
from sa1b_captions.receipts.receipt_files import (
    audit_place,
    read_receipt,
    release_validation_place,
    shard_validation_place,
)
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.auditing.audit import audit_shards
from sa1b_captions.stages.calibrate import calibrate
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.stages.status.status import is_done, read_status
from sa1b_captions.stages.validating.validate_release import validate_release
from sa1b_captions.stages.validating.validate_shards import validate_shards
from tests.support import builders
from tests.support.audited import SHARD, THINGS, audited_recipe_campaign, judge
from tests.support.planted_falsehoods import plant


@pytest.fixture
def world():
    return plant(24, 0.0)


@pytest.fixture
def campaign(tmp_path, world):
    return audited_recipe_campaign(tmp_path, world)


def page(campaign, validation):
    return campaign.store.read(validation.report).decode()


def shard_validation(campaign):
    return read_receipt(campaign.store, shard_validation_place(campaign.name, SHARD))


def release_validation(campaign):
    return read_receipt(campaign.store, release_validation_place(campaign.name))


def test_the_report_of_a_shard_marks_the_refused_sentences(campaign, world):
    validate_shards(campaign, [SHARD])
    assert "Not audited yet" in page(campaign, shard_validation(campaign))
    assert not is_done(campaign, SHARD)
    audit_shards(campaign, [SHARD], judge())
    (stale,) = read_shard(campaign, SHARD).stale
    assert "audited since" in stale.why
    assert validate_shards(campaign, [SHARD])["validated"] == [SHARD]
    assert is_done(campaign, SHARD)
    assert validate_shards(campaign, [SHARD])["up_to_date"] == [SHARD]
    html = page(campaign, shard_validation(campaign))
    assert 'id="faithfulness"' in html
    assert "Uncalibrated: nobody has marked" in html
    assert "The model judges its own captions" in html
    marked = re.findall("<mark>(.*?)</mark>", html)
    assert 0 < len(marked) <= 8
    assert all(re.search(THINGS, sentence) for sentence in marked)
    said = " ".join(world.captions.values())
    assert all(sentence in said for sentence in marked)
    assert read_status(campaign).shards[0].done


def test_without_the_section_reports_say_nothing_of_audits(campaign):
    plain = dataclasses.replace(campaign, recipe=dataclasses.replace(campaign.recipe, audit=None))
    audit_shards(campaign, [SHARD], judge())
    validate_shards(plain, [SHARD])
    assert "aithfulness" not in page(plain, shard_validation(plain))
    assert is_done(plain, SHARD)
    (stale,) = read_shard(campaign, SHARD).stale
    assert "validation" in stale.what


def release(campaign):
    for track in TRACKS:
        dedup_track(campaign, track)
    return validate_release(campaign)


def test_marks_that_come_later_correct_the_shares_of_the_release(campaign):
    audit_shards(campaign, [SHARD], judge())
    validate_shards(campaign, [SHARD])
    release(campaign)
    found = release_validation(campaign).audit
    assert set(found.tracks) == set(TRACKS)
    assert found.shards == 1
    assert found.everything.corrected is None
    audit = read_receipt(campaign.store, audit_place(campaign.name, "single_en", SHARD))
    log = MarkLog(campaign.store, campaign.name)
    for row in read_answers(campaign, audit).to_pylist():
        log.add(
            SentenceMark(
                sample_id=row["sample_id"],
                text_xxh3=row["text_xxh3"],
                sentence=row["sentence"],
                supported=Support.YES,
                who="ada",
                draw="d",
            )
        )
    release(campaign)
    after = release_validation(campaign)
    assert after.audit.everything.quality.precision.value == 0.0
    assert after.audit.everything.corrected.value == 0.0
    assert "Corrected by 96 marks of 1 person" in page(campaign, after)
    release(campaign)
    assert release_validation(campaign).id == after.id, "nothing changed"


def test_a_shard_is_measured_against_the_reference_by_the_same_judge(campaign):
    source = dict(campaign.recipe.source)
    source["quality"] = source["quality"] | {"health": {"reference_rows": 3}}
    audit_shards(campaign, [SHARD], judge("nothing at all"))
    lax = builders.demo_recipe(**{k: source[k] for k in ("shards", "audit", "quality")})
    campaign = dataclasses.replace(campaign, recipe=lax)
    curate_shard(campaign, SHARD)
    calibrate(campaign, [SHARD], tracks=["single_en"], pin=True)
    campaign = open_campaign(campaign.store, campaign.name, lax)
    curate_shard(campaign, SHARD)
    audit_shards(campaign, [SHARD], judge("beside"), force=True)
    validate_shards(campaign, [SHARD])
    found = shard_validation(campaign)
    measures = {one.name: one for one in found.health["single_en"]}
    assert measures["unsupported"].value > 0.9
    assert measures["unsupported"].severity == "critical"
    assert found.verdict is Verdict.FAIL
