"""What earlier workers left of a track, and what of it is to be captioned again.

A part is trusted if it holds the samples that are planned now: an archive that was ingested anew
may have another index. Failed samples are rows like others, and stay. Only when so many failed
that the shard did too, a later worker captions them again, and keeps the other rows of their
blocks.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.parts import Block, block_of, stored_blocks
from sa1b_captions.caption.sampling import Sample
from sa1b_captions.caption.tally import FAILED, Tally

_log = logging.getLogger(__name__)

_JUDGED = ["sample_id", "status", "error_code", "error"]


@dataclass(slots=True)
class Stored:
    """How far a track of a shard is."""

    tally: Tally
    """Of the rows that stay."""
    todo: list[Sample]
    """Samples to caption, in plan order."""
    kept: dict[Block, dict[int, dict[str, Any]]] = field(default_factory=dict)
    """Rows that stay in blocks that are written again, by position."""


def read_stored(
    campaign: Campaign, track: str, shard: str, plan: Sequence[Sample], max_failure_share: float
) -> Stored:
    """Read a track's parts."""

    def new_tally() -> Tally:
        return Tally(f"{track}/{shard}", len(plan), max_failure_share)

    size = campaign.recipe.block_size
    tables = _read_blocks(campaign, track, shard, plan)
    found = Stored(new_tally(), [s for s in plan if block_of(s, size) not in tables])
    _count(found.tally, tables)
    if found.tally.passes_limit():
        _log.info("%s/%s: captioning %d failures again", track, shard, found.tally.failed)
        found = Stored(new_tally(), found.todo)
        for block in tables:
            _mend(campaign, (track, block), plan, found)
        _count(found.tally, tables, but=FAILED)
    elif tables and found.todo:
        _log.info("%s/%s: resuming, %d samples left", track, shard, len(found.todo))
    return found


def _read_blocks(
    campaign: Campaign, track: str, shard: str, plan: Sequence[Sample]
) -> dict[int, pa.Table]:
    """Sample ids and statuses of the stored blocks that hold what is planned."""
    size = campaign.recipe.block_size
    tables = {}
    for block in sorted(stored_blocks(campaign, track, shard)):
        table = records.read_table(
            campaign.store, layout.part_key(campaign.name, track, shard, block), _JUDGED
        )
        planned = [sample.sample_id for sample in plan[block * size : (block + 1) * size]]
        if planned and table.column("sample_id").to_pylist() == planned:
            tables[block] = table
        else:
            _log.warning("%s/%s: block %d is of another plan", track, shard, block)
    return tables


def _mend(campaign: Campaign, block: Block, plan: Sequence[Sample], found: Stored) -> None:
    """Put a block's failed samples on the list, and keep its other rows."""
    track, number = block
    part = layout.part_key(campaign.name, track, plan[0].shard, number)
    rows = dict(
        enumerate(
            records.read_table(campaign.store, part).to_pylist(),
            start=number * campaign.recipe.block_size,
        )
    )
    failed = [position for position, row in rows.items() if row["status"] in FAILED]
    if failed:
        found.todo += [plan[position] for position in failed]
        found.kept[block] = {p: row for p, row in rows.items() if row["status"] not in FAILED}


def _count(tally: Tally, tables: dict[int, pa.Table], but: frozenset[str] = frozenset()) -> None:
    for table in tables.values():
        for row in table.to_pylist():
            if row["status"] not in but:
                tally.add(row["status"], row["error_code"], row["error"])
