"""Receipts as the stages write them, with whatever numbers a test wants."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.checked_json import CHECKSUM
from sa1b_captions.freshness.audits import accepted_version, audit_fingerprint
from sa1b_captions.freshness.release_freshness import release_validation_input
from sa1b_captions.freshness.shard_freshness import (
    captions_version,
    curated_version,
    read_shard,
    read_tracks,
)
from sa1b_captions.generations import FIRST
from sa1b_captions.quality.curated import require_curated
from sa1b_captions.receipts import (
    AuditReceipt,
    CaptionReceipt,
    CurateCounts,
    CurateReceipt,
    DedupReceipt,
    IngestReceipt,
    Occupancy,
    ReleaseValidation,
    ShardValidation,
    receipt_files,
)
from sa1b_captions.receipts.faithfulness import SentenceCounts
from sa1b_captions.receipts.findings import Check, Verdict
from sa1b_captions.receipts.receipt_files import (
    digest,
    digest_of_parts,
    read_receipt,
    write_receipt,
)
from sa1b_captions.recipe import TRACKS
from sa1b_captions.storage import Store


def edit(store: Store, key: str, **facts: object) -> None:
    """Change a stored JSON object as a version without checksums would have written it."""
    content = json.loads(store.read(key)) | facts
    content.pop(CHECKSUM, None)
    store.write(key, json.dumps(content).encode())


def put_ingest(
    store: Store,
    shard: str,
    images: int = 0,
    archive_bytes: int = 0,
    content: str | None = None,
) -> IngestReceipt:
    """Receipt of an archive without faults."""
    receipt = IngestReceipt(
        shard=shard, images=images, problems={}, archive_bytes=archive_bytes, content=content
    )
    return write_receipt(store, receipt_files.ingest_place(shard), receipt)


def put_caption(
    campaign: Campaign,
    track: str,
    shard: str,
    statuses: Mapping[str, int] | None = None,
    occupancy: Occupancy | None = None,
    generation: str = FIRST,
) -> CaptionReceipt:
    """Receipt of a captioned track."""
    planned = sum((statuses or {}).values())
    ingest = read_receipt(campaign.store, receipt_files.ingest_place(shard))
    receipt = CaptionReceipt(
        shard=shard,
        track=track,
        planned=planned,
        blocks=-(-planned // campaign.recipe.block_size),
        statuses=dict(statuses or {}),
        recipe_fingerprint=campaign.recipe.fingerprint,
        occupancy=occupancy or Occupancy(),
        generation=generation,
        input=digest(ingest),
        content=ingest.content if ingest else None,
    )
    place = receipt_files.caption_place(campaign.name, track, shard)
    return write_receipt(campaign.store, place, receipt)


def put_curate(
    campaign: Campaign,
    track: str,
    shard: str,
    accepted: int = 0,
    rejected: int = 0,
    reasons: Mapping[str, int] | None = None,
    run_id: str | None = None,
    files: Mapping[str, str] | None = None,
) -> CurateReceipt:
    """Receipt of a track that is curated by the present rules."""
    from sa1b_captions.quality.duplicates.minhash import SIGNATURE_VERSION

    # Not at the top: the environment of the lmdeploy tests has no polars.

    captions = read_receipt(
        campaign.store, receipt_files.caption_place(campaign.name, track, shard)
    )
    receipt = CurateReceipt(
        shard=shard,
        track=track,
        planned=accepted + rejected,
        accepted=accepted,
        rejected=rejected,
        reasons=dict(reasons or {}),
        recipe_fingerprint=campaign.recipe.fingerprint,
        quality_fingerprint=campaign.quality_fingerprint,
        signature_version=SIGNATURE_VERSION,
        input=captions_version(captions),
        generation=captions.generation if captions else None,
        parts=digest_of_parts(captions.parts) if captions else None,
        judged_by=campaign.judged_by,
        files=dict(files or {}),
        run_id=run_id,
    )
    place = receipt_files.curate_place(campaign.name, track, shard)
    return write_receipt(campaign.store, place, receipt)


def put_audit(campaign: Campaign, track: str, shard: str) -> AuditReceipt:
    """Audit of the accepted captions of a curated track."""
    place = receipt_files.curate_place(campaign.name, track, shard)
    curated = receipt_files.require_receipt(campaign.store, place)
    receipt = AuditReceipt(
        shard=shard,
        track=track,
        accepted=curated.accepted,
        drawn=0,
        answers={},
        counts=SentenceCounts(),
        slices={},
        engine="preview",
        model="preview",
        model_revision="1",
        judges_itself=True,
        audit_fingerprint=audit_fingerprint(campaign.recipe),
        input=accepted_version(curated),
    )
    place_of_audit = receipt_files.audit_place(campaign.name, track, shard)
    return write_receipt(campaign.store, place_of_audit, receipt)


def read_curate_receipts(
    campaign: Campaign, track: str, shards: Sequence[str]
) -> list[CurateReceipt | None]:
    """Curate receipts in the order of `shards`; None where there is none or it is stale."""
    return [found.fresh_curated for found in read_tracks(campaign, track, shards)]


def put_shard_validation(
    campaign: Campaign, shard: str, verdict: str = "pass", run_id: str | None = None
) -> ShardValidation:
    """Validation of the tracks that are curated."""
    curated = {
        track: receipt
        for track in TRACKS
        for receipt in read_curate_receipts(campaign, track, [shard])
        if receipt is not None
    }
    audits = read_shard(campaign, shard).audits
    fresh = audits.fresh if audits else {}
    receipt = ShardValidation(
        shard=shard,
        verdict=Verdict(verdict),
        complete=set(curated) == set(TRACKS),
        checks={track: [] for track in curated},
        counts={
            track: CurateCounts(one.planned, one.accepted, one.rejected, one.reasons)
            for track, one in curated.items()
        },
        report=layout.past_report_key(campaign.name, shard, verdict),
        quality_fingerprint=campaign.quality_fingerprint,
        input=curated_version(curated, fresh),
        curated={track: digest(one) for track, one in curated.items()},
        audited={track: digest(one) for track, one in fresh.items()},
        run_id=run_id,
    )
    place = receipt_files.shard_validation_place(campaign.name, shard)
    return write_receipt(campaign.store, place, receipt)


def put_dedup(campaign: Campaign, track: str, duplicates: int = 0) -> DedupReceipt:
    """Receipt of a track whose shards are all curated."""
    curated = require_curated(campaign, track)
    receipt = DedupReceipt(
        track=track,
        shards=len(curated),
        rows=sum(one.accepted for one in curated),
        duplicates=duplicates,
        near_duplicates=0,
        candidate_pairs=duplicates,
        confirmed_pairs=duplicates,
        large_buckets=0,
        input=digest(*curated),
    )
    return write_receipt(campaign.store, receipt_files.dedup_place(campaign.name, track), receipt)


def release_page(verdict: str) -> bytes:
    """Stands for the report of a release's validation."""
    return f"<!doctype html><title>Quality</title>{verdict}".encode()


def release_report_key(campaign: Campaign, page: bytes) -> str:
    """Key of a page, named by its content as every report is."""
    name = hashlib.sha256(page).hexdigest()[:16]
    return layout.past_report_key(campaign.name, "release", name)


def put_release_validation(
    campaign: Campaign, verdict: str = "pass", checks: Sequence[Check] = (), page: bytes = b""
) -> ReleaseValidation:
    """Validation of whatever is deduplicated, of which `page` is to be the report."""
    places = {track: receipt_files.dedup_place(campaign.name, track) for track in TRACKS}
    dedups = {track: read_receipt(campaign.store, place) for track, place in places.items()}
    found = {track: one for track, one in dedups.items() if one is not None}
    results = _shard_results(campaign)
    receipt = ReleaseValidation(
        verdict=Verdict(verdict),
        shards=len(campaign.recipe.shards),
        checks=list(checks),
        counts={},
        report=release_report_key(campaign, page or release_page(verdict)),
        quality_fingerprint=campaign.quality_fingerprint,
        input=_release_input(campaign, found) if len(found) == len(TRACKS) else "0" * 16,
        dedups=digest(*dedups.values()),
        shard_results=digest(*results.values()),
        not_validated=[shard for shard, result in results.items() if result is None],
    )
    place = receipt_files.release_validation_place(campaign.name)
    return write_receipt(campaign.store, place, receipt)


def _shard_results(campaign: Campaign) -> dict[str, ShardValidation | None]:
    places = {
        shard: receipt_files.shard_validation_place(campaign.name, shard)
        for shard in campaign.recipe.shards
    }
    return {shard: read_receipt(campaign.store, place) for shard, place in places.items()}


def _release_input(campaign: Campaign, dedups: Mapping[str, DedupReceipt]) -> str:
    shards = campaign.recipe.shards
    results = list(_shard_results(campaign).values())
    curated = {
        track: [one for one in read_curate_receipts(campaign, track, shards) if one is not None]
        for track in TRACKS
    }
    return release_validation_input(campaign, curated, dedups, results)
