"""The search for captions that are equal or alike, with all signatures in this process' memory."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pyarrow as pa

from sa1b_captions.quality.duplicates import minhash
from sa1b_captions.quality.duplicates.buckets import (
    band_pairs,
    equal_neighbours,
    packed,
    repeated,
    unpacked,
)
from sa1b_captions.quality.duplicates.clusters import NO_LINKS, Near

PAIRS_AT_ONCE = 800_000
"""Candidate pairs whose texts are in memory together: under 2 GB at 1000 bytes each, which is what
the bands no longer take by then. Every further round reads nearly all shards again."""

PAIRS_PENDING = 8_000_000
"""Pairs of several bands kept until they are united: 64 MB, and as much again to unite them."""

ReadTexts = Callable[[np.ndarray], pa.LargeStringArray]
"""Normalised texts of ascending rows, in their order."""


class InMemory:
    """Captions by rank, as `clusters.Search` wants them."""

    def __init__(
        self,
        words: np.ndarray,
        bands: list[np.ndarray],
        read_texts: ReadTexts,
        links: np.ndarray = NO_LINKS,
    ) -> None:
        """Take over the signatures.

        Args:
            words: the two 64-bit words of each row's exact hash, (rows, 2) uint64, in rank order.
            bands: one array of (rows,) uint64 per band; `near` empties the list to free memory.
            read_texts: reads what exact comparison needs; called a few times.
            links: (pairs, 2) rows known to be of one cluster.
        """
        self.rows = len(words)
        self.links = links
        self._words = words
        self._bands = bands
        self._read_texts = read_texts

    def equal(self) -> tuple[np.ndarray, np.ndarray]:
        """As `clusters.Search` says."""
        return equal_neighbours(self._words)

    def near(self, repeats: np.ndarray, floor: float) -> Near:
        """As `clusters.Search` says."""
        eligible = np.ones(self.rows, np.bool_)
        eligible[repeats] = False
        pairs, large_buckets = candidates(self._bands, eligible)
        compared = self.jaccard(pairs)
        kept = compared >= floor
        return Near(pairs[kept], compared[kept], len(pairs), large_buckets)

    def jaccard(self, pairs: np.ndarray) -> np.ndarray:
        """As `clusters.Search` says; reads the texts of so many at once as fit in memory."""
        results = [np.empty(0)]
        for begin in range(0, len(pairs), PAIRS_AT_ONCE):
            some = pairs[begin : begin + PAIRS_AT_ONCE]
            results.append(compare(some, self._read_texts(np.unique(unpacked(some)))))
        return np.concatenate(results)


def compare(pairs: np.ndarray, texts: pa.LargeStringArray) -> np.ndarray:
    """Exact Jaccard of packed pairs, whose rows' texts come once each and ascending by row."""
    some = unpacked(pairs)
    _, places = np.unique(some, return_inverse=True)
    places = places.reshape(some.shape)
    return minhash.jaccard(texts, places[:, 0], places[:, 1])


def candidates(bands: list[np.ndarray], eligible: np.ndarray) -> tuple[np.ndarray, int]:
    """Ascending packed pairs of eligible rows that share a band; the number of large buckets."""
    found = np.empty(0, np.int64)
    pending: list[np.ndarray] = []
    large = 0
    while bands:
        hashes = bands.pop()
        rows = repeated(hashes)
        # A zero stands for a text without units, which is like no other.
        rows = rows[eligible[rows] & (hashes[rows] != 0)]
        fresh, large_here = band_pairs(hashes[rows], rows)
        pending += fresh
        large += large_here
        # A union sorts all it holds: few large ones cost less than one for every band.
        if not bands or sum(map(len, pending)) > PAIRS_PENDING:
            found = united([found, *pending])
            pending = []
    return found, large


def united(pairs: list[np.ndarray]) -> np.ndarray:
    """Ascending packed pairs, each once."""
    # On millions of numbers numpy's unique takes five times as long, or more.
    return pl.Series(np.concatenate([packed(*np.empty((2, 0))), *pairs])).unique().sort().to_numpy()
