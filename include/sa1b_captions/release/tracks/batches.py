"""Batches: runs of a release's shards, whose rows of one track are written once and kept.

A batch's files are a function of what its shards' receipts vouch for. A release that is made again
after one shard changed writes that shard's batch, and takes the others as they lie in the store.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sa1b_captions.receipts import CurateReceipt

LEAST_ROWS = 10_000
"""Planned rows of a batch, the last one apart: S3 puts files together from 5 MiB on."""

MOST_BATCHES = 64
"""Of a track. One changed shard of a thousand costs a sixty-fourth of a track then, and a hub takes
the files of all tracks in one commit or two."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some shards, one after the other."""

    number: int
    """From 0, in the release's order."""
    shards: tuple[str, ...]
    first_id: int
    """Of its published rows. The rows planned before it have room below, so that what is left out
    of one batch moves no id of another."""


def plan_batches(receipts: Mapping[str, CurateReceipt]) -> list[Batch]:
    """Divide a track's shards.

    Args:
        receipts: by shard, in the release's order. What counts of them is what was planned, which
            no rule changes.
    """
    least = -(-len(receipts) // MOST_BATCHES)
    batches: list[Batch] = []
    shards: list[str] = []
    first_id = rows = 0
    for shard, receipt in receipts.items():
        shards.append(shard)
        rows += receipt.planned
        if rows >= LEAST_ROWS and len(shards) >= least:
            batches.append(Batch(len(batches), tuple(shards), first_id))
            first_id, rows, shards = first_id + rows, 0, []
    if shards:
        batches.append(Batch(len(batches), tuple(shards), first_id))
    return batches
