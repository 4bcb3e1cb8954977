"""Jaccard by Python's own sets, which the kernels are held against."""

import pyarrow as pa

from sa1b_captions.quality.duplicates import minhash


def arrow(texts):
    """Texts as the kernels take them."""
    return pa.array(texts, pa.large_string())


def shingles(units):
    """The set that Jaccard is of."""
    if not units:
        return set()
    width = min(minhash.kernel.SHINGLE_UNITS, len(units))
    return {tuple(units[place : place + width]) for place in range(len(units) - width + 1)}


def likeness(first, second):
    """Jaccard of two texts that are given as lists of units."""
    a, b = shingles(first), shingles(second)
    return len(a & b) / len(a | b) if a | b else 0.0
