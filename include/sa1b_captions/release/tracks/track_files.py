"""The files of a release's tracks: batches that lie in the store, and those that are written now.

Batches are written by one thread for each processor, and put together in the release by the store
itself, so that what did not change since the last release is neither read nor made again.
"""

import json
import logging
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions import layout, records
from sa1b_captions.ahead import read_ahead
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import MissingKeyError, RetryableError
from sa1b_captions.freshness.shard_freshness import READERS
from sa1b_captions.outputs import read_curated, read_duplicates
from sa1b_captions.receipts import CurateReceipt, DedupReceipt, IngestReceipt
from sa1b_captions.recipe import Track
from sa1b_captions.release.card.summary import TrackSummary
from sa1b_captions.release.folder import ReleaseFolder
from sa1b_captions.release.manifest import TrackTotals
from sa1b_captions.release.names import TrackFiles
from sa1b_captions.release.tracks.batch_counts import Batched
from sa1b_captions.release.tracks.batch_files import KINDS, BatchInputs, read_batch, write_batch
from sa1b_captions.release.tracks.batches import plan_batches
from sa1b_captions.release.tracks.left_out import findings_by_shard
from sa1b_captions.release.tracks.trim import shares

_log = logging.getLogger(__name__)

PROGRESS_INTERVAL_S = 5.0

MOST_WRITERS = 16
"""Batches that are written at once, where there are as many processors: each holds some 200 MB."""

ASSEMBLED_BYTES = 64 * 1024 * 1024
"""Size of a JSONL file from which on the store puts it together and nobody reads it."""


def plan_track(
    campaign: Campaign,
    track: Track,
    curated: Mapping[str, CurateReceipt],
    ingests: Mapping[str, IngestReceipt | None],
    dedup: DedupReceipt,
    repairs: Mapping[str, Mapping[str, str]] | None = None,
) -> list[BatchInputs]:
    """What each batch of a track is made from.

    Args:
        campaign: recipe and keys; every shard of the recipe is curated, the track deduplicated.
        repairs: by shard and sample, what captions are published as; None where the recipe
            publishes every caption as it was written.

    Raises PermanentError: the dedup's results are not of these captions.
    """
    table = read_duplicates(campaign, dedup)
    where = layout.duplicates_key(campaign.name, track.name)
    winners = findings_by_shard(table, list(curated), where)
    stay = _shares(campaign, track, table, curated)
    return [
        BatchInputs(
            track.name,
            batch,
            {shard: curated[shard] for shard in batch.shards},
            {shard: ingests[shard] for shard in batch.shards},
            {shard: winners[shard] for shard in batch.shards},
            None if stay is None else {shard: stay[shard] for shard in batch.shards},
            None if repairs is None else {shard: repairs[shard] for shard in batch.shards},
        )
        for batch in plan_batches(curated)
    ]


def count_rows(campaign: Campaign, track: Track, curated: Mapping[str, CurateReceipt]) -> int:
    """Rows that a track's files will hold, before any is written."""
    key = layout.duplicates_key(campaign.name, track.name)
    duplicates: int = records.read_table(campaign.store, key, ["sample_id"]).num_rows
    rows = sum(receipt.accepted for receipt in curated.values()) - duplicates
    return min(rows, track.target) if track.trim and track.target else rows


def make_batches(campaign: Campaign, wanted: Sequence[BatchInputs]) -> list[Batched]:
    """What is known of batches; those that the store does not have are written.

    Raises PermanentError: a row that must not be published, or counts that do not add up.
    """
    with ThreadPoolExecutor(READERS) as pool:
        known = list(pool.map(partial(read_batch, campaign), wanted))
    lacking = [place for place, found in enumerate(known) if found is None]
    _log.info("%d of %d batches of shards are to be written", len(lacking), len(wanted))
    logged_at = time.monotonic()
    written = _write(campaign, [wanted[place] for place in lacking])
    for number, (place, found) in enumerate(written, start=1):
        known[lacking[place]] = found
        if time.monotonic() - logged_at >= PROGRESS_INTERVAL_S or number == len(lacking):
            _log.info("%d of %d batches written", number, len(lacking))
            logged_at = time.monotonic()
    return [found for found in known if found is not None]


def _write(campaign: Campaign, lacking: Sequence[BatchInputs]) -> Iterator[tuple[int, Batched]]:
    """Each batch with its place, as they are written."""
    # Threads will do: Arrow, SHA-256 and the store's writes let go of the interpreter's lock.
    with ThreadPoolExecutor(min(len(os.sched_getaffinity(0)), MOST_WRITERS)) as pool:
        futures = {
            pool.submit(write_batch, campaign, one): place for place, one in enumerate(lacking)
        }
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def clear_batches(campaign: Campaign, wanted: Sequence[BatchInputs]) -> None:
    """Delete what no release that is made now would be put together from.

    An export with other inputs that runs meanwhile, and finds its batches gone, is run again.
    """
    kept = {layout.batch_key(campaign.name, one.track, one.digest(campaign), "") for one in wanted}
    for track in {one.track for one in wanted}:
        for key in campaign.store.list(layout.batches_prefix(campaign.name, track)):
            if f"{key.rpartition('/')[0]}/" not in kept:
                campaign.store.delete(key)


def put_together(
    campaign: Campaign,
    folder: ReleaseFolder,
    names: TrackFiles,
    batches: Sequence[Batched],
    summary: TrackSummary,
) -> TrackTotals:
    """Make a track's files of its batches; `folder` then has them.

    Args:
        batches: in the release's order.
        summary: told what the batches know.

    Raises RetryableError: the store failed, or a batch was removed meanwhile.
    """
    try:
        _assemble(folder, names, batches)
        summary.row = _read_row(campaign, batches, summary.example)
    except MissingKeyError as error:
        raise RetryableError(f"another export removed a batch ({error}); run it again") from None
    for batch in batches:
        summary.characters.counts.update({int(n): c for n, c in batch.characters.items()})
        summary.tokens.counts.update({int(n): c for n, c in batch.tokens.items()})
    return sum_up(batches)


def _assemble(folder: ReleaseFolder, names: TrackFiles, batches: Sequence[Batched]) -> None:
    lines = [batch.jsonl for batch in batches if batch.jsonl.bytes]
    if len(lines) > 1 and sum(one.bytes for one in lines) >= ASSEMBLED_BYTES:
        folder.assemble(names.jsonl, lines)
    else:
        folder.join(names.jsonl, lines)
    for kind in KINDS:
        tables = [batch.tables[kind] for batch in batches]
        # A table without rows is there only where all are: readers stumble over it.
        tables = [one for one in tables if one.rows] or tables[:1]
        for number, table in enumerate(tables):
            folder.assemble(f"{getattr(names, kind)}train-{number:05d}.parquet", [table])


def sum_up(batches: Sequence[Batched]) -> TrackTotals:
    """What became of the samples of all batches."""
    rows = sum(sum(batch.rows) for batch in batches)
    duplicates, trimmed = (
        sum(getattr(batch, name) for batch in batches) for name in ("duplicates", "trimmed")
    )
    accepted = rows + duplicates + trimmed
    rejected = sum(batch.rejected for batch in batches)
    return TrackTotals(
        planned=accepted + rejected,
        accepted=accepted,
        rejected=rejected,
        duplicates=duplicates,
        rows=rows,
        reasons=dict(sorted(_summed(batch.reasons for batch in batches).items())),
        engines=sorted({one for batch in batches for one in batch.engines}),
        model_revisions=sorted({one for batch in batches for one in batch.model_revisions}),
        trimmed=trimmed,
        retried=sum(batch.retried for batch in batches),
        near_duplicates=sum(batch.near_duplicates for batch in batches),
    )


def _summed(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in counts:
        found.update(one)
    return found


def _read_row(campaign: Campaign, batches: Sequence[Batched], number: int) -> dict[str, Any] | None:
    """The row of a track with that number, as the JSONL file holds it; None past the last."""
    for batch in batches:
        shards = [rows for rows in batch.rows if rows]
        if number >= sum(shards):
            number -= sum(shards)
            continue
        for piece, rows in zip(batch.jsonl.pieces, shards, strict=True):
            if number < rows:
                data = campaign.store.read_range(batch.jsonl.key, piece.offset, piece.bytes)
                row: dict[str, Any] = json.loads(_line(data, number))
                return row
            number -= rows
    return None


def _line(data: bytes, number: int) -> bytes:
    """One of the lines, which all have an end; found without a Python object for each."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    return data[ends[number - 1] + 1 if number else 0 : ends[number]]


def _shares(
    campaign: Campaign,
    track: Track,
    duplicates: pa.Table,
    curated: Mapping[str, CurateReceipt],
) -> dict[str, int] | None:
    """How many samples of each shard keep the track to its target, if the recipe wants it so."""
    if track.target is None or not track.trim:
        return None
    left_out = duplicates.column("sample_id")

    def publishable(shard: str) -> pa.ChunkedArray:
        table = read_curated(campaign, curated[shard], "accepted.parquet", ["sample_id"])
        samples = table.column("sample_id")
        return samples.filter(pc.invert(pc.is_in(samples, value_set=left_out)))

    samples = read_ahead(publishable, campaign.recipe.shards, READERS)
    return shares(
        campaign.recipe.seed, track.target, zip(campaign.recipe.shards, samples, strict=True)
    )
