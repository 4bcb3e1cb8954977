"""A page of samples: read from as few shards as have some, and continued by key, not by count.

The counts say how many rows of each unit a filter has, so a page knows its units before it reads
one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from sa1b_captions.quality.browse.finding.facet_counts import FacetCounts
from sa1b_captions.quality.browse.finding.facets import Facets
from sa1b_captions.quality.browse.finding.filters import RANDOM, Filters
from sa1b_captions.quality.browse.finding.orders import (
    STEPS,
    Hit,
    Load,
    Reader,
    load_or_none,
    places_of,
    rows_of_units,
    unit_hash,
    unit_key,
)
from sa1b_captions.recipe import TRACKS

PAGE_ROWS = 24
SEARCH_S = 1.5
"""Seconds that one page looks for words before it shows what it has found."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a filter finds behind a key."""

    hits: list[Hit]
    after: str | None
    """Key of the next page; None where there is nothing more."""
    searched: tuple[int, int] | None = None
    """Units looked through so far, and of how many, where words are looked for."""


Search = Callable[[Facets, pl.Series], pl.Series]
"""Says which of some places of a unit have the words that are looked for."""


def count(counts: FacetCounts, filters: Filters) -> int:
    """Captions that a filter has; its text and its cluster are not looked at."""
    return int(rows_of_units(counts, filters)["rows"].sum())


def count_by(counts: FacetCounts, filters: Filters, column: str) -> pl.DataFrame:
    """The same by one column of the counts (`column`, `rows`)."""
    rows = counts.rows.filter(
        pl.col("unit").is_in(filters.units(counts)), filters.of_counts(counts.rows)
    )
    return rows.group_by(column).agg(pl.col("rows").sum()).sort(column)


def find_page(
    counts: FacetCounts, filters: Filters, after: str, load: Load, *, rows: int = PAGE_ROWS
) -> Page:
    """The next samples of a filter, in its order; its text is not looked at.

    Args:
        after: key of the sample before; empty for the first page.
        load: reads facets; called in threads.
        rows: at most so many samples.

    Raises PermanentError: the key is none.
    """
    hits: list[Hit] = []
    with Reader(load) as reader:
        for hit in STEPS[filters.order](counts, filters, after, reader, rows + 1):
            hits.append(hit)
            if len(hits) > rows:
                return Page(hits[:rows], hits[rows - 1].key)
    return Page(hits, None)


def search_page(
    counts: FacetCounts,
    filters: Filters,
    after: str,
    load: Load,
    search: Search,
    *,
    rows: int = PAGE_ROWS,
) -> Page:
    """The next samples whose caption has the filter's words; as `find_page`.

    Unit by unit, until the page is full or `SEARCH_S` are over: then the key says where to go on.
    """

    def rank(unit: str) -> tuple[Any, ...]:
        track, shard = unit.split("/")
        if filters.order == RANDOM:
            return (unit_hash(filters.seed, unit),)
        return (shard, TRACKS.index(track))

    units = sorted(rows_of_units(counts, filters)["unit"].to_list(), key=rank)
    from_unit, from_place = unit_key(after) if after else ("", -1)
    began = time.monotonic()
    hits: list[Hit] = []
    for number, unit in enumerate(units):
        if from_unit and rank(unit) < rank(from_unit):
            continue
        if time.monotonic() - began > SEARCH_S:
            return Page(hits, f"{unit}~-1", (number, len(units)))
        facets = load_or_none(load, unit)
        if facets is None:
            continue
        places = places_of(facets, filters)
        if unit == from_unit:
            places = places.filter(places > from_place)
        for place in search(facets, places):
            hits.append(Hit(facets, place, f"{unit}~{place}"))
            if len(hits) == rows:
                return Page(hits, hits[-1].key, (number + 1, len(units)))
    return Page(hits, None, (len(units), len(units)))
