"""Leaves a track with exactly its target, chosen by hash rank over all shards.

The choice depends on the sample's name and the recipe's seed alone, so it spreads evenly over the
shards and is the same for the same captions.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import xxhash


class Trim:
    """Which samples stay. Ask shard by shard, each once, in the order of the release."""

    def __init__(self, seed: int, target: int, samples: Iterable[pa.ChunkedArray]) -> None:
        """Look at all samples that could be published, eight bytes of memory each.

        Args:
            seed: the recipe's.
            target: rows to keep.
            samples: sample ids of each shard.
        """
        self._seed = seed
        ranks = np.concatenate([np.empty(0, np.uint64), *map(self._ranks, samples)])
        self._limit: np.uint64 | None = None
        if len(ranks) > target:
            self._limit = np.partition(ranks, target - 1)[target - 1]
            # Two samples of one rank are all but impossible; if so, the first of them stays.
            self._at_limit = target - int((ranks < self._limit).sum())

    @property
    def described(self) -> str:
        """What decides which samples stay."""
        return f"{self._seed} {self._limit}"

    def keeps(self, samples: pa.ChunkedArray) -> pa.Array:
        """Whether each sample stays, in their order."""
        ranks = self._ranks(samples)
        if self._limit is None:
            return pa.array(np.ones(len(ranks), bool))
        at_limit = np.flatnonzero(ranks == self._limit)[: self._at_limit]
        self._at_limit -= len(at_limit)
        keeps = ranks < self._limit
        keeps[at_limit] = True
        return pa.array(keeps)

    def _ranks(self, samples: pa.ChunkedArray) -> np.ndarray:
        names = samples.to_pylist()
        return np.fromiter(
            (xxhash.xxh3_64_intdigest(f"{self._seed}/release/{name}".encode()) for name in names),
            np.uint64,
            len(names),
        )
