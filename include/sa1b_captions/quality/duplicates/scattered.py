"""The search for captions that are equal or alike, as tasks that may run on many machines.

Signatures are read in batches of neighbouring shards and cut by hash: of what shares a hash, all
comes to one task. The pairs that meet are cut by their lower row, each counted once, and the texts
of their rows brought to them. This process holds twelve bytes a caption, and what is alike. Every
task is a function of its arguments: one that is lost with its machine runs again elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from sa1b_captions.quality.duplicates import scattered_work as work
from sa1b_captions.quality.duplicates.clusters import NO_LINKS, Near
from sa1b_captions.quality.duplicates.minhash import BANDS
from sa1b_captions.quality.duplicates.ranked_shard import NAMES, RankedShard

MOST_BATCHES = 1_000
"""Each is an argument of every task behind it; Ray is tested with ten times as many."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Into how many pieces the work is cut."""

    batch_rows: int
    """Captions that a task reads: some 400 bytes each in its memory."""
    word_slices: int
    """Of all exact hashes."""
    band_slices: int
    """Of the hashes of each band: 50 bytes a caption and slice in a task's memory."""
    pair_slices: int
    """Of all pairs that meet."""

    @classmethod
    def of(cls, rows: int) -> "Cut":
        """What suits so many captions."""
        rows = max(rows, 1)
        return cls(
            batch_rows=max(120_000, -(-rows // MOST_BATCHES)),
            word_slices=-(-rows // 8_000_000),
            band_slices=-(-rows // 32_000_000),
            pair_slices=min(1_000, -(-rows // 250_000)),
        )


class Tasks(Protocol):
    """Runs functions somewhere, and keeps what they return there."""

    def send(self, function: Any, *arguments: Any, returns: int = 1) -> list[Any]:
        """Call a function that returns a sequence of so many values.

        Args:
            function: of a module that the other side can import.
            *arguments: for it; what `send` or `keep` returned stands for its value.
            returns: how many values it returns.

        Returns:
            Something for each value, which `get` takes.
        """

    def keep(self, value: Any) -> Any:
        """Something that stands for a value."""

    def get(self, kept: Sequence[Any]) -> list[Any]:
        """Wait for values, and fetch them. Raises what the functions raised."""


class Scattered:
    """Captions by rank, as `clusters.Search` wants them."""

    def __init__(self, shards: Sequence[RankedShard], tasks: Tasks, cut: Cut | None = None) -> None:
        """Read and cut the exact hashes of every shard.

        Args:
            shards: in rank order.
        """
        self.rows = sum(shard.rows for shard in shards)
        self._cut = cut or Cut.of(self.rows)
        self._tasks = tasks
        self._batches = work.batched(shards, self._cut.batch_rows)
        self._bounds = np.array([batch.start for batch in self._batches] + [self.rows])
        slices = self._cut.word_slices
        self._words = [
            tasks.send(work.cut_words, batch, slices, returns=1 + slices) for batch in self._batches
        ]
        self.links = np.concatenate([NO_LINKS, *tasks.get([cut[0] for cut in self._words])])

    def equal(self) -> tuple[np.ndarray, np.ndarray]:
        """As `clusters.Search` says; called once."""
        found = self._tasks.get(
            [
                self._tasks.send(work.find_equal, *(cut[1 + place] for cut in self._words))[0]
                for place in range(self._cut.word_slices)
            ]
        )
        self._words = []
        firsts, seconds = np.concatenate([NO_LINKS, *found]).T
        return firsts.copy(), seconds.copy()

    def near(self, repeats: np.ndarray, floor: float) -> Near:
        """As `clusters.Search` says."""
        slices, parts = self._cut.pair_slices, BANDS * self._cut.band_slices
        cut = [
            self._tasks.send(work.cut_bands, batch, inside, self._cut.band_slices, returns=parts)
            for batch, inside in zip(self._batches, self._inside(repeats), strict=True)
        ]
        met = [
            self._tasks.send(
                work.meet, slices, *(pieces[part] for pieces in cut), returns=1 + slices
            )
            for part in range(parts)
        ]
        large = self._tasks.get([one[0] for one in met])
        del cut  # the largest of all that is kept
        pieces = [[one[1 + place] for one in met] for place in range(slices)]
        pairs, jaccard, count = self._compared(pieces, floor)
        return Near(pairs, jaccard, count, sum(large))

    def jaccard(self, pairs: np.ndarray) -> np.ndarray:
        """As `clusters.Search` says."""
        if not len(pairs):
            return np.empty(0)
        slices = work.by_lower_row(np.unique(pairs), self._cut.pair_slices)
        found, jaccard, _ = self._compared([[self._tasks.keep(one)] for one in slices], 0.0)
        known: np.ndarray = jaccard[np.searchsorted(found, pairs)]
        return known

    def name(self, rows: np.ndarray) -> pa.Table:
        """`sample_id` and `shard_number` of rows in any order."""
        unique, places = np.unique(rows, return_inverse=True)
        sent = [
            self._tasks.send(work.read_names, batch, inside)[0]
            for batch, inside in zip(self._batches, self._inside(unique), strict=True)
            if len(inside)
        ]
        return pa.concat_tables([NAMES.empty_table(), *self._tasks.get(sent)]).take(places)

    def _inside(self, rows: np.ndarray) -> list[np.ndarray]:
        """Of ascending rows, those of each batch."""
        return np.split(rows, np.searchsorted(rows, self._bounds[1:-1]))

    def _compared(
        self, pieces: list[list[Any]], floor: float
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Ascending packed pairs of at least `floor`, their Jaccard, and how many were compared.

        Args:
            pieces: packed pairs of each slice, kept somewhere.
        """
        count = len(self._batches)
        united = [
            self._tasks.send(work.unite, self._bounds, *some, returns=1 + count) for some in pieces
        ]
        texts = [
            self._tasks.send(
                work.read_texts, batch, *(one[1 + place] for one in united), returns=len(united)
            )
            for place, batch in enumerate(self._batches)
        ]
        sent = [
            self._tasks.send(work.compare_pairs, floor, one[0], *(some[place] for some in texts))[0]
            for place, one in enumerate(united)
        ]
        found = self._tasks.get(sent)
        pairs = np.concatenate([one[0] for one in found])
        order = np.argsort(pairs)
        jaccard = np.concatenate([one[1] for one in found])
        return pairs[order], jaccard[order], sum(one[2] for one in found)
