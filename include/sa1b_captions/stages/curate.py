"""Curate stage: judge every caption of a shard and store accepted and rejected rows apart.

Nothing is dropped: accepted + rejected = planned, checked against the captions' receipt on the
way in and again on the way out. Changing a rule or a limit curates again from the stored captions.
"""

import json
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.resuming.sameness import require_rows_of_archive
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.shard_freshness import captions_version, judge_track
from sa1b_captions.observing import telemetry
from sa1b_captions.process import cpu_lap_s
from sa1b_captions.quality import metrics
from sa1b_captions.quality.browse.finding import facets
from sa1b_captions.quality.duplicates import signatures as dedup
from sa1b_captions.quality.duplicates.image_hashes import image_hash_table
from sa1b_captions.quality.duplicates.minhash import SIGNATURE_VERSION
from sa1b_captions.quality.features import measure
from sa1b_captions.quality.row_reasons import row_reasons
from sa1b_captions.quality.rules import EXACT_DUPLICATE, NEAR_DUPLICATE
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.receipts.receipt_files import (
    caption_place,
    curate_place,
    digest_of_parts,
    ingest_place,
    read_receipt,
    require_receipt,
    write_receipt,
)
from sa1b_captions.recipe import TRACKS, WHOLE_TRACK
from sa1b_captions.shards import shard_number
from sa1b_captions.stages.stored_captions import read_captions
from sa1b_captions.storage import ABANDONED_S

_log = logging.getLogger(__name__)

_KINDS = {"exact": EXACT_DUPLICATE, "near": NEAR_DUPLICATE}


def curate_shard(
    campaign: Campaign,
    shard: str,
    *,
    tracks: Iterable[str] | None = None,
    force: bool = False,
    run_id: str | None = None,
) -> dict[str, Any]:
    """Curate some tracks of a captioned shard, by default all; skip those that are up to date.

    Returns:
        Planned, accepted and rejected rows and rows per reason for each track.

    Raises:
        PermanentError: a track is not captioned, or its captions are not what their receipt says.
    """
    began = time.monotonic()
    wanted = TRACKS if tracks is None else [track for track in TRACKS if track in set(tracks)]
    receipts = {
        track: _curate_track(campaign, track, shard, force=force, run_id=run_id) for track in wanted
    }
    return {
        "stage": "curate",
        "shard": shard,
        "tracks": {
            track: {
                "planned": receipt.planned,
                "accepted": receipt.accepted,
                "rejected": receipt.rejected,
                "reasons": receipt.reasons,
            }
            for track, receipt in receipts.items()
        },
        "seconds": round(time.monotonic() - began, 1),
    }


def _curate_track(
    campaign: Campaign, track: str, shard: str, *, force: bool, run_id: str | None
) -> CurateReceipt:
    store, recipe = campaign.store, campaign.recipe
    source = require_receipt(store, caption_place(campaign.name, track, shard))
    ingest = read_receipt(store, ingest_place(shard))
    for stale in judge_track(campaign, ingest, source, None, f"{track}/{shard}").stale:
        raise PermanentError(f"{stale}, then curate it")
    place = curate_place(campaign.name, track, shard)
    done = None if force else read_receipt(store, place)
    made_of = captions_version(source)
    present = (made_of, campaign.quality_fingerprint, SIGNATURE_VERSION)
    if done and (done.input, done.quality_fingerprint, done.signature_version) == present:
        _log.info("%s/%s is curated already", track, shard)
        return done
    rows, parts = read_captions(campaign, track, source)
    if ingest is not None:
        require_rows_of_archive(campaign, source, rows, ingest)
    if source.parts and parts != source.parts:
        # Its samples are those of the receipt; their texts may be a late worker's.
        others = [
            n for n, (old, new) in enumerate(zip(source.parts, parts, strict=True)) if old != new
        ]
        _log.warning(
            "%s/%s: parts %s are not the bytes that their receipt names, but their rows are whole, "
            "as each part proves: a late worker wrote them again, or a bit beside the rows has "
            "changed; they count, and the receipt is written anew",
            *(track, shard, ", ".join(map(str, others))),
        )
        captions = caption_place(campaign.name, track, shard)
        source = write_receipt(store, captions, replace(source, parts=parts, same_as=None))
        made_of = captions_version(source)
    split = _split(campaign, track, shard, rows, source.generation)
    accepted, rejected = split.accepted, split.rejected
    # From here until the new receipt, an old one would vouch for a mixture of old and new.
    store.delete(place.key)
    # Of the worker, too: its account may write parts and no more.
    for left in (
        layout.captions_prefix(campaign.name, track, shard),
        layout.curated_key(campaign.name, track, shard, ""),
    ):
        store.clear_unfinished(left, ABANDONED_S)
    summary, files = _store_outputs(campaign, track, shard, split)
    _log.info("%s/%s: %d accepted, %d rejected", track, shard, accepted.num_rows, rejected.num_rows)
    telemetry.send(
        telemetry.of(telemetry.ACCEPTED, accepted.num_rows, track=track),
        telemetry.of(telemetry.REJECTED, rejected.num_rows, track=track),
        *(
            telemetry.of(telemetry.REASONS, count, track=track, reason=reason)
            for reason, count in summary["reasons"].items()
            if count
        ),
    )
    return write_receipt(
        store,
        place,
        CurateReceipt(
            shard=shard,
            track=track,
            planned=source.planned,
            accepted=accepted.num_rows,
            rejected=rejected.num_rows,
            reasons=summary["reasons"],
            recipe_fingerprint=recipe.fingerprint,
            input=made_of,
            generation=source.generation,
            parts=digest_of_parts(parts),
            judged_by=campaign.judged_by,
            quality_fingerprint=campaign.quality_fingerprint,
            signature_version=SIGNATURE_VERSION,
            files=files,
            image=source.image,
            cpu_s=cpu_lap_s(),
            run_id=run_id,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Split:
    """Rows of a shard's track (`records.CURATED_SCHEMA`), each table in plan order."""

    accepted: pa.Table
    rejected: pa.Table
    signatures: pa.Table
    """Of the accepted rows, in their order."""
    features: pa.Table
    """`records.FEATURE_SCHEMA`, accepted rows first."""
    duplicates: pa.Table
    """`records.SHARD_DUPLICATE_SCHEMA`: rejected because another fit row says the same."""
    facets: pa.Table
    """`records.FACET_SCHEMA` of all rows, by image ids."""


def _split(campaign: Campaign, track: str, shard: str, rows: pa.Table, generation: str) -> _Split:
    quality, features = campaign.recipe.quality, measure(rows.column("caption"))
    frame = pl.DataFrame(rows.select(["sample_id"])).with_columns(
        reasons=row_reasons(campaign, track, rows, features)
    )
    # Only captions that are otherwise fit may win: a rejected one must not take its copies along.
    fit = rows.filter((frame["reasons"].list.len() == 0).to_arrow())
    signatures = dedup.signature_table(fit, shard_number(shard))
    duplicates = dedup.find_duplicates(
        signatures, fit.column("caption"), quality.near_duplicate_jaccard
    )
    repeats = dict(
        zip(*(duplicates.column(name).to_pylist() for name in ("sample_id", "kind")), strict=True)
    )
    reasons = [
        [_KINDS[repeats[sample_id]]] if sample_id in repeats else found
        for sample_id, found in frame.select("sample_id", "reasons").iter_rows()
    ]
    curated = rows.append_column("reasons", pa.array(reasons, pa.list_(pa.string())))
    is_accepted = pa.array([not found for found in reasons], pa.bool_())
    accepted, rejected = curated.filter(is_accepted), curated.filter(pc.invert(is_accepted))
    if accepted.num_rows + rejected.num_rows != rows.num_rows:
        raise PermanentError(
            f"{track}/{shard}: {accepted.num_rows} accepted and {rejected.num_rows} rejected do "
            f"not make {rows.num_rows} planned; this is a defect, report it"
        )
    repeated = pc.is_in(
        signatures.column("sample_id"), value_set=duplicates.column("sample_id").combine_chunks()
    )
    places = pc.index_in(
        duplicates.column("sample_id"), value_set=signatures.column("sample_id").combine_chunks()
    )
    signed = signatures.take(places)
    for name in ("winner", "kind", "jaccard"):
        signed = signed.append_column(name, duplicates.column(name))
    return _Split(
        accepted,
        rejected,
        signatures.filter(pc.invert(repeated)),
        metrics.feature_table(curated, features, campaign.recipe.model),
        signed,
        facets.facet_table(curated, duplicates, campaign.recipe.block_size, generation),
    )


def _store_outputs(
    campaign: Campaign, track: str, shard: str, split: _Split
) -> tuple[dict[str, Any], dict[str, str]]:
    """Write everything but the receipt; returns the metrics, and digests of the files by name."""
    accepted, rejected = split.accepted, split.rejected
    tables = {
        "accepted.parquet": (accepted, records.CURATED_SCHEMA),
        "rejected.parquet": (rejected, records.CURATED_SCHEMA),
        "signatures.parquet": (split.signatures, records.SIGNATURE_SCHEMA),
        "duplicates.parquet": (split.duplicates, records.SHARD_DUPLICATE_SCHEMA),
        "features.parquet": (split.features, records.FEATURE_SCHEMA),
    }
    if track == WHOLE_TRACK:
        rows = pa.concat_tables([accepted, rejected])
        hashes = image_hash_table(rows, shard_number(shard))
        tables["photographs.parquet"] = (hashes, records.IMAGE_HASH_SCHEMA)
    files = {
        name: records.write_table(
            campaign.store, layout.curated_key(campaign.name, track, shard, name), table, schema
        )
        for name, (table, schema) in tables.items()
    }
    files[facets.NAME] = facets.write_facets(campaign, track, shard, split.facets)
    summary = metrics.track_metrics(accepted, rejected, split.features)
    data = json.dumps(summary, ensure_ascii=False).encode()
    campaign.store.write(layout.curated_key(campaign.name, track, shard, "metrics.json"), data)
    return summary, files | {"metrics.json": records.content_digest(data)}
