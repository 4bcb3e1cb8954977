"""Rows that are shown, drawn by a seed: whoever compares again sees the same, and nobody picks."""

import heapq
from typing import Any

import polars as pl
import xxhash


class Chosen:
    """The rows whose names hash lowest, of all that were offered, in whatever order."""

    def __init__(self, seed: int, wanted: int) -> None:
        self._seed, self._wanted = seed, wanted
        self._heap: list[tuple[int, str, dict[str, Any]]] = []

    def offer(self, rows: pl.DataFrame) -> None:
        """Look at rows with a `sample_id`."""
        for place, name in enumerate(rows["sample_id"].to_list()):
            # Negative, because heapq keeps the least at hand and the greatest must go.
            rank = -xxhash.xxh3_64_intdigest(f"{self._seed}/shown/{name}".encode())
            if len(self._heap) < self._wanted:
                heapq.heappush(self._heap, (rank, name, rows.row(place, named=True)))
            elif self._heap and rank > self._heap[0][0]:
                heapq.heapreplace(self._heap, (rank, name, rows.row(place, named=True)))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Those with the lowest hash, the lowest first."""
        return [row for _, _, row in sorted(self._heap, key=lambda item: -item[0])]


def dealt(piles: list[list[dict[str, Any]]], wanted: int) -> list[dict[str, Any]]:
    """At most so many rows, taken from each pile in turn; pile by pile in their order."""
    taken = [0] * len(piles)
    while sum(taken) < min(wanted, sum(map(len, piles))):
        for place, pile in enumerate(piles):
            if taken[place] < len(pile) and sum(taken) < wanted:
                taken[place] += 1
    return [row for pile, count in zip(piles, taken, strict=True) for row in pile[:count]]
