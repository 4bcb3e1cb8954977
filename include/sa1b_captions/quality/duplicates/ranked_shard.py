"""The captions of one curated shard in the order in which captions win, read from the store."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.outputs import read_curated
from sa1b_captions.quality.duplicates.signatures import rank
from sa1b_captions.quality.duplicates.wording import normalised
from sa1b_captions.quality.rules import NEAR_DUPLICATE
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.remedies import damaged

NAMES = pa.schema([records.SIGNATURE_SCHEMA.field(name) for name in ("sample_id", "shard_number")])
_RANKS = ("shard_number", "image_ids")
_COLUMNS = tuple(records.SHARD_DUPLICATE_SCHEMA.names)


class RankedShard:
    """Rows of a shard's track by rank: what curate accepted, and what it left out as near."""

    def __init__(self, campaign: Campaign, receipt: CurateReceipt) -> None:
        self._campaign = campaign
        self._receipt = receipt
        self._left_out = receipt.reasons.get(NEAR_DUPLICATE, 0)
        self.rows = receipt.accepted + self._left_out
        self.name = f"{receipt.track}/{receipt.shard}"
        self._is_ranked = False
        self._order: np.ndarray | None = None
        """Places of the stored rows in rank order, once ranked; None where they lie in it."""

    def signatures(self) -> pa.Table:
        """`records.SHARD_DUPLICATE_SCHEMA`, without a winner where curate left nothing out.

        Raises DamagedObjectError: the rows are not as many as the receipt says.
        """
        table = self._read(_COLUMNS)
        if table.num_rows != self.rows:
            receipt, store = self._receipt, self._campaign.store
            key = layout.curated_key(
                self._campaign.name, receipt.track, receipt.shard, "signatures.parquet"
            )
            why = f"it has {table.num_rows} rows and its receipt speaks of {self.rows}"
            raise damaged(store.locate(key), key, why)
        return table

    def names(self, places: np.ndarray) -> pa.Table:
        """`NAMES` of some places."""
        return self._read(NAMES.names).take(places)

    def texts(self, places: np.ndarray) -> pa.LargeStringArray:
        """Normalised captions of some places."""
        files = ["accepted.parquet", *(["rejected.parquet"] if self._left_out else [])]
        captions = pa.concat_tables(
            read_curated(self._campaign, self._receipt, name, ["sample_id", "caption"])
            for name in files
        )
        wanted = pc.index_in(
            self.names(places).column("sample_id"),
            value_set=captions.column("sample_id").combine_chunks(),
        )
        return normalised(captions.column("caption").take(wanted))

    def _read(self, columns: Sequence[str]) -> pa.Table:
        """Columns of all rows, by rank."""
        wanted = [*columns]
        if not self._is_ranked:
            wanted += [name for name in _RANKS if name not in columns]
        own = [name for name in wanted if name in records.SIGNATURE_SCHEMA.names]
        tables = [read_curated(self._campaign, self._receipt, "signatures.parquet", own)]
        if self._left_out:
            repeats = read_curated(self._campaign, self._receipt, "duplicates.parquet")
            near = repeats.filter(pc.equal(repeats.column("kind"), "near"))
            tables.append(near.select(wanted))
        schema = records.SHARD_DUPLICATE_SCHEMA
        empty = schema.empty_table().select(wanted)
        table = pa.concat_tables([empty, *tables], promote_options="default")
        if not self._is_ranked:
            order = rank(table)
            self._order = None if (order[1:] > order[:-1]).all() else order
            self._is_ranked = True
        table = table.select([*columns])
        return table if self._order is None else table.take(self._order)


def links_of(table: pa.Table) -> np.ndarray:
    """(pairs, 2) places of `RankedShard.signatures`: what curate left out, and for which other."""
    left_out = np.flatnonzero(table.column("winner").is_valid())
    winners = pc.index_in(
        table.column("winner").take(left_out),
        value_set=table.column("sample_id").combine_chunks(),
    )
    return np.stack([left_out, np.asarray(winners)], axis=1).astype(np.int64)
