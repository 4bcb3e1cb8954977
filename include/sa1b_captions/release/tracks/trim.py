"""Leaves a track with exactly its target, chosen by hash rank over all shards.

The choice depends on the sample's name and the recipe's seed alone, so it spreads evenly over the
shards and is the same for the same captions.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import xxhash


def shares(
    seed: int, target: int, samples: Iterable[tuple[str, pa.ChunkedArray]]
) -> dict[str, int]:
    """How many samples of each shard stay.

    Args:
        target: rows to keep, one or more.
        samples: shards in the release's order, each with the ids of its samples that could be
            published. Eight bytes of each id are held in memory.
    """
    ranks = {shard: _ranks(seed, names) for shard, names in samples}
    if sum(map(len, ranks.values())) <= target:
        return {shard: len(one) for shard, one in ranks.items()}
    limit = np.partition(np.concatenate(list(ranks.values())), target - 1)[target - 1]
    found = {shard: int((one < limit).sum()) for shard, one in ranks.items()}
    # Two samples of one rank are all but impossible; if so, the first of them stays.
    left = target - sum(found.values())
    for shard, one in ranks.items():
        tied = min(left, int((one == limit).sum()))
        found[shard] += tied
        left -= tied
    return found


def stays(seed: int, share: int, samples: pa.ChunkedArray) -> pa.Array:
    """Whether each sample of a shard stays when so many of them do, in their order."""
    keeps = np.zeros(len(samples), bool)
    keeps[np.argsort(_ranks(seed, samples), kind="stable")[:share]] = True
    return pa.array(keeps)


def _ranks(seed: int, samples: pa.ChunkedArray) -> np.ndarray:
    names = samples.to_pylist()
    return np.fromiter(
        (xxhash.xxh3_64_intdigest(f"{seed}/release/{name}".encode()) for name in names),
        np.uint64,
        len(names),
    )
