"""What earlier workers left of a track, and what of it is to be captioned again.

A part is trusted if it holds the samples that are planned now, captioned from the bytes that are in
the archive now: an archive that was ingested anew may have another index, or other images under the
same ids. Failed samples are rows like others, and stay. Only when so many failed
that the shard did too, a later worker captions them again, and keeps the other rows of their
blocks.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.resuming.parts import Block, block_of
from sa1b_captions.caption.resuming.track_generations import stored_blocks
from sa1b_captions.caption.sampling import IndexedImage, Sample
from sa1b_captions.caption.tally import FAILED, Tally
from sa1b_captions.errors import DamagedObjectError
from sa1b_captions.plurals import counted

_log = logging.getLogger(__name__)

Writer = tuple[str, str, str]
"""Engine, model and revision of a row."""

_WRITER = ("engine", "model", "model_revision")
_JUDGED = ("sample_id", "status", "error_code", "error", "image_xxh3s", *_WRITER)
_SHORT_BYTES = 240
"""Up to so many bytes the two lengths of xxh3 have nothing in common."""


@dataclass(slots=True)
class Stored:
    """How far a track of a shard is."""

    tally: Tally
    """Of the rows that stay."""
    todo: list[Sample]
    """Samples to caption, in plan order."""
    writers: set[Writer] = field(default_factory=set)
    """What wrote the rows that stay."""
    captioned: dict[Block, dict[int, dict[str, Any]]] = field(default_factory=dict)
    """Rows that stay in blocks that are written again, by position."""


def read_stored(
    campaign: Campaign,
    track: str,
    shard: str,
    generation: str,
    plan: Sequence[Sample],
    max_failure_share: float,
    damaged: Collection[int] = (),
) -> Stored:
    """Read a generation's parts of a shard's track, but for blocks that are known to be damaged."""

    def new_tally() -> Tally:
        return Tally(f"{track}/{shard}", len(plan), max_failure_share)

    size = campaign.recipe.block_size
    tables = read_blocks(campaign, track, shard, generation, plan, damaged)
    writers = {writer for table in tables.values() for writer in _writers(table)}
    found = Stored(new_tally(), [s for s in plan if block_of(s, size) not in tables], writers)
    _count(found.tally, tables)
    if found.tally.passes_limit():
        failures = counted(found.tally.failed, "failure")
        _log.info("%s/%s: captioning %s again", track, shard, failures)
        found = Stored(new_tally(), found.todo, writers)
        for block in tables:
            _mend(campaign, (track, block), generation, plan, found)
        _count(found.tally, tables, but=FAILED)
    elif tables and found.todo:
        left = counted(len(found.todo), "sample")
        _log.info("%s/%s: resuming, %s left", track, shard, left)
    return found


def read_blocks(
    campaign: Campaign,
    track: str,
    shard: str,
    generation: str,
    plan: Sequence[Sample],
    damaged: Collection[int] = (),
) -> dict[int, pa.Table]:
    """Judged columns of the stored blocks that hold what is planned, of the archive's bytes."""
    size = campaign.recipe.block_size
    tables = {}
    for block in sorted(stored_blocks(campaign, track, shard, generation) - set(damaged)):
        key = layout.part_key(campaign.name, track, shard, generation, block)
        try:
            table = records.read_table(campaign.store, key)
        except DamagedObjectError as error:
            _log.warning("captioning its block again: %s", error)
            continue
        table = table.select([name for name in _JUDGED if name in table.column_names])
        planned = plan[block * size : (block + 1) * size]
        if not planned or table.column("sample_id").to_pylist() != [s.sample_id for s in planned]:
            _log.warning("%s/%s: block %d is of another plan", track, shard, block)
        elif not _of_these_bytes(table, planned):
            _log.warning("%s/%s: block %d is of other images", track, shard, block)
        else:
            tables[block] = table
    return tables


def _of_these_bytes(table: pa.Table, planned: Sequence[Sample]) -> bool:
    """Whether rows were captioned from the images that the index has, as far as can be told."""
    if "image_xxh3s" not in table.column_names:
        return True
    return all(
        hashes is None or all(map(same_bytes, hashes, sample.images))
        for hashes, sample in zip(table.column("image_xxh3s").to_pylist(), planned, strict=True)
    )


def same_bytes(xxh3: int | None, image: IndexedImage) -> bool:
    """Whether a row's hash is that of the indexed JPEG.

    xxh3-64, which rows have, is the lower half of xxh3-128, which the index has: both end by
    mixing the same accumulators from the same bytes of the secret.
    """
    if xxh3 is None or image.jpeg_xxh3 is None or image.size <= _SHORT_BYTES:
        return True
    return xxh3 % 2**64 == int(image.jpeg_xxh3[16:], 16)


def _writers(table: pa.Table) -> set[Writer]:
    if not {*_WRITER} <= {*table.column_names}:
        return set()
    columns = [table.column(name).to_pylist() for name in _WRITER]
    return set(zip(*columns, strict=True))


def _mend(
    campaign: Campaign, block: Block, generation: str, plan: Sequence[Sample], found: Stored
) -> None:
    """Put a block's failed samples on the list, and keep its other rows."""
    track, number = block
    part = layout.part_key(campaign.name, track, plan[0].shard, generation, number)
    rows = dict(
        enumerate(
            records.read_table(campaign.store, part).to_pylist(),
            start=number * campaign.recipe.block_size,
        )
    )
    failed = [position for position, row in rows.items() if row["status"] in FAILED]
    if failed:
        found.todo += [plan[position] for position in failed]
        found.captioned[block] = {p: row for p, row in rows.items() if row["status"] not in FAILED}


def _count(tally: Tally, tables: dict[int, pa.Table], but: frozenset[str] = frozenset()) -> None:
    for table in tables.values():
        for row in table.to_pylist():
            if row["status"] not in but:
                tally.add(row["status"], row["error_code"], row["error"])
