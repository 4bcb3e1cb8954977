"""Texts of found samples, read by the block: a hundred kilobytes each, whichever shard.

What a block has is checked against the facets; where it is of other captions than those that were
curated, or is gone, the curated tables have the text.
"""

import re
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import DamagedObjectError, MissingKeyError
from sa1b_captions.quality.browse.bounded import Bounded
from sa1b_captions.quality.browse.finding.facets import Facets
from sa1b_captions.quality.browse.finding.orders import Hit

READERS = 12
_BLOCKS, _TABLES = 96, 3
"""Blocks and curated tables kept: 10 MB and 30 MB."""

_COLUMNS = [
    *("sample_id", "image_ids", "images", "caption", "status", "error", "error_code"),
    *("finish_reason", "completion_tokens", "latency_ms", "attempt", "engine", "model"),
    *("model_revision", "captioned_at"),
]

Row = Mapping[str, Any]


def sample_id(facets: Facets, place: int) -> str:
    """Name of a sample."""
    ids = facets.rows["image_ids"][place]
    return f"{facets.unit}/{'-'.join(str(one) for one in ids)}"


class CaptionTexts:
    """Reads texts of a campaign; safe in several threads, and bounded in what it remembers."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._blocks: Bounded[tuple[str, str, int], pl.DataFrame] = Bounded(_BLOCKS)
        self._tables: Bounded[tuple[str, str, int], pl.DataFrame] = Bounded(_TABLES)
        self._reading = threading.Lock()

    def read(self, hits: Sequence[Hit]) -> list[Row]:
        """Caption rows of samples, in their order (some columns of `records.CAPTION_SCHEMA`).

        Raises MissingKeyError: their curated tables are gone.
        """
        with ThreadPoolExecutor(READERS) as pool:
            return list(pool.map(lambda hit: self.row(hit.facets, hit.place), hits))

    def row(self, facets: Facets, place: int) -> Row:
        """Caption row of one sample. Raises as `read`."""
        name = sample_id(facets, place)
        block = facets.rows["block"][place]
        if facets.generation is not None and block is not None:
            try:
                rows = self._blocks.get(
                    (facets.unit, facets.generation, block), lambda: self._read_block(facets, block)
                )
                found = rows.filter(pl.col("sample_id") == name)
                # A block is written before its shard is curated, but a worker may write it again.
                chars = (found["caption"][0] or "") if found.height else ""
                if found.height and len(chars) == facets.rows["caption_chars"][place]:
                    return found.row(0, named=True)
            except (MissingKeyError, DamagedObjectError):
                pass
        return self._curated(facets, facets.rows["reasons"][place] != "", name)

    def search(self, facets: Facets, places: pl.Series, patterns: Sequence[str]) -> pl.Series:
        """Those of some places whose text has all patterns, in their order.

        Raises MissingKeyError: the curated tables are gone.
        """
        wanted = pl.DataFrame({"place": places}).with_columns(
            sample_id=pl.Series([sample_id(facets, place) for place in places], dtype=pl.String),
            rejected=facets.rows["reasons"].gather(places) != "",
        )
        found = []
        for rejected in (False, True):
            few = wanted.filter(pl.col("rejected") == rejected)
            if few.height:
                texts = self._table(facets, rejected=rejected).select("sample_id", "caption")
                has = [pl.col("caption").str.contains(pattern) for pattern in patterns]
                found.append(few.join(texts.filter(*has), on="sample_id").get_column("place"))
        if not found:
            return pl.Series("place", [], dtype=places.dtype)
        return pl.concat(found).sort()

    def _read_block(self, facets: Facets, block: int) -> pl.DataFrame:
        key = layout.part_key(
            self._campaign.name, facets.track, facets.shard, facets.generation or "", block
        )
        return pl.DataFrame(records.read_table(self._campaign.store, key, _COLUMNS))

    def _curated(self, facets: Facets, rejected: bool, name: str) -> Row:
        rows = self._table(facets, rejected=rejected)
        found = rows.filter(pl.col("sample_id") == name)
        if not found.height:
            key = layout.curated_key(self._campaign.name, facets.track, facets.shard, "")
            raise MissingKeyError(f"{key} with {name}", self._campaign.store.url)
        return found.row(0, named=True)

    def _table(self, facets: Facets, *, rejected: bool) -> pl.DataFrame:
        name = f"{'rejected' if rejected else 'accepted'}.parquet"

        def read() -> pl.DataFrame:
            key = layout.curated_key(self._campaign.name, facets.track, facets.shard, name)
            return pl.DataFrame(records.read_table(self._campaign.store, key, _COLUMNS))

        with self._reading:  # of several that want one table, the first reads it
            # Facets of captions that were curated again are another object.
            return self._tables.get((facets.unit, name, id(facets.rows)), read)


def found_words(text: str, patterns: Sequence[str]) -> list[tuple[int, int]]:
    """Where patterns of a search are in a text: first character and the one behind the last."""
    spans = []
    for pattern in patterns:
        try:
            spans += [found.span() for found in re.finditer(pattern, text)]
        except re.error:  # the two dialects differ in what they escape
            continue
    return spans
