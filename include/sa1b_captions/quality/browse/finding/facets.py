"""Facets: what captions are filtered and counted by, one small table per shard and track.

Curate writes it. Of what was curated before there was one, it is made of the curated tables by
whoever asks first: nothing is captioned or judged again.
"""

import logging
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import CaptioningError, DamagedObjectError, MissingKeyError
from sa1b_captions.outputs import read_curated
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.receipts.receipt_files import digest

_log = logging.getLogger(__name__)

NAME = "facets.parquet"
FACET_SCHEMA = pa.schema(
    [
        ("image_ids", pa.list_(pa.int64())),
        ("block", pa.int32()),  # of the caption part with its text; null where nobody noted it
        ("status", pa.string()),  # records.CaptionStatus
        ("reasons", pa.string()),  # names with spaces between; empty of an accepted caption
        ("engine", pa.string()),
        ("attempt", pa.int32()),
        ("caption_chars", pa.int32()),
        ("completion_tokens", pa.int32()),
        ("winner", pa.string()),  # of a duplicate within the shard: sample_id of what stays
        ("jaccard", pa.float64()),  # of a duplicate and its winner
    ]
)
"""One row per curated sample of a shard's track, by image ids as numbers."""

_GENERATION, _MADE_OF = b"sa1b_generation", b"sa1b_made_of"
_CURATED = [
    *("image_ids", "status", "reasons", "engine", "attempt", "caption", "completion_tokens"),
    "sample_id",
]


@dataclass(frozen=True, slots=True)
class Facets:
    """One track of a shard."""

    shard: str
    track: str
    rows: pl.DataFrame
    """`FACET_SCHEMA`."""
    generation: str | None
    """Of the captions; None where nobody noted in which block which sample is."""

    @property
    def unit(self) -> str:
        """`single_en/sa_000017`."""
        return f"{self.track}/{self.shard}"


def facet_table(
    curated: pa.Table, duplicates: pa.Table, block_size: int | None, generation: str | None
) -> pa.Table:
    """Facets of the curated rows of a shard's track.

    Args:
        curated: `records.CURATED_SCHEMA`, with `block_size` in plan order.
        duplicates: `records.SHARD_DUPLICATE_SCHEMA`, or its first columns.
        block_size: samples of a caption part; None where the order is not the plan's.
        generation: of the captions, beside `block_size`.
    """
    frame = pl.DataFrame(curated.select(_CURATED)).with_row_index("place")
    block = pl.lit(None) if block_size is None else pl.col("place") // block_size
    copies = pl.DataFrame(duplicates.select(["sample_id", "winner", "jaccard"]))
    most = max(frame["image_ids"].list.len().to_list(), default=1)
    ids = [pl.col("image_ids").list.get(n, null_on_oob=True) for n in range(most)]
    rows = (
        frame.with_columns(
            pl.col("reasons").list.join(" "),
            block=block.cast(pl.Int32),
            caption_chars=pl.col("caption").fill_null("").str.len_chars(),
        )
        .join(copies, on="sample_id", how="left", maintain_order="left")
        .sort(ids, nulls_last=False)
        .select(FACET_SCHEMA.names)
    )
    table = rows.to_arrow().cast(FACET_SCHEMA)
    noted = {} if generation is None else {_GENERATION: generation.encode()}
    return table.replace_schema_metadata(noted)


def write_facets(campaign: Campaign, track: str, shard: str, table: pa.Table) -> str:
    """Store facets. Returns `records.content_digest` of what is stored, for the receipt."""
    return records.write_table(
        campaign.store,
        layout.curated_key(campaign.name, track, shard, NAME),
        table,
        FACET_SCHEMA,
        repeating=("status", "reasons", "engine", "winner"),
        group_rows=2048,
    )


def read_facets(campaign: Campaign, receipt: CurateReceipt) -> Facets:
    """Facets of what a receipt vouches for; made and, where that is allowed, stored if need be.

    Raises:
        MissingKeyError: the curated tables are gone.
        DamagedObjectError: they are not what the receipt names.
    """
    try:
        table = _read_stored(campaign, receipt)
    except (MissingKeyError, DamagedObjectError):
        if NAME in receipt.files:  # so it can be trusted, or is damaged
            raise
        table = None
    if table is None:
        table = _make(campaign, receipt)
    return _facets(receipt.track, receipt.shard, table)


def read_named_facets(campaign: Campaign, track: str, shard: str, content: str) -> Facets:
    """Facets with a known `records.content_digest`, without a look at the receipt.

    Raises:
        MissingKeyError: there are none.
        DamagedObjectError: they are others.
    """
    key = layout.curated_key(campaign.name, track, shard, NAME)
    return _facets(track, shard, records.read_table(campaign.store, key, digest=content))


def _facets(track: str, shard: str, table: pa.Table) -> Facets:
    generation = (table.schema.metadata or {}).get(_GENERATION)
    noted = None if generation is None else generation.decode()
    return Facets(shard, track, pl.DataFrame(table), noted)


def _read_stored(campaign: Campaign, receipt: CurateReceipt) -> pa.Table | None:
    """The stored table; None if it is of other captions."""
    table = read_curated(campaign, receipt, NAME)
    made_of = (table.schema.metadata or {}).get(_MADE_OF, b"").decode()
    return table if NAME in receipt.files or made_of == digest(receipt) else None


def _make(campaign: Campaign, receipt: CurateReceipt) -> pa.Table:
    tables = [
        read_curated(campaign, receipt, f"{name}.parquet", _CURATED)
        for name in ("accepted", "rejected")
    ]
    copies = read_curated(
        campaign, receipt, "duplicates.parquet", ["sample_id", "winner", "jaccard"]
    )
    table = facet_table(pa.concat_tables(tables), copies, None, None)
    table = table.replace_schema_metadata({_MADE_OF: digest(receipt).encode()})
    try:
        write_facets(campaign, receipt.track, receipt.shard, table)
    except CaptioningError as error:  # a reader's account need not be allowed to write
        _log.warning("facets of %s/%s are not stored: %s", receipt.track, receipt.shard, error)
    return table
