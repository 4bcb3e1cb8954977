"""What a card says of a track's captions, counted while they pass."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import xxhash


def example_id(seed: int, track: str, rows: int) -> int:
    """Number of the row that a card shows: drawn by the recipe's seed, so that nobody picks it."""
    return xxhash.xxh3_64_intdigest(f"{seed}/card/{track}".encode()) % max(rows, 1)


class Lengths:
    """How often each length occurs."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def add(self, lengths: pa.ChunkedArray) -> None:
        """Count lengths; null ones are left out."""
        for item in pc.drop_null(lengths).value_counts().to_pylist():
            self.counts[item["values"]] += item["counts"]

    @property
    def mean(self) -> float:
        """Arithmetic mean; there must be a length."""
        return sum(length * rows for length, rows in self.counts.items()) / self.counts.total()

    def percentile(self, percent: int) -> int:
        """Least length that at least so many percent of the rows do not exceed.

        Raises ValueError: there is no length.
        """
        wanted, seen = percent * self.counts.total(), 0
        for length in sorted(self.counts):
            seen += 100 * self.counts[length]
            if seen >= wanted:
                return length
        raise ValueError("there is no length to take a percentile of")


@dataclass(slots=True)
class TrackSummary:
    """Lengths of a track's published captions, and one row."""

    example: int
    """Number of the row to show, from 0."""
    characters: Lengths = field(default_factory=Lengths)
    tokens: Lengths = field(default_factory=Lengths)
    """Completion tokens; empty where the engine does not count them."""
    row: dict[str, Any] | None = None
    """The example as the JSONL file holds it."""
