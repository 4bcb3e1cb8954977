"""What two versions of the dataset are compared as: samples with what became of them.

A side is a release, wherever it lies, or a campaign of a store. Both give the samples of one shard
and track at a time, so that memory holds no more, whatever the number of shards.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, Protocol

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import DamagedObjectError, PermanentError
from sa1b_captions.outputs import read_curated, read_duplicates
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.receipts.receipt_files import curate_place, dedup_place, read_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.release.comparing.changes import recipe_source
from sa1b_captions.release.manifest import Manifest
from sa1b_captions.release.names import track_files
from sa1b_captions.release.stored_rows import StoredRows
from sa1b_captions.release.tracks.batch_files import DUPLICATE_REASON
from sa1b_captions.storage import Store

REASONS = pl.List(pl.String)
SAMPLES: dict[str, pl.DataType] = {
    "sample_id": pl.String(),
    "caption": pl.String(),
    "tokens": pl.Int32(),
    "reasons": REASONS,
}
"""Columns of a side's samples. Without reasons a sample is published, or would be."""

READERS = 32
"""Receipts read at once: thousands of them from S3 one by one take minutes."""

_CAPTION = "conversations.list.element.value"
_LEFT_OUT = ["sample_id", "caption", "completion_tokens", "reasons"]


class Side(Protocol):
    """One of two things that are compared."""

    name: str
    """Such as `v1`, for tables."""
    campaign: str
    """That the captions were made in."""
    recipe: dict[str, Any]
    """Source of the recipe."""
    software: str
    tracks: Sequence[str]

    def shards(self, track: str) -> Sequence[str]:
        """Shards with samples of a track, ascending."""

    def samples(self, track: str, shard: str) -> pl.DataFrame:
        """Samples (`SAMPLES`) of one of those shards; cheap when shards ascend."""


class ReleaseSide:
    """A release: a folder of a store, a bucket or a disk."""

    def __init__(self, store: Store, prefix: str, manifest: Manifest) -> None:
        """Look at a release's recipe.

        Args:
            prefix: of its folder, with a final slash; empty if the store is the folder.

        Raises PermanentError: the recipe is missing or damaged.
        """
        self.name, self.campaign = manifest.version, manifest.campaign
        self.software = manifest.software
        self.tracks: Sequence[str] = [track for track in TRACKS if track in manifest.tracks]
        self._store, self._prefix, self._manifest = store, prefix, manifest
        self.recipe = recipe_source(store, prefix)
        self._open: tuple[str, _TrackTables] | None = None

    def shards(self, track: str) -> Sequence[str]:
        """Shards with samples of a track, ascending."""
        return self._tables(track).shards

    def samples(self, track: str, shard: str) -> pl.DataFrame:
        """Samples of a shard, the published ones first."""
        return self._tables(track).samples(shard)

    def _tables(self, track: str) -> "_TrackTables":
        if self._open is None or self._open[0] != track:
            self._open = track, _TrackTables(track, *(self._rows(track, *what) for what in _TABLES))
        return self._open[1]

    def _rows(self, track: str, table: str, columns: Sequence[str]) -> StoredRows:
        prefix = getattr(track_files(track, ""), table)
        # Version 0.1.0 wrote each table into one file beside the JSONL.
        stem = PurePosixPath(self._release_file(track)).stem
        old = {"data": stem, "provenance": f"{stem}.provenance", "rejected": prefix.rstrip("/")}
        files = [
            (self._prefix + file.name, file.bytes)
            for file in self._manifest.files
            if file.name.startswith(prefix) or file.name == f"{old[table]}.parquet"
        ]
        if not files:
            raise PermanentError(
                f"release {self.name} has no {table} of {track}, so it cannot be compared; name "
                "a whole release, with the files of its manifest"
            )
        return StoredRows(self._store, files, columns, _CONVERT[table])

    def _release_file(self, track: str) -> str:
        try:
            return str(self.recipe["tracks"][track]["release_file"])
        except (KeyError, TypeError):
            raise DamagedObjectError(
                f"the recipe of release {self.name} has no release_file of {track}; "
                "sa1b-captions verify says what is damaged"
            ) from None


class _TrackTables:
    """Tables of one track of a release, aligned by shard."""

    def __init__(
        self, track: str, published: StoredRows, provenance: StoredRows, left_out: StoredRows
    ) -> None:
        self._track, self._published = track, published
        self._provenance, self._left_out = provenance, left_out
        if published.rows != provenance.rows:
            raise DamagedObjectError(
                f"a release has {published.rows:,} published rows and provenance of "
                f"{provenance.rows:,}; sa1b-captions verify says what is damaged"
            )

    @cached_property
    def _all(self) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
        """Places of all shards in the provenance, and among what is left out."""
        return _places(self._provenance), _places(self._left_out)

    @property
    def shards(self) -> Sequence[str]:
        return sorted({shard for places in self._all for shard in places})

    def samples(self, shard: str) -> pl.DataFrame:
        found = [pl.DataFrame(schema=SAMPLES)]
        published, left_out = (
            [places.get(shard) for places in self._all]
            if "_all" in vars(self)  # one shard is found without looking at the others
            else [_place(rows, self._track, shard) for rows in (self._provenance, self._left_out)]
        )
        if published:
            frame = self._provenance.slice(*published)
            frame = frame.with_columns(self._published.slice(*published)["caption"])
            found.append(frame.select(*SAMPLES))
        if left_out:
            found.append(self._left_out.slice(*left_out).select(*SAMPLES))
        return pl.concat(found)


def _place(rows: StoredRows, track: str, shard: str) -> tuple[int, int] | None:
    """First row of a shard, and the one after its last."""
    prefix = f"{track}/{shard}/"
    starts, stops = [], []
    for first, frame in rows.frames(prefix):
        places = frame["sample_id"].str.starts_with(prefix).arg_true()
        if len(places):
            starts.append(first + int(places[0]))
            stops.append(first + int(places[-1]) + 1)
    return (min(starts), max(stops)) if starts else None


def _places(rows: StoredRows) -> dict[str, tuple[int, int]]:
    """First row of each shard, and the one after its last."""
    places: dict[str, tuple[int, int]] = {}
    for first, frame in rows.frames():
        shards = frame["sample_id"].str.split("/").list.get(1, null_on_oob=True)
        runs = shards.rle().struct
        start = first
        for shard, length in zip(runs.field("value"), runs.field("len"), strict=True):
            begin, stop = places.get(shard, (start, start))
            if shard is None or stop != start:
                raise DamagedObjectError(
                    f"the rows of {shard} do not lie together in a release; sa1b-captions verify "
                    "says what is damaged"
                )
            places[shard] = (begin, start + length)
            start += length
    return places


def _published(table: pa.Table) -> pl.DataFrame:
    """Captions: the second of the two values of each row."""
    values = table.column("conversations").combine_chunks().flatten().field("value")
    if len(values) != 2 * table.num_rows:
        raise DamagedObjectError("a row of a release has other than two turns; verify it")
    return pl.DataFrame({"caption": pl.Series(values.take(pa.array(range(1, len(values), 2))))})


def _provenance(table: pa.Table) -> pl.DataFrame:
    frame = pl.DataFrame(table).rename({"completion_tokens": "tokens"})
    return frame.with_columns(reasons=pl.lit([], REASONS))


def _left_out(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(table).rename({"completion_tokens": "tokens"})


_TABLES = (
    ("data", [_CAPTION]),
    ("provenance", ["sample_id", "completion_tokens"]),
    ("rejected", _LEFT_OUT),
)
_CONVERT = {"data": _published, "provenance": _provenance, "rejected": _left_out}


class CampaignSide:
    """A campaign as it is: what its curated shards would publish."""

    def __init__(self, campaign: Campaign, shards: Sequence[str] | None = None) -> None:
        """Read the curate receipts.

        Args:
            shards: those to look at; by default the recipe's.

        Raises PermanentError: none is curated.
        """
        self.name = self.campaign = campaign.name
        self.recipe = campaign.recipe.source
        self._campaign = campaign
        some = campaign.recipe.shards if shards is None else shards
        self._receipts = {track: _curate_receipts(campaign, track, some) for track in TRACKS}
        self.tracks: Sequence[str] = [track for track in TRACKS if self._receipts[track]]
        if not self.tracks:
            where = f" of {', '.join(shards[:3])}" if shards else ""
            raise PermanentError(
                f"campaign {campaign.name} has no curated captions{where} to compare; run "
                "caption_shards, or name another campaign"
            )
        versions = {one.software or "" for each in self._receipts.values() for one in each.values()}
        self.software = ", ".join(sorted(versions))
        self._repeats: tuple[str, pa.Array] | None = None

    def shards(self, track: str) -> Sequence[str]:
        """Shards with samples of a track, ascending."""
        return sorted(self._receipts[track])

    def samples(self, track: str, shard: str) -> pl.DataFrame:
        """Samples of a shard, the accepted ones first."""
        receipt = self._receipts[track].get(shard)
        if receipt is None:
            return pl.DataFrame(schema=SAMPLES)
        accepted, rejected = (
            _left_out(read_curated(self._campaign, receipt, name, _LEFT_OUT))
            for name in ("accepted.parquet", "rejected.parquet")
        )
        repeats = pl.Series(
            pc.is_in(accepted["sample_id"].to_arrow(), value_set=self._repeats_of(track))
        )
        reason = pl.lit([DUPLICATE_REASON], REASONS)
        accepted = accepted.with_columns(
            reasons=pl.when(repeats).then(reason).otherwise(pl.lit([], REASONS))
        )
        return pl.concat([accepted.select(*SAMPLES), rejected.select(*SAMPLES)])

    def _repeats_of(self, track: str) -> pa.Array:
        """Accepted captions that dedup leaves out; none before it has run."""
        if self._repeats is None or self._repeats[0] != track:
            receipt = read_receipt(self._campaign.store, dedup_place(self._campaign.name, track))
            repeats = pa.array([], pa.string())
            if receipt is not None:
                table = read_duplicates(self._campaign, receipt)
                repeats = table.column("sample_id").combine_chunks()
            self._repeats = track, repeats
        return self._repeats[1]


def _curate_receipts(
    campaign: Campaign, track: str, shards: Sequence[str]
) -> dict[str, CurateReceipt]:
    """Those that there are, by shard."""
    places = [curate_place(campaign.name, track, shard) for shard in shards]
    with ThreadPoolExecutor(READERS) as pool:
        found = pool.map(lambda place: read_receipt(campaign.store, place), places)
        return {one.shard: one for one in found if one is not None}
