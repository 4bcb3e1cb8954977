"""How many captions of a campaign have which facets: the index that filters are answered from.

One table over all shards, some 50 rows per 300 captions: it says how many rows a filter has, and in
which shards they are, so that a page reads no shard in vain. It is derived: whoever sees that
shards were curated since adds them, and of two who do so at once the last one's table stays.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import polars as pl
import pyarrow as pa

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import DamagedObjectError, MissingKeyError
from sa1b_captions.quality.browse.finding.facets import NAME, Facets
from sa1b_captions.receipts import AuditReceipt, CurateReceipt
from sa1b_captions.receipts.receipt_files import digest

FACET_COUNT_SCHEMA = pa.schema(
    [
        ("unit", pa.string()),  # single_en/sa_000017
        ("reasons", pa.string()),  # as in FACET_SCHEMA, like what follows
        ("engine", pa.string()),
        ("attempt", pa.int32()),
        ("caption_chars", pa.int32()),
        ("rows", pa.int32()),
    ]
)
"""One row per unit and facets that occur together."""

READERS = 16
R = TypeVar("R", bound=CurateReceipt | AuditReceipt)
"""Of a unit: curated, or audited."""
_UNITS, _FILES = b"sa1b_units", b"sa1b_files"
_FACETS = ["reasons", "engine", "attempt", "caption_chars"]


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """Counts over the units of a campaign; a unit is one track of a shard."""

    rows: pl.DataFrame
    """`FACET_COUNT_SCHEMA`, texts as categories."""
    units: Mapping[str, str]
    """Digest of the receipt that each unit was counted of, by `single_en/sa_000017`."""
    files: Mapping[str, str] = field(default_factory=dict)
    """`records.content_digest` of each unit's facets, where its receipt names one."""

    def lacking(self, receipts: Mapping[str, R]) -> list[R]:
        """Those that were written since, or for the first time."""
        return [one for unit, one in receipts.items() if self.units.get(unit) != digest(one)]

    @property
    def captions(self) -> int:
        """Captions counted."""
        return int(self.rows["rows"].sum())


def count_facets(facets: Facets) -> pl.DataFrame:
    """Rows of one unit by their facets (`FACET_COUNT_SCHEMA`)."""
    counted = facets.rows.group_by(_FACETS).agg(rows=pl.len())
    counted = counted.with_columns(pl.col("attempt").cast(pl.Int16))
    return counted.select(
        pl.lit(facets.unit).alias("unit"), *_FACETS, pl.col("rows").cast(pl.Int32)
    ).sort("caption_chars", "reasons", "engine", "attempt")


def read_counts(campaign: Campaign, key: str = "") -> FacetCounts:
    """The stored counts; none where nothing is stored, or what is stored is no such table.

    Args:
        key: of counts of some of the captions; empty for those of all.
    """
    try:
        key = key or layout.facet_counts_key(campaign.name)
        table = records.read_table(campaign.store, key)
        metadata = table.schema.metadata or {}
        units, files = (json.loads(metadata.get(name, b"{}")) for name in (_UNITS, _FILES))
        rows = _categories(pl.DataFrame(table.cast(FACET_COUNT_SCHEMA)))
        return FacetCounts(rows, units, files)
    except (MissingKeyError, DamagedObjectError, ValueError, pa.ArrowException):
        return FacetCounts(_categories(pl.DataFrame(FACET_COUNT_SCHEMA.empty_table())), {})


def store_counts(campaign: Campaign, counts: FacetCounts, key: str = "") -> None:
    """Store counts under a key as of `read_counts`. Raises as the store does."""
    texts = pl.col("unit", "reasons", "engine").cast(pl.String)
    table = counts.rows.with_columns(texts).to_arrow().cast(FACET_COUNT_SCHEMA)
    known = {_UNITS: dict(counts.units), _FILES: dict(counts.files)}
    metadata = {name: json.dumps(values).encode() for name, values in known.items()}
    table = table.replace_schema_metadata(metadata)
    records.write_table(
        campaign.store,
        key or layout.facet_counts_key(campaign.name),
        table,
        FACET_COUNT_SCHEMA,
        repeating=("unit", "reasons", "engine"),
    )


def update_counts(
    counts: FacetCounts,
    receipts: Mapping[str, R],
    read: Callable[[R], Facets],
    *,
    at_most_s: float = float("inf"),
) -> FacetCounts:
    """Count what was curated since, and leave out what is there no more.

    Args:
        receipts: of everything that is to be counted, by unit.
        read: facets of a receipt; called in threads.
        at_most_s: seconds after which no further unit is begun; the others lack then.

    Returns:
        The counts, the same object where nothing has changed.
    """
    lacking = counts.lacking(receipts)
    gone = [unit for unit in counts.units if unit not in receipts]
    found = _count_units(read, lacking, time.monotonic() + at_most_s)
    if not found and not gone:
        return counts
    old = [*found, *gone]
    units = {unit: seen for unit, seen in counts.units.items() if unit not in old}
    units |= {unit: digest(receipts[unit]) for unit in found}
    files = {unit: one for unit, one in counts.files.items() if unit not in old}
    files |= {unit: receipts[unit].files[NAME] for unit in found if NAME in receipts[unit].files}
    kept = counts.rows.filter(~pl.col("unit").is_in(old)) if old else counts.rows
    texts = pl.col("unit", "reasons", "engine").cast(pl.String)
    rows = pl.concat([kept.with_columns(texts), *found.values()])
    return FacetCounts(_categories(rows.sort("unit", maintain_order=True)), units, files)


def _count_units(
    read: Callable[[R], Facets], receipts: Sequence[R], until: float
) -> dict[str, pl.DataFrame]:
    found = {}
    with ThreadPoolExecutor(READERS) as pool:
        for first in range(0, len(receipts), READERS):
            if first and time.monotonic() > until:
                break
            some = receipts[first : first + READERS]
            for facets in pool.map(lambda one: _read(read, one), some):
                if facets is not None:
                    found[facets.unit] = count_facets(facets)
    return found


def _read(read: Callable[[R], Facets], receipt: R) -> Facets | None:
    """Facets; None of a unit that is being made again right now, or is damaged."""
    try:
        return read(receipt)
    except (MissingKeyError, DamagedObjectError):
        return None


def _categories(rows: pl.DataFrame) -> pl.DataFrame:
    """Texts as numbers: 2 million rows of them take 40 MB."""
    enums = {name: pl.Enum(rows[name].unique().sort()) for name in ("unit", "reasons", "engine")}
    return rows.with_columns(
        *(pl.col(name).cast(kind) for name, kind in enums.items()),
        pl.col("attempt").cast(pl.Int16),
    )
