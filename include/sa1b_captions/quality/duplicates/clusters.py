"""Clusters of equal and nearly equal captions, over rows numbered by rank.

A cluster is everything that a chain of pairs joins: equal normalised texts, or texts that meet in
a band and have an exact Jaccard of at least the limit. Its lowest row wins. All pairs of a band's
bucket are compared, so the answer depends on the set of captions only, not on order or sharding;
past BUCKET_ROWS rows a row is compared with the BUCKET_ROWS - 1 before it and the bucket's first,
and such buckets are counted.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from sa1b_captions.quality.duplicates import minhash
from sa1b_captions.quality.duplicates.similarity import count_alike
from sa1b_captions.quality.kernels import shingles as kernel
from sa1b_captions.receipts import Alike

BUCKET_ROWS = 32
PAIRS_AT_ONCE = 800_000
"""Candidate pairs whose texts are in memory together: under 2 GB at 1000 bytes each, which is what
the bands no longer take by then. Every further round reads nearly all shards again."""

PAIRS_PENDING = 8_000_000
"""Pairs of several bands kept until they are united: 64 MB, and as much again to unite them."""

ReadTexts = Callable[[np.ndarray], pa.LargeStringArray]
"""Normalised texts of ascending rows, in their order."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Rows that are not the lowest of their cluster."""

    losers: np.ndarray
    """Ascending row numbers."""
    winners: np.ndarray
    """The lowest row of each loser's cluster."""
    exact: np.ndarray
    """Whether the loser's normalised text is the winner's."""
    jaccard: np.ndarray
    """Jaccard of loser and winner; below the limit where others between them joined them."""
    candidates: int
    """Pairs that met in a band."""
    confirmed: int
    """Pairs that are alike enough."""
    large_buckets: int
    """Buckets of more than BUCKET_ROWS rows."""
    alike: list[Alike]
    """Pairs at fixed levels, among them some below the limit."""


def find_clusters(
    words: np.ndarray,
    bands: list[np.ndarray],
    read_texts: ReadTexts,
    min_jaccard: float,
    links: np.ndarray | None = None,
) -> Clusters:
    """Cluster captions.

    Args:
        words: the two 64-bit words of each row's exact hash, (rows, 2) uint64, in rank order.
        bands: one array of (rows,) uint64 per band; the list is emptied to free the memory.
        read_texts: reads what exact comparison needs; called a few times.
        min_jaccard: least Jaccard of near duplicates.
        links: (pairs, 2) rows known to be of one cluster.
    """
    rows = len(words)
    parents = np.arange(rows, dtype=np.int32)
    kernel.join(parents, *_equal(words))
    kernel.settle(parents)
    exact_roots = parents.copy()
    pairs, large_buckets = _candidates(bands, parents == np.arange(rows, dtype=np.int32))
    compared = _compare(pairs, read_texts)
    confirmed = _unpacked(pairs[compared >= min_jaccard])
    for joined in (confirmed, np.empty((0, 2), np.int64) if links is None else links):
        kernel.join(parents, joined[:, 0].copy(), joined[:, 1].copy())
    kernel.settle(parents)
    losers = np.flatnonzero(parents != np.arange(rows, dtype=np.int32))
    winners = parents[losers].astype(np.int64)
    exact = exact_roots[losers] == winners
    jaccard = np.ones(len(losers))
    near = _packed(winners[~exact], exact_roots[losers[~exact]])
    jaccard[~exact] = _jaccard_of(near, pairs, compared, read_texts)
    counts = len(pairs), len(confirmed), large_buckets
    return Clusters(
        losers, winners, exact, jaccard, *counts, count_alike(_unpacked(pairs), compared)
    )


def _equal(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of neighbours among the rows with equal words."""
    suspects = _repeated(words[:, 0])
    order = suspects[np.lexsort((suspects, words[suspects, 1], words[suspects, 0]))]
    same = (words[order[1:]] == words[order[:-1]]).all(axis=1)
    return order[:-1][same], order[1:][same]


def _repeated(hashes: np.ndarray) -> np.ndarray:
    """Ascending rows that may share their hash with another: all that do, and a few more."""
    # Marking bits costs a tenth of sorting all rows. It leaves a fifth of those that share nothing,
    # and the same with the hashes' other bits a fifth of that fifth.
    rows = _sharing(np.ascontiguousarray(hashes))
    left: np.ndarray = rows[_sharing(hashes[rows] >> np.uint64(32))]
    return left.astype(np.int64)


def _sharing(hashes: np.ndarray) -> np.ndarray:
    """Ascending rows whose bit, by the low bits of their hash, another row has too."""
    # 4 to 8 bits a row: for 12M rows each has 8 MiB, which a CPU's cache holds.
    seen, shared = np.zeros((2, 1 << min(28, max(8, (len(hashes) // 2).bit_length()))), np.uint8)
    kernel.mark(hashes, seen, shared)
    return kernel.marked(hashes, shared)


def _candidates(bands: list[np.ndarray], eligible: np.ndarray) -> tuple[np.ndarray, int]:
    """Ascending packed pairs of eligible rows that share a band; the number of large buckets."""
    found = np.empty(0, np.int64)
    pending: list[np.ndarray] = []
    large = 0
    while bands:
        hashes = bands.pop()
        rows = _repeated(hashes)
        # A zero stands for a text without units, which is like no other.
        rows = rows[eligible[rows] & (hashes[rows] != 0)]
        rows = rows[np.argsort(hashes[rows], kind="stable")]
        hashes = hashes[rows]
        starts = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]][: len(hashes)])
        sizes = np.diff(np.r_[starts, len(hashes)])
        large += int((sizes > BUCKET_ROWS).sum())
        firsts = np.repeat(rows[starts], sizes)
        fresh = [_packed(firsts, rows)[firsts != rows]]
        for distance in range(1, min(BUCKET_ROWS, int(sizes.max(initial=1)))):
            same = (hashes[distance:] == hashes[:-distance]) & (
                firsts[distance:] != rows[:-distance]
            )
            fresh.append(_packed(rows[:-distance][same], rows[distance:][same]))
        pending += fresh
        # A union sorts all it holds: few large ones cost less than one for every band.
        if not bands or sum(map(len, pending)) > PAIRS_PENDING:
            # On millions of numbers numpy's unique takes five times as long, or more.
            found = pl.Series(np.concatenate([found, *pending])).unique().sort().to_numpy()
            pending = []
    return found, large


def _packed(lower: np.ndarray, higher: np.ndarray) -> np.ndarray:
    """A pair of rows as one int64, lower row first, so that pairs sort and search fast."""
    return lower.astype(np.int64) << 32 | higher.astype(np.int64)


def _unpacked(pairs: np.ndarray) -> np.ndarray:
    """(pairs, 2) rows."""
    return np.stack([pairs >> 32, pairs & 0xFFFFFFFF], axis=1)


def _jaccard_of(
    wanted: np.ndarray, pairs: np.ndarray, compared: np.ndarray, read_texts: ReadTexts
) -> np.ndarray:
    """Exact Jaccard of packed pairs, comparing only those that `pairs` does not hold."""
    known = np.isin(wanted, pairs)
    result = np.empty(len(wanted))
    result[known] = compared[np.searchsorted(pairs, wanted[known])]
    result[~known] = _compare(wanted[~known], read_texts)
    return result


def _compare(pairs: np.ndarray, read_texts: ReadTexts) -> np.ndarray:
    """Exact Jaccard of packed pairs, reading the texts of so many at once as fit in memory."""
    results = [np.empty(0)]
    for begin in range(0, len(pairs), PAIRS_AT_ONCE):
        some = _unpacked(pairs[begin : begin + PAIRS_AT_ONCE])
        rows, places = np.unique(some, return_inverse=True)
        texts = read_texts(rows)
        places = places.reshape(some.shape)
        results.append(minhash.jaccard(texts, places[:, 0], places[:, 1]))
    return np.concatenate(results)
