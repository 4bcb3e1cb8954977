"""Dedup stage: find the captions of a track that repeat another shard's.

All shards' signatures are compared in memory, about 180 bytes a caption; of the texts, only those
that may be alike are read. Captions that curate left out as near duplicates take part too: one of
them can join captions of other shards into one cluster, as it would if all were one shard.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.outputs import read_curated
from sa1b_captions.plurals import counted
from sa1b_captions.quality.curated import require_curated
from sa1b_captions.quality.duplicates.clusters import Clusters, find_clusters
from sa1b_captions.quality.duplicates.signatures import Signatures, duplicate_table, rank
from sa1b_captions.quality.duplicates.wording import normalised
from sa1b_captions.quality.rules import NEAR_DUPLICATE
from sa1b_captions.receipt_files import dedup_place, digest, read_receipt, write_receipt
from sa1b_captions.receipts import CurateReceipt, DedupReceipt
from sa1b_captions.recipe import WHOLE_TRACK
from sa1b_captions.shards import format_selection, shard_number
from sa1b_captions.stages.repeated_images import report_repeats
from sa1b_captions.storage import ABANDONED_S

_log = logging.getLogger(__name__)

READERS = 4
"""Shards read at once: each holds 20 MiB, and more of them cost the kernel time for fresh pages."""
ALL_COLUMNS = tuple(records.SHARD_DUPLICATE_SCHEMA.names)
NAMES = ("sample_id", "shard_number")
_NAMES = pa.schema([records.SIGNATURE_SCHEMA.field(name) for name in NAMES])

_Read = TypeVar("_Read")


def dedup_track(
    campaign: Campaign, track: str, *, force: bool = False, run_id: str | None = None
) -> dict[str, Any]:
    """Compare the signatures of all the recipe's shards in one track.

    Returns:
        Rows compared and duplicates found.

    Raises:
        PermanentError: naming the shards that are not curated by the recipe's present rules.
        RetryableError: the store failed.
    """
    began = time.monotonic()
    store, shards = campaign.store, campaign.recipe.shards
    receipts = require_curated(campaign, track)
    version = digest(*receipts)
    place = dedup_place(campaign.name, track)
    done = None if force else read_receipt(store, place)
    if done is None or done.input != version:
        found, duplicates = _find_duplicates(campaign, track, receipts)
        # Until the new receipt, an old one would vouch for what it has not seen.
        store.delete(place.key)
        store.clear_unfinished(layout.dedup_prefix(campaign.name, track), ABANDONED_S)
        written = records.write_table(
            store, layout.duplicates_key(campaign.name, track), duplicates, records.DUPLICATE_SCHEMA
        )
        files = {"duplicates.parquet": written}
        repeats: dict[str, int] = {}
        if track == WHOLE_TRACK:
            repeats, files["photographs.parquet"] = report_repeats(campaign, receipts)
        done = write_receipt(
            store,
            place,
            DedupReceipt(
                track=track,
                shards=len(shards),
                selection=format_selection(shards),
                rows=sum(receipt.accepted for receipt in receipts),
                duplicates=duplicates.num_rows,
                near_duplicates=pc.sum(pc.equal(duplicates.column("kind"), "near")).as_py() or 0,
                candidate_pairs=found.candidates,
                confirmed_pairs=found.confirmed,
                large_buckets=found.large_buckets,
                alike=found.alike,
                repeated_photographs=repeats,
                input=version,
                files=files,
                run_id=run_id,
            ),
        )
    _log.info("%s: %s of %d", track, counted(done.duplicates, "duplicate"), done.rows)
    return {
        "rows": done.rows,
        "duplicates": done.duplicates,
        "seconds": round(time.monotonic() - began, 1),
    }


def _find_duplicates(
    campaign: Campaign, track: str, receipts: Sequence[CurateReceipt]
) -> tuple[Clusters, pa.Table]:
    index = _Index(campaign, track, receipts)
    signatures = index.load()
    words, bands = signatures.words, signatures.bands
    limit = campaign.recipe.quality.near_duplicate_jaccard
    found = find_clusters(words, bands, index.read_texts, limit, index.links)
    table = duplicate_table(found, index.name)
    # What curate left out is rejected already.
    return found, table.filter(pa.array(~index.is_left_out[found.losers]))


class _Index:
    """Rows of all shards in rank order, and where each one's text lies."""

    def __init__(self, campaign: Campaign, track: str, receipts: Sequence[CurateReceipt]) -> None:
        self._campaign = campaign
        self._track = track
        self._receipts = {receipt.shard: receipt for receipt in receipts}
        self._shards = sorted(self._receipts, key=shard_number)
        near = [receipt.reasons.get(NEAR_DUPLICATE, 0) for receipt in receipts]
        self._has_left_out = {
            receipt.shard for receipt, count in zip(receipts, near, strict=True) if count
        }
        rows = sum(receipt.accepted for receipt in receipts) + sum(near)
        self._rows = rows
        self._starts = np.zeros(len(self._shards) + 1, np.int64)
        self._orders: dict[str, np.ndarray] = {}
        """Places of a shard's rows in rank order, where they are not stored in it."""
        self.is_left_out = np.zeros(rows, np.bool_)
        self.links = np.empty((0, 2), np.int64)
        """Rows that curate joined, (pairs, 2)."""

    def load(self) -> Signatures:
        """Read the signatures of every shard."""
        signatures = Signatures(self._rows)
        links = [self.links]
        with ThreadPoolExecutor(READERS) as pool:
            for number, first in enumerate(range(0, len(self._shards), READERS)):
                wave = self._shards[first : first + READERS]
                for place, table in enumerate(pool.map(self._read_ranked, wave), number * READERS):
                    start = self._starts[place]
                    signatures.add(table, f"{self._track}/{self._shards[place]}")
                    self._starts[place + 1] = start + table.num_rows
                    left_out = np.flatnonzero(table.column("winner").is_valid())
                    self.is_left_out[start + left_out] = True
                    winners = pc.index_in(
                        table.column("winner").take(left_out),
                        value_set=table.column("sample_id").combine_chunks(),
                    )
                    links.append(start + np.stack([left_out, np.asarray(winners)], axis=1))
        self.links = np.concatenate(links)
        return signatures

    def _read_ranked(self, shard: str) -> pa.Table:
        """Signatures of a shard in rank order, with the winner of those that curate left out."""
        table = self._read(shard, ALL_COLUMNS)
        order = rank(table)
        if (order[1:] > order[:-1]).all():
            return table
        self._orders[shard] = order
        return table.take(order)

    def _read(self, shard: str, columns: Sequence[str]) -> pa.Table:
        """Columns of a shard, in rank order once that is known."""
        own = [name for name in columns if name in records.SIGNATURE_SCHEMA.names]
        tables = [self._read_curated(shard, "signatures.parquet", own)]
        if shard in self._has_left_out:
            repeats = self._read_curated(shard, "duplicates.parquet")
            near = repeats.filter(pc.equal(repeats.column("kind"), "near"))
            tables.append(near.select(columns))
        empty = records.SHARD_DUPLICATE_SCHEMA.empty_table().select(columns)
        table = pa.concat_tables([empty, *tables], promote_options="default")
        return table.take(self._orders[shard]) if shard in self._orders else table

    def _read_curated(self, shard: str, name: str, columns: list[str] | None = None) -> pa.Table:
        return read_curated(self._campaign, self._receipts[shard], name, columns)

    def name(self, rows: np.ndarray) -> pa.Table:
        """`sample_id` and `shard_number` of rows in any order."""
        unique, places = np.unique(rows, return_inverse=True)
        tables = self._gather(unique, self._read_names)
        return pa.concat_tables([_NAMES.empty_table(), *tables]).take(places)

    def read_texts(self, rows: np.ndarray) -> pa.LargeStringArray:
        """Normalised captions of ascending rows."""
        texts = self._gather(rows, self._read_texts)
        return pa.concat_arrays([pa.array([], pa.large_string()), *texts])

    def _read_names(self, shard: str, places: np.ndarray) -> pa.Table:
        return self._read(shard, NAMES).take(places)

    def _read_texts(self, shard: str, places: np.ndarray) -> pa.LargeStringArray:
        names = ["accepted.parquet"]
        if shard in self._has_left_out:
            names.append("rejected.parquet")
        captions = pa.concat_tables(
            self._read_curated(shard, name, ["sample_id", "caption"]) for name in names
        )
        wanted = pc.index_in(
            self._read(shard, ["sample_id"]).column("sample_id").take(places),
            value_set=captions.column("sample_id").combine_chunks(),
        )
        return normalised(captions.column("caption").take(wanted))

    def _gather(self, rows: np.ndarray, read: Callable[[str, np.ndarray], _Read]) -> list[_Read]:
        """What `read` makes of each shard and the places in it of ascending rows."""
        edges = np.searchsorted(rows, self._starts)
        wanted = [place for place in range(len(self._shards)) if edges[place] < edges[place + 1]]

        def pick(place: int) -> _Read:
            inside = rows[edges[place] : edges[place + 1]] - self._starts[place]
            return read(self._shards[place], inside)

        with ThreadPoolExecutor(READERS) as pool:
            return list(pool.map(pick, wanted))
