"""Write one track of a release: JSONL, Parquet and its sidecars, a shard at a time.

Memory holds one shard's captions and one row group of each Parquet file, whatever the number of
shards. Rows keep the order of the recipe's shards and of each shard's plan, and ids run from 0,
so two exports of the same inputs write the same bytes.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions import layout, records
from sa1b_captions.ahead import read_ahead
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import MissingKeyError, PermanentError
from sa1b_captions.freshness import READERS
from sa1b_captions.generations import FIRST
from sa1b_captions.outputs import read_curated, read_duplicates
from sa1b_captions.receipt_files import ingest_place, read_receipt
from sa1b_captions.receipts import CurateReceipt, DedupReceipt
from sa1b_captions.recipe import Track
from sa1b_captions.release import guards, rows
from sa1b_captions.release.folder import ReleaseFolder
from sa1b_captions.release.left_out import Duplicates, Finding, repeats_within
from sa1b_captions.release.manifest import TrackTotals
from sa1b_captions.release.names import TrackFiles
from sa1b_captions.release.summary import TrackSummary
from sa1b_captions.release.trim import Trim

_log = logging.getLogger(__name__)

DUPLICATE_REASON = "duplicate_of_other_shard"
BEYOND_TARGET = "beyond_target"
PROGRESS_INTERVAL_S = 5.0
AHEAD = 4
"""Shards that are read while one is written."""


def export_track(
    campaign: Campaign,
    folder: ReleaseFolder,
    track: Track,
    curated: Mapping[str, CurateReceipt],
    dedup: DedupReceipt,
    names: TrackFiles,
    summary: TrackSummary,
    repairs: Callable[[str], Mapping[str, str]] | None = None,
) -> TrackTotals:
    """Write a track's files.

    Args:
        campaign: recipe and keys; every shard of the recipe is curated, the track deduplicated.
        folder: the release.
        track: one of the recipe's.
        curated: curate receipt of each shard for this track.
        dedup: receipt of the track's dedup.
        names: of the track's files.
        summary: told every published row.
        repairs: what a shard's captions are published as, by sample; None where the recipe
            publishes every caption as it was written.

    Raises:
        PermanentError: a row that must not be published, or counts that do not add up.
        RetryableError: the store failed.
    """
    totals = _Totals()
    with ExitStack() as stack:
        jsonl = stack.enter_context(folder.open(names.jsonl))
        data, provenance, image_hashes, rejected = (
            stack.enter_context(folder.open_parquet(prefix, schema))
            for prefix, schema in (
                (names.data, rows.published_schema(track)),
                (names.provenance, rows.provenance_schema(repairs=repairs is not None)),
                (names.image_hashes, rows.IMAGE_HASHES_SCHEMA),
                (names.rejected, rows.REJECTED_SCHEMA),
            )
        )
        for shard, split, index in _splits(campaign, track, curated, dedup):
            first_id = totals.rows
            totals.add(split)
            kept, originals = split.kept, None
            if repairs is not None:
                kept, originals = rows.repaired(kept, repairs(shard))
                guards.check_rows(campaign.recipe, track, kept, f"{track.name}/{shard}")
            published = rows.published_table(track, kept, first_id)
            jsonl.write("".join(rows.json_lines(published)).encode())
            jsonl.cut(shard=shard)
            jsonl.rows = totals.rows
            data.add(published)
            summary.add(kept, published, first_id)
            provenance.add(rows.provenance_table(kept, first_id, index, originals))
            image_hashes.add(rows.image_hashes_table(kept, first_id))
            rejected.add(split.left_out)
        if not totals.rows:
            others = ",".join(name for name in campaign.tracks if name != track.name)
            raise PermanentError(
                f"{track.name}: no caption is left to publish; see why in the quality report, or "
                f"release the other tracks: validate --release and export, each with "
                f"--tracks {others or 'OTHERS'}"
            )
    return totals.finish()


def _read_index(campaign: Campaign, shard: str) -> pa.Table | None:
    """Where the shard's JPEGs lie; None when its photographs were removed since."""
    ingest = read_receipt(campaign.store, ingest_place(shard))
    generation, digest = (ingest.generation, ingest.index) if ingest else (FIRST, None)
    key = layout.index_key(shard, generation)
    try:
        return records.read_table(
            campaign.store, key, ["image_id", "offset", "size"], digest=digest
        )
    except MissingKeyError:
        _log.warning("%s has no index, so its captions do not say where their JPEGs lie", shard)
        return None


def count_rows(campaign: Campaign, track: Track, curated: Mapping[str, CurateReceipt]) -> int:
    """Rows that a track's files will hold, before any is written."""
    key = layout.duplicates_key(campaign.name, track.name)
    duplicates: int = records.read_table(campaign.store, key, ["sample_id"]).num_rows
    rows = sum(receipt.accepted for receipt in curated.values()) - duplicates
    return min(rows, track.target) if track.trim and track.target else rows


@dataclass(frozen=True, slots=True)
class _Split:
    """One shard's samples, published and not."""

    kept: pa.Table
    """`records.CURATED_SCHEMA`, in plan order."""
    left_out: pa.Table
    """`rows.REJECTED_SCHEMA`: the rejected, the duplicates, the trimmed, each in plan order."""
    duplicates: int
    trimmed: int = 0


def _splits(
    campaign: Campaign,
    track: Track,
    curated: Mapping[str, CurateReceipt],
    dedup: DedupReceipt,
) -> Iterator[tuple[str, _Split, pa.Table | None]]:
    """Each shard with its samples split and its index, in the order of the recipe's shards."""
    key = layout.duplicates_key(campaign.name, track.name)
    table = read_duplicates(campaign, dedup)
    trim = _trim(campaign, track, table, curated)
    duplicates = Duplicates(table, key)
    shards = campaign.recipe.shards
    logged_at = time.monotonic()
    stored = read_ahead(
        partial(_read_shard, campaign, track), [curated[shard] for shard in shards], AHEAD
    )
    for number, (shard, tables) in enumerate(zip(shards, stored, strict=True), start=1):
        split = _split(campaign, track, shard, curated[shard], tables, duplicates)
        yield shard, split if trim is None else _trimmed(split, trim), tables.index
        if time.monotonic() - logged_at >= PROGRESS_INTERVAL_S or number == len(shards):
            _log.info("%s: %d of %d shards exported", track.name, number, len(shards))
            logged_at = time.monotonic()
    duplicates.check_all_found()


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the store has of one track of a shard."""

    accepted: pa.Table
    rejected: pa.Table
    repeats: Finding
    """What curate found within the shard."""
    index: pa.Table | None


def _read_shard(campaign: Campaign, track: Track, receipt: CurateReceipt) -> _Stored:
    accepted, rejected = (
        read_curated(campaign, receipt, name, records.CURATED_SCHEMA.names)
        for name in ("accepted.parquet", "rejected.parquet")
    )
    repeats = repeats_within(campaign, track.name, receipt.shard)
    return _Stored(accepted, rejected, repeats, _read_index(campaign, receipt.shard))


def _split(
    campaign: Campaign,
    track: Track,
    shard: str,
    receipt: CurateReceipt,
    stored: _Stored,
    duplicates: Duplicates,
) -> _Split:
    where = f"{track.name}/{shard}"
    accepted, rejected = stored.accepted, stored.rejected
    guards.check_counts(receipt, accepted, rejected, where)
    guards.check_rows(campaign.recipe, track, accepted, where)
    winners = duplicates.of(shard, accepted)
    goes = pc.is_in(accepted.column("sample_id"), value_set=pa.array(list(winners), pa.string()))
    repeats = accepted.filter(goes)
    left_out = [
        rows.rejected_table(
            rejected,
            rejected.column("reasons").to_pylist(),
            stored.repeats,
        ),
        rows.rejected_table(repeats, [[DUPLICATE_REASON]] * repeats.num_rows, winners),
    ]
    return _Split(accepted.filter(pc.invert(goes)), pa.concat_tables(left_out), repeats.num_rows)


def _trim(
    campaign: Campaign,
    track: Track,
    duplicates: pa.Table,
    curated: Mapping[str, CurateReceipt],
) -> Trim | None:
    """What keeps the track to its target, if the recipe wants it so."""
    if track.target is None or not track.trim:
        return None
    left_out = duplicates.column("sample_id")

    def publishable(shard: str) -> pa.ChunkedArray:
        table = read_curated(campaign, curated[shard], "accepted.parquet", ["sample_id"])
        samples = table.column("sample_id")
        return samples.filter(pc.invert(pc.is_in(samples, value_set=left_out)))

    samples = read_ahead(publishable, campaign.recipe.shards, READERS)
    return Trim(campaign.recipe.seed, track.target, samples)


def _trimmed(split: _Split, trim: Trim) -> _Split:
    """A split with what is beyond the target among the left out."""
    stays = trim.keeps(split.kept.column("sample_id"))
    beyond = split.kept.filter(pc.invert(stays))
    reasons = [[BEYOND_TARGET]] * beyond.num_rows
    left_out = [split.left_out, rows.rejected_table(beyond, reasons, {})]
    return _Split(
        split.kept.filter(stays), pa.concat_tables(left_out), split.duplicates, beyond.num_rows
    )


class _Totals:
    """Counts a track's samples while they pass."""

    def __init__(self) -> None:
        self.rows = 0
        self._rejected = 0
        self._duplicates = 0
        self._trimmed = 0
        self._retried = 0
        self._near = 0
        self._reasons: Counter[str] = Counter()
        self._engines: set[str] = set()
        self._revisions: set[str] = set()

    def add(self, split: _Split) -> None:
        self.rows += split.kept.num_rows
        self._duplicates += split.duplicates
        self._trimmed += split.trimmed
        self._retried += pc.sum(pc.greater(split.kept.column("attempt"), 1)).as_py() or 0
        self._rejected += split.left_out.num_rows - split.duplicates - split.trimmed
        self._near += pc.sum(pc.equal(split.left_out.column("kind"), "near")).as_py() or 0
        reasons = split.left_out.column("reasons").combine_chunks().flatten()
        self._reasons.update(reasons.to_pylist())
        self._engines.update(split.kept.column("engine").unique().to_pylist())
        self._revisions.update(split.kept.column("model_revision").unique().to_pylist())

    def finish(self) -> TrackTotals:
        accepted = self.rows + self._duplicates + self._trimmed
        return TrackTotals(
            planned=accepted + self._rejected,
            accepted=accepted,
            rejected=self._rejected,
            duplicates=self._duplicates,
            rows=self.rows,
            reasons=dict(sorted(self._reasons.items())),
            engines=sorted(self._engines),
            model_revisions=sorted(self._revisions),
            trimmed=self._trimmed,
            retried=self._retried,
            near_duplicates=self._near,
        )
