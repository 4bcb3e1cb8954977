"""Signatures of normalised captions and exact Jaccard, straight from Arrow string buffers.

A text is the set of its shingles, runs of five units; a unit is a word, or a character of a script
that writes no spaces. MinHash gives texts that share a share J of their shingles the same band
hash with chance J**5, in each of 20 bands: .98 at J = .7 to meet in at least one, .9999 at .8.
"""

import hashlib

import numpy as np
import pyarrow as pa

from sa1b_captions.quality.duplicates.wording import buffers
from sa1b_captions.quality.kernels import shingles as kernel

BANDS = kernel.BANDS
BAND_BYTES = 8 * BANDS
"""Bytes of a caption's band hashes: little-endian uint64, band after band."""

_rng = np.random.Generator(np.random.PCG64(11))
MULTIPLIERS = _rng.integers(0, 2**64, kernel.PERMUTATIONS, dtype=np.uint64) | 1

SIGNATURE_VERSION = (
    f"2-{BANDS}x{kernel.ROWS}-{kernel.SHINGLE_UNITS}-"
    + hashlib.sha256(MULTIPLIERS.tobytes()).hexdigest()[:8]
)
"""Names everything that a band hash depends on: signatures of two versions never compare. The
first number counts changes of the kernel's hashes and of how texts are normalised."""


def sign(texts: pa.LargeStringArray) -> np.ndarray:
    """Band hashes of normalised texts, (texts, BANDS) uint64; zeros where a text has no unit."""
    data, offsets = buffers(texts)
    bands = np.empty((len(texts), BANDS), np.uint64)
    kernel.sign(data, offsets, MULTIPLIERS, _longest(offsets), bands)
    return bands


def jaccard(texts: pa.LargeStringArray, firsts: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Exact Jaccard of the shingle sets of texts[firsts] and texts[seconds], float64 per pair."""
    data, offsets = buffers(texts)
    result = np.empty(len(firsts), np.float64)
    places = firsts.astype(np.int64), seconds.astype(np.int64)
    kernel.compare(data, offsets, *places, _longest(offsets), result)
    return result


def meeting_chance(jaccard: np.ndarray) -> np.ndarray:
    """Chance that texts of such a Jaccard share a band hash: .47 at .5, .98 at .7."""
    return 1 - (1 - jaccard**kernel.ROWS) ** BANDS


def _longest(offsets: np.ndarray) -> int:
    return int(np.diff(offsets).max(initial=0))
