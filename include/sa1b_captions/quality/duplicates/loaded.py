"""All signatures of a track, loaded from its shards into this process' memory.

About 180 bytes a caption; of the texts, only those that may be alike are read.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import pyarrow as pa

from sa1b_captions.quality.duplicates.clusters import NO_LINKS
from sa1b_captions.quality.duplicates.in_memory import InMemory
from sa1b_captions.quality.duplicates.ranked_shard import NAMES, RankedShard, links_of
from sa1b_captions.quality.duplicates.signatures import Signatures

READERS = 4
"""Shards read at once: each holds 20 MiB, and more of them cost the kernel time for fresh pages."""

_Read = TypeVar("_Read")


class Loaded(InMemory):
    """Rows of all shards, which come in rank order."""

    def __init__(self, shards: Sequence[RankedShard]) -> None:
        """Read the signatures of every shard."""
        self._shards = shards
        self._starts = np.cumsum([0, *(shard.rows for shard in shards)])
        signatures = Signatures(int(self._starts[-1]))
        links = [NO_LINKS]
        with ThreadPoolExecutor(READERS) as pool:
            for first in range(0, len(shards), READERS):
                wave = shards[first : first + READERS]
                for shard, table in zip(wave, pool.map(RankedShard.signatures, wave), strict=True):
                    links.append(signatures.rows + links_of(table))
                    signatures.add(table, shard.name)
        super().__init__(
            signatures.words, signatures.bands, self._read_texts_of, np.concatenate(links)
        )

    def name(self, rows: np.ndarray) -> pa.Table:
        """`sample_id` and `shard_number` of rows in any order."""
        unique, places = np.unique(rows, return_inverse=True)
        tables = self._gather(unique, RankedShard.names)
        return pa.concat_tables([NAMES.empty_table(), *tables]).take(places)

    def _read_texts_of(self, rows: np.ndarray) -> pa.LargeStringArray:
        texts = self._gather(rows, RankedShard.texts)
        return pa.concat_arrays([pa.array([], pa.large_string()), *texts])

    def _gather(
        self, rows: np.ndarray, read: Callable[[RankedShard, np.ndarray], _Read]
    ) -> list[_Read]:
        """What `read` makes of each shard and the places in it of ascending rows."""
        edges = np.searchsorted(rows, self._starts)
        wanted = [place for place in range(len(self._shards)) if edges[place] < edges[place + 1]]

        def pick(place: int) -> _Read:
            inside = rows[edges[place] : edges[place + 1]] - self._starts[place]
            return read(self._shards[place], inside)

        with ThreadPoolExecutor(READERS) as pool:
            return list(pool.map(pick, wanted))
