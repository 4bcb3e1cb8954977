"""Rows that have a hash in common: equal captions, and captions that meet in a band.

All pairs of a band's bucket count, up to BUCKET_ROWS rows; past that a row is paired with the
BUCKET_ROWS - 1 before it and the bucket's first, and such buckets are counted. A pair of rows is
packed into one int64, lower row first, so that pairs sort and search fast.
"""

import numpy as np

from sa1b_captions.quality.kernels import shingles as kernel

BUCKET_ROWS = 32


def equal_neighbours(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of equal words, each with the next: (rows, 2) uint64 give two arrays of int64."""
    suspects = repeated(words[:, 0])
    order = suspects[np.lexsort((suspects, words[suspects, 1], words[suspects, 0]))]
    same = (words[order[1:]] == words[order[:-1]]).all(axis=1)
    return order[:-1][same], order[1:][same]


def repeated(hashes: np.ndarray) -> np.ndarray:
    """Ascending places that may share their hash with another: all that do, and a few more."""
    # Marking bits costs a tenth of sorting all rows. It leaves a fifth of those that share nothing,
    # and the same with the hashes' other bits a fifth of that fifth.
    rows = _sharing(np.ascontiguousarray(hashes))
    left: np.ndarray = rows[_sharing(hashes[rows] >> np.uint64(32))]
    return left.astype(np.int64)


def _sharing(hashes: np.ndarray) -> np.ndarray:
    """Ascending places whose bit, by the low bits of their hash, another place has too."""
    # 4 to 8 bits a row: for 12M rows each has 8 MiB, which a CPU's cache holds.
    seen, shared = np.zeros((2, 1 << min(28, max(8, (len(hashes) // 2).bit_length()))), np.uint8)
    kernel.mark(hashes, seen, shared)
    return kernel.marked(hashes, shared)


def band_pairs(hashes: np.ndarray, rows: np.ndarray) -> tuple[list[np.ndarray], int]:
    """Pairs of rows that share a band's hash, and the number of large buckets.

    Args:
        hashes: of the band, uint64, none of them zero.
        rows: ascending.

    Returns:
        Packed pairs in several arrays, each pair once.
    """
    order = np.argsort(hashes, kind="stable")
    rows, hashes = rows[order], hashes[order]
    starts = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]][: len(hashes)])
    sizes = np.diff(np.r_[starts, len(hashes)])
    firsts = np.repeat(rows[starts], sizes)
    found = [packed(firsts, rows)[firsts != rows]]
    for distance in range(1, min(BUCKET_ROWS, int(sizes.max(initial=1)))):
        same = (hashes[distance:] == hashes[:-distance]) & (firsts[distance:] != rows[:-distance])
        found.append(packed(rows[:-distance][same], rows[distance:][same]))
    return found, int((sizes > BUCKET_ROWS).sum())


def packed(lower: np.ndarray, higher: np.ndarray) -> np.ndarray:
    """Pairs of rows as int64."""
    return lower.astype(np.int64) << 32 | higher.astype(np.int64)


def unpacked(pairs: np.ndarray) -> np.ndarray:
    """(pairs, 2) rows."""
    return np.stack([pairs >> 32, pairs & 0xFFFFFFFF], axis=1)
