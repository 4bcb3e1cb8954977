"""Imports Great Expectations: some seconds, once."""

import contextlib
import dataclasses
import json
import random
import shutil

import pytest

from sa1b_captions import layout, records
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.quality import checks
from sa1b_captions.receipts import Occupancy
from sa1b_captions.receipts.receipt_files import (
    caption_place,
    read_receipt,
    run_summary_place,
    shard_validation_place,
    write_receipt,
)
from sa1b_captions.recipe import TRACKS
from sa1b_captions.shards import shard_name
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.stages.validating.validate_release import validate_release
from sa1b_captions.stages.validating.validate_shards import validate_shards
from sa1b_captions.stages.validating.validations import of_release, of_shard, read_history
from sa1b_captions.storage import FileStore
from tests.support import builders, receipts

ENGLISH = "A red kettle stands on a wooden table beside a white cup. " * 5
CHINESE = "一只红色的水壶放在木桌上，旁边有一只白色的杯子。" * 4


@pytest.fixture
def campaign(tmp_path):
    return builders.demo_campaign(FileStore(tmp_path))


def put(campaign, number, tracks=TRACKS, rows=2):
    """Curate a shard of fit captions, unlike any other shard's."""
    shard = campaign.recipe.shards[number]
    for track in tracks:
        text = ENGLISH if campaign.recipe.tracks[track].language == "en" else CHINESE
        texts = [f"{text}{number} {row}" for row in range(rows)]
        first = 1 + number * 100
        table = builders.caption_rows(campaign.recipe, track, shard, texts, first)
        builders.put_captions(campaign, shard, track, table)
    curate_shard(campaign, shard, tracks=tracks, run_id=f"{shard}'s")
    return shard


def result(campaign, shard):
    return read_receipt(campaign.store, shard_validation_place(campaign.name, shard))


def test_a_shard_is_validated_once_until_it_is_curated_again(campaign):
    shard = put(campaign, 0)
    first = validate_shards(campaign, [shard, "sa_000001"], run_id="first")
    assert first["validated"] == [shard]
    why = {"why": "single_en: not captioned yet", "begin": "ingest"}
    assert first["not_curated"] == {"sa_000001": why}
    assert first["verdicts"] == {shard: "pass"}
    assert first["shards"][shard] | {"report": ""} == {
        "verdict": "pass",
        "planned": 8,
        "accepted": 8,
        "rejected": 0,
        "checks_failed": 0,
        "complete": True,
        "tracks": dict.fromkeys(TRACKS, f"{shard}'s"),
        "report": "",
        "run_id": "first",
    }
    second = validate_shards(campaign, [shard], run_id="second")
    assert (second["validated"], second["up_to_date"]) == ([], [shard])
    assert second["shards"][shard]["run_id"] == "first"
    put(campaign, 0, tracks=["single_en"], rows=3)
    assert validate_shards(campaign, [shard], run_id="third")["shards"][shard]["planned"] == 9


def test_a_shard_unlike_its_neighbours_warns_with_the_numbers(tmp_path):
    """As when the model degraded on one node: every caption passes the rules, but all are short."""
    recipe = dataclasses.replace(
        builders.demo_recipe(), shards=tuple(shard_name(n) for n in range(7))
    )
    campaign = builders.demo_campaign(FileStore(tmp_path), recipe)
    rng = random.Random(1)
    for number, shard in enumerate(recipe.shards):
        longest = 220 if number == 6 else 300
        texts = [
            f"The {rng.getrandbits(4 * rng.randint(150, longest)):x} is on the table. " * 2
            for _ in range(200)
        ]
        table = builders.caption_rows(recipe, "single_en", shard, texts, 1 + 1000 * number)
        builders.put_captions(campaign, shard, "single_en", table)
        curate_shard(campaign, shard, tracks=["single_en"])
    found = validate_shards(campaign, ["sa_000003", "sa_000006"])["verdicts"]
    assert found == {"sa_000003": "pass", "sa_000006": "warn"}
    stored = result(campaign, "sa_000006")
    (ks,) = [m for m in stored.health["single_en"] if m.name == "ks_distance"]
    assert ks.against == "neighbours"
    assert ks.value > ks.warning > 0.05
    failed = {c.name for c in stored.checks["single_en"] if not c.success}
    assert "health_ks_distance_neighbours_warning" in failed
    page = campaign.store.read(stored.report).decode()
    assert f"{ks.value:.3f}" in page
    assert "no reference is pinned" in page


def test_a_result_has_its_checks_and_its_report(campaign):
    shard = put(campaign, 0, tracks=["single_en", "multi_zh"])
    validate_shards(campaign, [shard])
    found = result(campaign, shard)
    assert (found.verdict, found.complete) == ("pass", False)
    assert list(found.checks) == list(found.counts) == ["single_en", "multi_zh"]
    assert {check.severity for check in found.checks["multi_zh"]} == {
        "critical",
        "warning",
        "info",
    }
    assert campaign.store.read(found.report).startswith(b"<!doctype html>")
    assert ENGLISH[:40] not in json.dumps(found.stored)


def test_force_validates_again(campaign):
    shard = put(campaign, 0, tracks=["single_en"])
    validate_shards(campaign, [shard])
    assert validate_shards(campaign, [shard], force=True)["validated"] == [shard]


def test_a_run_lists_its_shards(campaign):
    put(campaign, 0, tracks=["single_en"])
    put(campaign, 1, tracks=["single_en"])
    validate_shards(campaign, ["sa_000000"], run_id="first")
    validate_shards(campaign, campaign.recipe.shards, run_id="second")
    summary = json.loads(campaign.store.read(layout.run_summary_key(campaign.name, "second")))
    assert summary["run_id"] == "second"
    assert {s: found["run_id"] for s, found in summary["shards"].items()} == {
        "sa_000000": "first",
        "sa_000001": "second",
    }


def test_a_crashed_check_is_retried_and_spares_the_other_shards(campaign):
    put(campaign, 0, tracks=["single_zh"])
    put(campaign, 1, tracks=["single_zh"])
    key = layout.curated_key(campaign.name, "single_zh", "sa_000000", "features.parquet")
    schema = records.FEATURE_SCHEMA.remove(records.FEATURE_SCHEMA.get_field_index("reasons"))
    table = records.read_table(campaign.store, key).drop_columns(["reasons"])
    records.write_table(campaign.store, key, table, schema)
    place = layout.curate_receipt_key(campaign.name, "single_zh", "sa_000000")
    receipts.edit(campaign.store, place, files={})  # as 0.1.0's
    with pytest.raises(RetryableError, match="single_zh/sa_000000: 2 checks crashed"):
        validate_shards(campaign, campaign.recipe.shards, run_id="run")
    assert result(campaign, "sa_000000") is None
    assert result(campaign, "sa_000001").verdict == "pass"


@pytest.fixture(scope="module")
def curated_root(tmp_path_factory):
    campaign = builders.demo_campaign(FileStore(tmp_path_factory.mktemp("curated")))
    for number in (0, 1):
        put(campaign, number)
    for track in TRACKS:
        dedup_track(campaign, track)
    return campaign.store.root


@pytest.fixture(scope="module")
def validated_root(curated_root, tmp_path_factory):
    root = tmp_path_factory.mktemp("validated") / "store"
    shutil.copytree(curated_root, root)
    campaign = builders.demo_campaign(FileStore(root))
    validate_shards(campaign, campaign.recipe.shards)
    return root


@pytest.fixture
def curated(curated_root, local):
    """Both shards curated and compared, none validated."""
    shutil.copytree(curated_root, local.root)
    return builders.demo_campaign(local)


@pytest.fixture
def validated(validated_root, local):
    """Both shards validated as well."""
    shutil.copytree(validated_root, local.root)
    return builders.demo_campaign(local)


def test_a_release_passes_when_every_shard_does(curated):
    assert validate_release(curated)["checks_failed"] == ["shards_valid"]
    validate_shards(curated, curated.recipe.shards)
    found = validate_release(curated, run_id="first")
    assert (found["verdict"], found["warnings"]) == ("pass", [])
    assert found["checks_failed"] == []
    assert found["remarks"] == ["health_judged"]  # two shards say nothing about each other
    assert found["tracks"]["single_en"] == {
        "planned": 4,
        "rejected": 0,
        "duplicates": 0,
        "released": 4,
    }
    assert curated.store.read(found["report"]).startswith(b"<!doctype html>")
    assert validate_release(curated, run_id="second")["run_id"] == "first"
    assert validate_release(curated, run_id="third", force=True)["run_id"] == "third"

    put(curated, 1, tracks=["single_en"], rows=3)
    dedup_track(curated, "single_en")
    outdated = validate_release(curated)
    assert outdated["verdict"] == "fail"
    assert outdated["checks_failed"] == ["shards_valid"]


def test_a_starving_engine_is_remarked_on_in_both_reports(curated):
    campaign = curated
    for shard in campaign.recipe.shards:
        place = caption_place(campaign.name, "single_en", shard)
        receipt = read_receipt(campaign.store, place)
        starved = dataclasses.replace(receipt, occupancy=Occupancy(0.62, 500))
        write_receipt(campaign.store, place, starved)
        curate_shard(campaign, shard, tracks=["single_en"])
    entry = validate_shards(campaign, campaign.recipe.shards)["shards"][campaign.recipe.shards[0]]
    assert entry["checks_failed"] == 0  # a remark is no failed check
    found = result(campaign, campaign.recipe.shards[0])
    assert (found.verdict, found.occupancy["single_en"].share) == ("pass", 0.62)
    (remark,) = [check for check in found.checks["single_en"] if not check.success]
    assert (remark.severity, remark.observed) == ("info", "0.62")
    dedup_track(campaign, "single_en")
    found = validate_release(campaign)
    assert "engine_fed" in found["remarks"]
    page = campaign.store.read(found["report"]).decode()
    assert "Lowest 0.62, median 0.62 over 2 shards; 2 under 0.9." in page


def test_a_warning_about_what_is_left_out_names_the_tracks(campaign):
    quality = json.loads(json.dumps(campaign.recipe.source["quality"]))
    recipe = builders.demo_recipe(quality=quality | {"reject_share_warning": 0.2})
    campaign = builders.demo_campaign(campaign.store, recipe)
    for number in (0, 1):
        put(campaign, number)
    texts = [f"{CHINESE}{row}" for row in range(3)] + ["", ""]
    table = builders.caption_rows(recipe, "multi_zh", "sa_000001", texts, 101)
    builders.put_captions(campaign, "sa_000001", "multi_zh", table)
    curate_shard(campaign, "sa_000001")
    for track in TRACKS:
        dedup_track(campaign, track)
    warnings = validate_release(campaign)["warnings"]
    left_out = "At most 20% of any track are left out, rejected or duplicate"
    assert f"{left_out}; found: multi_zh 28.6%" in warnings


def with_target(campaign, target):
    """The campaign as it is opened with a recipe whose English track has a target."""
    tracks = json.loads(json.dumps(campaign.recipe.source["tracks"]))
    tracks["single_en"]["target"] = target
    recipe = builders.demo_recipe(tracks=tracks, shards=campaign.recipe.source["shards"])
    return builders.demo_campaign(campaign.store, recipe)


def test_a_target_that_is_not_reached_fails_a_release_that_had_passed(validated):
    assert validate_release(validated)["verdict"] == "pass"
    assert validate_release(with_target(validated, 4))["verdict"] == "pass"
    short = validate_release(with_target(validated, 5))
    assert (short["verdict"], short["checks_failed"][-1]) == ("fail", "target_single_en")


def test_a_shard_warns_when_a_target_is_out_of_reach_with_shards_like_it(tmp_path):
    campaign = builders.demo_campaign(FileStore(tmp_path), builders.demo_recipe(shards="0-9"))
    for number in range(6):
        put(campaign, number, tracks=["single_en"])
    for target, verdict in ((20, "pass"), (21, "warn")):
        wanting = with_target(campaign, target)
        validate_shards(wanting, ["sa_000004"], force=True)
        found = result(wanting, "sa_000004")
        assert found.verdict == verdict
        checks = {check.name: check for check in found.checks["single_en"]}
        assert checks["target_in_reach"].observed == "20 (20 to 20)"


def test_a_release_names_the_step_it_lacks(curated):
    put(curated, 1, rows=3)
    why = "single_en: the dedup is stale: captions were curated again since; run"
    with pytest.raises(PermanentError, match=why):
        validate_release(curated)
    curated.store.delete(layout.dedup_receipt_key(curated.name, "single_en"))
    with pytest.raises(PermanentError, match="dedup of single_en has not finished"):
        validate_release(curated)
    curated.store.delete(layout.curate_receipt_key(curated.name, "single_zh", "sa_000000"))
    with pytest.raises(PermanentError, match=r"1 of 2 shards must be curated .*0: not curated"):
        validate_release(curated)


def test_every_validation_of_a_shard_is_kept_with_its_own_report(campaign):
    shard = put(campaign, 0, tracks=["single_en"])
    validate_shards(campaign, [shard], run_id="first")
    first = result(campaign, shard)
    page = campaign.store.read(first.report)
    put(campaign, 0, tracks=["single_en"], rows=3)
    validate_shards(campaign, [shard], run_id="second")
    second = result(campaign, shard)
    assert second.report != first.report
    assert campaign.store.read(first.report) == page
    history = read_history(campaign, of_shard(campaign, shard))
    assert {one.run_id: one for one in history.values()} == {"first": first, "second": second}
    summary = read_receipt(campaign.store, run_summary_place(campaign.name, "first"))
    assert summary.shards[shard].report == first.report


def test_a_validation_that_a_retry_does_again_is_one_validation(campaign):
    shard = put(campaign, 0, tracks=["single_en"])
    for _ in range(2):
        validate_shards(campaign, [shard], run_id="run", force=True)
    assert len(read_history(campaign, of_shard(campaign, shard))) == 1


def test_what_version_0_1_0_validated_is_kept_when_it_is_validated_again(campaign):
    shard = put(campaign, 0, tracks=["single_en"])
    validate_shards(campaign, [shard], run_id="old")
    old = result(campaign, shard)
    place = shard_validation_place(campaign.name, shard)
    key = place.key.replace(".json", ".html")
    campaign.store.write(key, b"<h1>old</h1>")
    for kept in list(campaign.store.list(layout.validation_history_prefix(campaign.name, shard))):
        campaign.store.delete(kept)
    write_receipt(campaign.store, place, dataclasses.replace(old, report=key))
    history = read_history(campaign, of_shard(campaign, shard))
    assert [one.report for one in history.values()] == [key]

    validate_shards(campaign, [shard], run_id="new", force=True)
    history = read_history(campaign, of_shard(campaign, shard))
    assert {one.run_id for one in history.values()} == {"old", "new"}
    assert campaign.store.read(history[shard].report) == b"<h1>old</h1>"


def test_a_run_of_the_release_names_the_report_that_it_saw(validated):
    def report(run_id):
        return read_receipt(validated.store, run_summary_place(validated.name, run_id)).release

    validate_release(validated, run_id="first")
    validate_release(validated, run_id="same")
    validate_release(validated, run_id="later", force=True)
    assert report("first") == report("same") != report("later")
    assert len(read_history(validated, of_release(validated))) == 2
    assert validated.store.exists(report("first"))


def test_what_great_expectations_is_spared_changes_no_check(campaign, monkeypatch):
    shard = put(campaign, 0, rows=3)
    validate_shards(campaign, [shard])
    spared = result(campaign, shard).checks
    monkeypatch.setattr(checks, "_sparing", contextlib.nullcontext)
    validate_shards(campaign, [shard], force=True)
    assert result(campaign, shard).checks == spared
