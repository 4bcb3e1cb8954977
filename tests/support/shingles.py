"""Jaccard by Python's own sets, which the kernels are held against."""

from collections.abc import Sequence

import pyarrow as pa

from sa1b_captions.quality.kernels import shingles as kernel


def arrow(texts: Sequence[str | None]) -> pa.Array:
    """Texts as the kernels take them."""
    return pa.array(texts, pa.large_string())


def shingles(units: Sequence[str]) -> set[tuple[str, ...]]:
    """The set that Jaccard is of."""
    if not units:
        return set()
    width = min(kernel.SHINGLE_UNITS, len(units))
    return {tuple(units[place : place + width]) for place in range(len(units) - width + 1)}


def jaccard(first: Sequence[str], second: Sequence[str]) -> float:
    """Jaccard of two texts that are given as lists of units."""
    a, b = shingles(first), shingles(second)
    return len(a & b) / len(a | b) if a | b else 0.0
