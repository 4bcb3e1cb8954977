"""The captions that dedup wants left out of a track, asked for shard by shard."""

import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import MissingKeyError, PermanentError
from sa1b_captions.shards import shard_number

Finding = dict[str, tuple[str, str, float]]
"""Winner, kind (exact or near) and Jaccard of each caption that another one makes redundant."""

_COLUMNS = ["sample_id", "winner", "kind", "jaccard"]


def repeats_within(campaign: Campaign, track: str, shard: str) -> Finding:
    """What curate found within one shard; nothing where it stored no such table."""
    key = layout.curated_key(campaign.name, track, shard, "duplicates.parquet")
    try:
        return _finding(records.read_table(campaign.store, key, _COLUMNS))
    except MissingKeyError:
        return {}


def _finding(table: pa.Table) -> Finding:
    sample, *facts = (table.column(name).to_pylist() for name in _COLUMNS)
    return dict(zip(sample, zip(*facts, strict=True), strict=True))


class Duplicates:
    """Duplicates of one track (`records.DUPLICATE_SCHEMA`), each to be found once."""

    def __init__(self, table: pa.Table, where: str) -> None:
        self._table = table.combine_chunks()
        self._where = where
        self._left = table.num_rows
        lost = pc.is_in(table.column("winner"), value_set=table.column("sample_id"))
        if pc.any(lost).as_py():
            sample = table.column("winner").filter(lost)[0].as_py()
            raise PermanentError(
                f"{where}: {sample} is to stay and to go; run sa1b-captions dedup --force"
            )

    def of(self, shard: str, accepted: pa.Table) -> Finding:
        """Winner, kind and Jaccard of each of the shard's captions to leave out, by sample.

        Raises:
            PermanentError: one of them is not accepted, so dedup saw another curation.
        """
        mine = self._table.filter(pc.equal(self._table.column("shard_number"), shard_number(shard)))
        samples = mine.column("sample_id").to_pylist()
        winners = _finding(mine)
        known = set(accepted.column("sample_id").to_pylist()) if samples else set()
        strangers = [sample for sample in samples if sample not in known]
        if strangers or len(winners) != len(samples):
            raise PermanentError(
                f"{self._where}: {(strangers or samples)[0]} is not an accepted sample, or is "
                "listed twice; run sa1b-captions dedup --force"
            )
        self._left -= len(samples)
        return winners

    def check_all_found(self) -> None:
        """Raise PermanentError if duplicates name shards that nobody asked for."""
        if self._left:
            raise PermanentError(
                f"{self._where}: {self._left} duplicates are of shards that the recipe does not "
                "have; run sa1b-captions dedup --force"
            )
