"""A small store as version 0.1.0 wrote it: every receipt field by field, and the stored recipe.

Tables are today's, whose columns are those of 0.1.0; what vouches for them is not.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from sa1b_captions.campaign import Campaign, open_campaign
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.storage import Store
from tests.support import builders

RECIPE = Path(__file__).with_name("recipe_0_1_0.json").read_bytes()
RECIPE_FINGERPRINT = "6db65f5c46b9e02c"
QUALITY_FINGERPRINT = "71525b233b8a68f1"
SIGNATURE_VERSION = "2-20x5-5-2a8505ab"
SHARDS = ("sa_000000", "sa_000001")
FOLDER = "campaigns/test"

EFFICIENCY = {
    "pipeline_tokens_per_s": 7911.8,
    "engine_tokens_per_s": 12054.2,
    "efficiency": 0.656,
    "efficiency_samples": 2,
    "efficiency_low": False,
    "efficiency_note": "of 2 samples only, which tells little",
}
CAPTION_RECEIPT: dict[str, Any] = {
    "stage": "caption",
    "shard": "sa_000000",
    "track": "single_en",
    "planned": 8,
    "blocks": 2,
    "statuses": {"ok": 8},
    **EFFICIENCY,
    "efficiency_note": "of 2 samples only, which tells little; the engine shares its cores with "
    "the decoding: under 1 is usual",
    "recipe_fingerprint": RECIPE_FINGERPRINT,
    "input": "12aaf2e837edbb8a",
    "run_id": "run-1",
    "id": "db0ef0d076684f72af27cf97d19332b6",
    "written_at": "2026-11-28T22:08:55+00:00",
    "software": "sa1b-captions 0.1.0",
}
"""One that 0.1.0 wrote, and what its curate receipt named as its input."""
CAPTION_DIGEST = "b53fb2fdc6305387"


def digest(*receipts: Any) -> str:
    """As 0.1.0 computed it."""
    text = json.dumps(receipts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def put_store(store: Store) -> Campaign:
    """Two shards, captioned, curated, deduplicated and validated."""
    store.write(f"{FOLDER}/recipe.json", RECIPE)
    campaign = open_campaign(store, "test")
    ingests = {shard: _ingest(store, shard, place) for place, shard in enumerate(SHARDS)}
    curated: dict[str, dict[str, Any]] = {track: {} for track in TRACKS}
    for track in TRACKS:
        for place, shard in enumerate(SHARDS):
            _put_tables(campaign, track, shard, place)
    for track in TRACKS:
        dedup_track(campaign, track)
        for shard in SHARDS:
            captions = _caption(store, track, shard, ingests[shard])
            curated[track][shard] = _curate(store, track, shard, captions)
    dedups = {track: _dedup(store, track, curated[track]) for track in TRACKS}
    shards = [_shard_validation(store, shard, curated) for shard in SHARDS]
    _release_validation(store, curated, dedups, shards)
    return open_campaign(store, "test")


def _put(store: Store, key: str, **facts: Any) -> dict[str, Any]:
    receipt = facts | {
        "id": hashlib.sha256(key.encode()).hexdigest()[:32],
        "written_at": "2026-11-28T22:08:54+00:00",
        "software": "sa1b-captions 0.1.0",
    }
    store.write(key, json.dumps(receipt, ensure_ascii=False, indent=1).encode())
    return receipt


def _ingest(store: Store, shard: str, place: int) -> dict[str, Any]:
    first = 1 + 100 * place
    builders.put_shard(store, shard, {n: builders.make_jpeg(n) for n in range(first, first + 8)})
    return _put(
        store,
        f"shards/{shard}.receipt.json",
        stage="ingest",
        shard=shard,
        images=8,
        problems={},
        annotations_without_image=0,
        warnings=[],
        archive_bytes=30720,
        content="7a4a68bb2a60ed0e",
        source=f"https://scontent.example/{shard}.tar",
        source_bytes=21000,
        reused_bytes=0,
        md5="0" * 32,
        resumes=0,
        seconds=0.1,
        run_id=None,
    )


def _put_tables(campaign: Campaign, track: str, shard: str, place: int) -> None:
    english = f"A path of {track} leads past a house of {shard} to the lake. " * 5
    chinese = f"一条石板路通向山脚下的村庄，屋顶覆盖着积雪，湖水很蓝。{track} {shard}" * 3
    text = chinese if track.endswith("zh") else english
    rows = 8 if track == "single_en" else 3
    table = builders.caption_rows(
        campaign.recipe, track, shard, [f"{text}{n}." for n in range(rows)], 1 + 100 * place
    )
    builders.put_captions(campaign, shard, track, table)
    curate_shard(campaign, shard, tracks=[track])


def _planned(track: str) -> int:
    return 8 if track == "single_en" else 3


def _caption(store: Store, track: str, shard: str, ingest: dict[str, Any]) -> dict[str, Any]:
    planned = _planned(track)
    return _put(
        store,
        f"{FOLDER}/captions/{track}/{shard}/receipt.json",
        stage="caption",
        shard=shard,
        track=track,
        planned=planned,
        blocks=-(-planned // 4),
        statuses={"ok": planned},
        **EFFICIENCY,
        recipe_fingerprint=RECIPE_FINGERPRINT,
        input=digest(ingest),
        run_id="run-1",
    )


def _curate(store: Store, track: str, shard: str, captions: dict[str, Any]) -> dict[str, Any]:
    planned = _planned(track)
    return _put(
        store,
        f"{FOLDER}/curated/{track}/{shard}/receipt.json",
        stage="curate",
        shard=shard,
        track=track,
        planned=planned,
        accepted=planned,
        rejected=0,
        reasons={},
        recipe_fingerprint=RECIPE_FINGERPRINT,
        run_id="run-1",
        input=digest(captions),
        quality_fingerprint=QUALITY_FINGERPRINT,
        signature_version=SIGNATURE_VERSION,
    )


def _dedup(store: Store, track: str, curated: dict[str, Any]) -> dict[str, Any]:
    return _put(
        store,
        f"{FOLDER}/dedup/{track}/receipt.json",
        stage="dedup",
        track=track,
        shards=2,
        rows=2 * _planned(track),
        duplicates=0,
        near_duplicates=0,
        candidate_pairs=10,
        confirmed_pairs=0,
        large_buckets=0,
        repeated_photographs={"same_bytes": 0, "same_look": 0, "compared": 16},
        input=digest(*curated.values()),
        run_id="run-2",
    )


def _check(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": "Every planned sample has one row, accepted or rejected",
        "severity": "critical",
        "success": True,
        "crashed": False,
        "observed": "8",
    }


def _shard_validation(store: Store, shard: str, curated: dict[str, Any]) -> dict[str, Any]:
    counts = [_planned(track) for track in TRACKS]
    report = f"{FOLDER}/quality/shards/{shard}.html"
    store.write(report, b"<!doctype html><title>Quality</title>")
    measure = {"name": "psi", "against": "neighbours", "value": 0, "usual": 0.0, "warning": 0.05}
    return _put(
        store,
        f"{FOLDER}/quality/shards/{shard}.json",
        stage="validate",
        shard=shard,
        verdict="pass",
        complete=True,
        checks={track: [_check("all_rows")] for track in TRACKS},
        health={track: [measure | {"critical": None}] for track in TRACKS},
        throughput={track: EFFICIENCY for track in TRACKS},
        counts={
            track: {"planned": planned, "accepted": planned, "rejected": 0, "reasons": {}}
            for track, planned in zip(TRACKS, counts, strict=True)
        },
        report=report,
        quality_fingerprint=QUALITY_FINGERPRINT,
        input=digest(*(curated[track][shard] for track in TRACKS)),
        run_id="run-1",
    )


def _release_validation(
    store: Store, curated: dict[str, Any], dedups: dict[str, Any], shards: list[dict[str, Any]]
) -> None:
    report = f"{FOLDER}/quality/release.html"
    store.write(report, b"<!doctype html><title>Quality</title>")
    chain = [one for track in TRACKS for one in (*curated[track].values(), dedups[track])]
    _put(
        store,
        f"{FOLDER}/quality/release.json",
        stage="validate",
        verdict="pass",
        shards=2,
        checks=[_check("all_shards")],
        counts={
            track: {"planned": 16, "rejected": 0, "duplicates": 0, "released": 16}
            for track in TRACKS
        },
        report=report,
        quality_fingerprint=QUALITY_FINGERPRINT,
        input=digest(*chain, *shards),
        dedups=digest(*dedups.values()),
        run_id="run-2",
    )
