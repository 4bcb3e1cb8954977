"""The captions that dedup wants left out of a track, asked for shard by shard."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import MissingKeyError, PermanentError
from sa1b_captions.outputs import read_curated
from sa1b_captions.plurals import counted
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.shards import shard_number

Finding = dict[str, tuple[str, str, float]]
"""Winner, kind (exact or near) and Jaccard of each caption that another one makes redundant."""

_COLUMNS = ["sample_id", "winner", "kind", "jaccard"]


_NAME = "duplicates.parquet"


def repeats_within(campaign: Campaign, receipt: CurateReceipt) -> Finding:
    """What curate found within one shard; nothing where version 0.1.0 stored no such table."""
    try:
        return _finding(read_curated(campaign, receipt, _NAME, _COLUMNS))
    except MissingKeyError:
        if _NAME in receipt.files:
            raise
        return {}


def _finding(table: pa.Table) -> Finding:
    sample, *facts = (table.column(name).to_pylist() for name in _COLUMNS)
    return dict(zip(sample, zip(*facts, strict=True), strict=True))


def findings_by_shard(table: pa.Table, shards: Sequence[str], where: str) -> dict[str, Finding]:
    """What dedup found in each shard of a track.

    Args:
        table: `records.DUPLICATE_SCHEMA`.
        where: key of the table, for messages.

    Raises PermanentError: the table cannot be dedup's of these shards.
    """
    lost = pc.is_in(table.column("winner"), value_set=table.column("sample_id"))
    if pc.any(lost).as_py():
        sample = table.column("winner").filter(lost)[0].as_py()
        raise PermanentError(
            f"{where}: {sample} is to stay and to go; run sa1b-captions dedup --force"
        )
    numbers = table.column("shard_number")
    found = {
        shard: _finding(table.filter(pc.equal(numbers, shard_number(shard)))) for shard in shards
    }
    if left := table.num_rows - sum(map(len, found.values())):
        raise PermanentError(
            f"{where}: {counted(left, 'duplicate')} listed twice, or of shards that the recipe "
            "does not have; run sa1b-captions dedup --force"
        )
    return found
