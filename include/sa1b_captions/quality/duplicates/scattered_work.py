"""What the tasks of a scattered search do: functions of stored shards and of one another.

A task returns a list with as many values as it was asked for; what goes to other tasks is cut into
pieces, one for each of them. Rows are numbered over all shards, and every piece has them ascending.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sa1b_captions.quality.duplicates.buckets import (
    band_pairs,
    equal_neighbours,
    repeated,
    unpacked,
)
from sa1b_captions.quality.duplicates.clusters import NO_LINKS
from sa1b_captions.quality.duplicates.in_memory import compare, united
from sa1b_captions.quality.duplicates.ranked_shard import RankedShard, links_of
from sa1b_captions.quality.duplicates.signatures import Signatures

Hashed = tuple[np.ndarray, np.ndarray]
"""Hashes, and the rows that have them (int32)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Neighbouring shards that one task reads."""

    shards: tuple[RankedShard, ...]
    start: int
    """Number of its first row."""

    @property
    def rows(self) -> int:
        """Rows of its shards."""
        return sum(shard.rows for shard in self.shards)


def batched(shards: Sequence[RankedShard], batch_rows: int) -> list[Batch]:
    """Batches of about so many rows, whole shards each."""
    batches: list[Batch] = []
    start = 0
    while shards:
        ends = np.cumsum([shard.rows for shard in shards])
        count = max(1, int(np.searchsorted(ends, batch_rows, side="right")))
        batches.append(Batch(tuple(shards[:count]), start))
        start, shards = start + int(ends[count - 1]), shards[count:]
    return batches


def cut_words(batch: Batch, slices: int) -> list[Any]:
    """Links that curate found in a batch, and its exact hashes cut into slices."""
    signatures, links = _load(batch)
    rows = np.arange(batch.start, batch.start + batch.rows, dtype=np.int32)
    places = _sliced(_slice_of(signatures.words[:, 0], slices), slices)
    return [links, *((signatures.words[some], rows[some]) for some in places)]


def find_equal(*pieces: Hashed) -> list[np.ndarray]:
    """(pairs, 2) rows of equal words, each with the next one, of one slice."""
    words, rows = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return [np.stack([rows[places] for places in equal_neighbours(words)], axis=1).astype(np.int64)]


def cut_bands(batch: Batch, repeats: np.ndarray, slices: int) -> list[Hashed]:
    """Hashes of every band, cut into slices, of rows that are no repeats."""
    bands = _load(batch)[0].bands
    eligible = np.ones(batch.rows, np.bool_)
    eligible[repeats - batch.start] = False
    pieces = []
    for hashes in bands:
        # A zero stands for a text without units, which is like no other.
        places = np.flatnonzero(eligible & (hashes != 0))
        rows, hashes = (places + batch.start).astype(np.int32), hashes[places]
        of_slices = _sliced(_slice_of(hashes, slices), slices)
        pieces += [(hashes[some], rows[some]) for some in of_slices]
    return pieces


def meet(slices: int, *pieces: Hashed) -> list[Any]:
    """The number of large buckets of one slice of a band, and the pairs that meet in it."""
    hashes, rows = (np.concatenate(column) for column in zip(*pieces, strict=True))
    places = repeated(hashes)
    found, large = band_pairs(hashes[places], rows[places])
    return [large, *by_lower_row(np.concatenate(found), slices)]


def by_lower_row(pairs: np.ndarray, slices: int) -> list[np.ndarray]:
    """Packed pairs, cut so that pairs with the same lower row are together."""
    return [pairs[some] for some in _sliced((pairs >> 32) % slices, slices)]


def unite(bounds: np.ndarray, *pieces: np.ndarray) -> list[np.ndarray]:
    """Ascending pairs of a slice, each once, and their rows in each batch, ascending."""
    pairs = united(list(pieces))
    rows = np.unique(unpacked(pairs)).astype(np.int32)
    return [pairs, *np.split(rows, np.searchsorted(rows, bounds[1:-1]))]


def read_texts(batch: Batch, *wanted: np.ndarray) -> list[pa.LargeStringArray]:
    """Normalised captions of rows of a batch, for each of those who want some."""
    rows = np.unique(np.concatenate(wanted))
    empty = pa.array([], pa.large_string())
    texts = pa.concat_arrays(
        [empty, *(shard.texts(places) for shard, places in _places(batch, rows))]
    )
    # Sliced by an index, or each piece would take all of them along.
    return [texts.take(pa.array(np.searchsorted(rows, some))) for some in wanted]


def compare_pairs(
    floor: float, pairs: np.ndarray, *texts: pa.LargeStringArray
) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """Pairs of a slice that have a Jaccard of at least `floor`, with it; how many there were."""
    jaccard = compare(pairs, pa.concat_arrays(texts))
    kept = jaccard >= floor
    return [(pairs[kept], jaccard[kept], len(pairs))]


def read_names(batch: Batch, rows: np.ndarray) -> list[pa.Table]:
    """`ranked_shard.NAMES` of ascending rows of a batch."""
    return [pa.concat_tables(shard.names(places) for shard, places in _places(batch, rows))]


def _load(batch: Batch) -> tuple[Signatures, np.ndarray]:
    """Signatures of a batch, and its links."""
    signatures = Signatures(batch.rows)
    links = [NO_LINKS]
    for shard in batch.shards:
        table = shard.signatures()
        links.append(batch.start + signatures.rows + links_of(table))
        signatures.add(table, shard.name)
    return signatures, np.concatenate(links)


def _places(batch: Batch, rows: np.ndarray) -> list[tuple[RankedShard, np.ndarray]]:
    """Shards that hold ascending rows, and the places of these in each."""
    starts = batch.start + np.cumsum([0, *(shard.rows for shard in batch.shards)])
    inside = np.split(rows, np.searchsorted(rows, starts[1:-1]))
    return [
        (shard, places - start)
        for shard, places, start in zip(batch.shards, inside, starts[:-1], strict=True)
        if len(places)
    ]


def _slice_of(hashes: np.ndarray, slices: int) -> np.ndarray:
    """Slice of each hash, by bits that `buckets.repeated` does not look at first."""
    return (hashes >> np.uint64(40)) % np.uint64(slices)


def _sliced(slice_of: np.ndarray, slices: int) -> list[np.ndarray]:
    """Ascending places of each slice."""
    order = np.argsort(slice_of, kind="stable")
    return np.split(order, np.searchsorted(slice_of[order], np.arange(1, slices)))
