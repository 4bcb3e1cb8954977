"""Write one track of a release: JSONL, Parquet, provenance and rejects, a shard at a time.

Memory holds one shard's captions and one row group of each Parquet file, whatever the number of
shards. Rows keep the order of the recipe's shards and of each shard's plan, and ids run from 0,
so two exports of the same inputs write the same bytes.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.recipe import Track
from sa1b_captions.release import guards, rows
from sa1b_captions.release.folder import ReleaseFolder
from sa1b_captions.release.left_out import Duplicates
from sa1b_captions.release.manifest import TrackTotals
from sa1b_captions.release.trim import Trim

_log = logging.getLogger(__name__)

DUPLICATE_REASON = "duplicate_of_other_shard"
BEYOND_TARGET = "beyond_target"
PROGRESS_INTERVAL_S = 5.0


@dataclass(frozen=True, slots=True)
class TrackFiles:
    """Names of one track's files in a release."""

    jsonl: str
    parquet: str
    provenance: str
    rejected: str


def track_files(track: Track) -> TrackFiles:
    """Names of the track's files, made from its release_file."""
    stem = PurePosixPath(track.release_file).stem
    return TrackFiles(
        jsonl=track.release_file,
        parquet=f"{stem}.parquet",
        provenance=f"{stem}.provenance.parquet",
        rejected=f"rejected/{track.name}.parquet",
    )


def export_track(
    campaign: Campaign, folder: ReleaseFolder, track: Track, curated: Mapping[str, CurateReceipt]
) -> TrackTotals:
    """Write a track's four files.

    Args:
        campaign: recipe and keys; every shard of the recipe is curated, the track deduplicated.
        folder: the release.
        track: one of the recipe's.
        curated: curate receipt of each shard for this track.

    Raises:
        PermanentError: a row that must not be published, or counts that do not add up.
        RetryableError: the store failed.
    """
    names = track_files(track)
    totals = _Totals()
    with ExitStack() as stack:
        jsonl = stack.enter_context(folder.open(names.jsonl))
        parquet = stack.enter_context(
            folder.open_parquet(names.parquet, rows.published_schema(track))
        )
        provenance = stack.enter_context(
            folder.open_parquet(names.provenance, rows.PROVENANCE_SCHEMA)
        )
        rejected = stack.enter_context(folder.open_parquet(names.rejected, rows.REJECTED_SCHEMA))
        for split in _splits(campaign, track, curated):
            first_id = totals.rows
            totals.add(split)
            published = rows.published_table(track, split.kept, first_id)
            jsonl.write("".join(rows.json_lines(published)).encode())
            jsonl.rows = totals.rows
            parquet.add(published)
            provenance.add(rows.provenance_table(split.kept, first_id))
            rejected.add(split.left_out)
        if not totals.rows:
            raise PermanentError(f"{track.name}: no caption is left to publish")
    return totals.finish()


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
    campaign: Campaign, track: Track, curated: Mapping[str, CurateReceipt]
) -> Iterator[_Split]:
    """Split each shard's samples, in the order of the recipe's shards."""
    key = layout.duplicates_key(campaign.name, track.name)
    table = records.read_table(campaign.store, key)
    trim = _trim(campaign, track, table)
    duplicates = Duplicates(table, key)
    shards = campaign.recipe.shards
    logged_at = time.monotonic()
    for number, shard in enumerate(shards, start=1):
        split = _split(campaign, track, shard, curated[shard], duplicates)
        yield split if trim is None else _trimmed(split, trim)
        if time.monotonic() - logged_at >= PROGRESS_INTERVAL_S or number == len(shards):
            _log.info("%s: %d of %d shards exported", track.name, number, len(shards))
            logged_at = time.monotonic()
    duplicates.check_all_found()


def _split(
    campaign: Campaign, track: Track, shard: str, receipt: CurateReceipt, duplicates: Duplicates
) -> _Split:
    where = f"{track.name}/{shard}"
    accepted, rejected = (
        records.read_table(
            campaign.store,
            layout.curated_key(campaign.name, track.name, shard, name),
            columns=records.CURATED_SCHEMA.names,
        )
        for name in ("accepted.parquet", "rejected.parquet")
    )
    guards.check_counts(receipt, accepted, rejected, where)
    guards.check_rows(campaign.recipe, track, accepted, where)
    winners = duplicates.of(shard, accepted)
    goes = pc.is_in(accepted.column("sample_id"), value_set=pa.array(list(winners), pa.string()))
    repeats = accepted.filter(goes)
    left_out = [
        rows.rejected_table(
            rejected, rejected.column("reasons").to_pylist(), [None] * rejected.num_rows
        ),
        rows.rejected_table(
            repeats,
            [[DUPLICATE_REASON]] * repeats.num_rows,
            [winners[sample] for sample in repeats.column("sample_id").to_pylist()],
        ),
    ]
    return _Split(accepted.filter(pc.invert(goes)), pa.concat_tables(left_out), repeats.num_rows)


def _trim(campaign: Campaign, track: Track, duplicates: pa.Table) -> Trim | None:
    """What keeps the track to its target, if the recipe wants it so."""
    if track.target is None or not track.trim:
        return None
    left_out = duplicates.column("sample_id")

    def publishable(shard: str) -> pa.ChunkedArray:
        key = layout.curated_key(campaign.name, track.name, shard, "accepted.parquet")
        samples = records.read_table(campaign.store, key, columns=["sample_id"]).column("sample_id")
        return samples.filter(pc.invert(pc.is_in(samples, value_set=left_out)))

    return Trim(campaign.recipe.seed, track.target, map(publishable, campaign.recipe.shards))


def _trimmed(split: _Split, trim: Trim) -> _Split:
    """A split with what is beyond the target among the left out."""
    stays = trim.keeps(split.kept.column("sample_id"))
    beyond = split.kept.filter(pc.invert(stays))
    reasons, winners = [[BEYOND_TARGET]] * beyond.num_rows, [None] * beyond.num_rows
    left_out = [split.left_out, rows.rejected_table(beyond, reasons, list(winners))]
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
        self._reasons: Counter[str] = Counter()
        self._engines: set[str] = set()
        self._revisions: set[str] = set()

    def add(self, split: _Split) -> None:
        self.rows += split.kept.num_rows
        self._duplicates += split.duplicates
        self._trimmed += split.trimmed
        self._rejected += split.left_out.num_rows - split.duplicates - split.trimmed
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
        )
