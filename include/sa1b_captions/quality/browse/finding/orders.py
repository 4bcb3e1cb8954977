"""The orders in which samples are found, each read from as few units as have some.

At random means: every unit's rows in a shuffled order, spread evenly over the whole, so that any
beginning of it is a random sample in which each shard has its share. It depends on the seed and on
the rows alone; shards that come later fall in between.
"""

import heapq
import math
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl
import xxhash

from sa1b_captions.errors import DamagedObjectError, MissingKeyError, PermanentError
from sa1b_captions.quality.browse.finding.facet_counts import FacetCounts
from sa1b_captions.quality.browse.finding.facets import Facets
from sa1b_captions.quality.browse.finding.filters import LONG, PLAN, RANDOM, SHORT, Filters
from sa1b_captions.recipe import TRACKS
from sa1b_captions.shards import SHARD_PATTERN

READERS = 12
UNIT_PATTERN = rf"(?:{'|'.join(TRACKS)})/{SHARD_PATTERN}"

Load = Callable[[str], Facets]
"""Reads a unit's facets."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A sample that a filter finds."""

    facets: Facets
    place: int
    """Among the rows of its facets."""
    key: str
    """Where a page goes on behind it."""


class Reader:
    """Reads the facets of several units at once."""

    def __init__(self, load: Load) -> None:
        self._load = load

    def __enter__(self) -> "Reader":
        self._pool = ThreadPoolExecutor(READERS)
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def read(self, units: Iterable[str]) -> Iterator[Facets | None]:
        """Facets in the order of their units; None of one that is being curated again."""
        return self._pool.map(lambda unit: load_or_none(self._load, unit), units)


def load_or_none(load: Load, unit: str) -> Facets | None:
    """Facets of a unit; None of one that is being curated again, is damaged or is gone."""
    try:
        return load(unit)
    except (MissingKeyError, DamagedObjectError, KeyError):
        return None


def rows_of_units(counts: FacetCounts, filters: Filters) -> pl.DataFrame:
    """Rows of each unit that has any (`unit`, `rows`), shard by shard."""
    order = {unit: place for place, unit in enumerate(filters.units(counts))}
    found = (
        counts.rows.filter(filters.of_counts(counts.rows))
        .group_by("unit")
        .agg(pl.col("rows").sum())
        .with_columns(pl.col("unit").cast(pl.String))
    )
    return (
        found.with_columns(
            at=pl.col("unit").replace_strict(order, default=None, return_dtype=pl.Int32)
        )
        .drop_nulls("at")
        .sort("at")
        .select("unit", "rows")
    )


def places_of(facets: Facets, filters: Filters) -> pl.Series:
    """Places of a unit's rows that a filter has, ascending."""
    return facets.rows.select(filters.of_facets().arg_true().cast(pl.Int64)).to_series()


def _plan(
    counts: FacetCounts, filters: Filters, after: str, reader: Reader, rows: int
) -> Iterator[Hit]:
    from_unit, from_place = unit_key(after) if after else ("", -1)
    order = {unit: place for place, unit in enumerate(filters.units(counts))}
    units = rows_of_units(counts, filters)
    if from_unit:
        at = order.get(from_unit, -1)
        units = units.filter(
            pl.Series([order[unit] >= at for unit in units["unit"]], dtype=pl.Boolean)
        )
    for names in _batches(units, from_unit, rows):
        for unit, facets in zip(names, reader.read(names), strict=True):
            if facets is None:
                continue
            places = places_of(facets, filters)
            if unit == from_unit:
                places = places.filter(places > from_place)
            for place in places.head(rows):
                yield Hit(facets, place, f"{unit}~{place}")


def _batches(units: pl.DataFrame, from_unit: str, rows: int) -> Iterator[list[str]]:
    """Units in their order, as many at once as have that many rows together."""
    batch: list[str] = []
    held = 0
    for unit, count in units.iter_rows():
        batch.append(unit)
        held += 0 if unit == from_unit else count  # of that one, all may lie before the key
        if held >= rows:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _lengths(
    counts: FacetCounts, filters: Filters, after: str, reader: Reader, rows: int
) -> Iterator[Hit]:
    sign = -1 if filters.order == LONG else 1
    order = {unit: place for place, unit in enumerate(filters.units(counts))}
    groups = (
        counts.rows.filter(filters.of_counts(counts.rows))
        .with_columns(
            chars=pl.col("caption_chars") * sign,
            at=pl.col("unit")
            .cast(pl.String)
            .replace_strict(order, default=None, return_dtype=pl.Int32),
        )
        .drop_nulls("at")
    )
    start = (-math.inf, -1, -1)
    if after:
        text, _, rest = after.partition("~")
        unit, place = unit_key(rest)
        (chars,) = key_numbers(text, 1)
        start = (chars * sign, order.get(unit, -1), place)
        groups = groups.filter(
            (pl.col("chars") > start[0])
            | ((pl.col("chars") == start[0]) & (pl.col("at") >= start[1]))
        )
    groups = groups.group_by("chars", "at").agg(pl.col("rows").sum())
    # A page has no more groups than rows, its first one apart.
    groups = groups.bottom_k(rows + 1, by=["chars", "at"]).sort("chars", "at")
    names = list(order)
    units = list(dict.fromkeys(groups["at"]))
    read = dict(zip(units, reader.read([names[at] for at in units]), strict=True))
    for chars, at, _ in groups.iter_rows():
        facets = read[at]
        if facets is None:
            continue
        places = places_of(facets, filters)
        places = places.filter(facets.rows["caption_chars"].gather(places) == chars * sign)
        if (chars, at) == start[:2]:
            places = places.filter(places > start[2])
        for place in places.head(rows):
            yield Hit(facets, place, f"{chars * sign}~{names[at]}~{place}")


def _draw(
    counts: FacetCounts, filters: Filters, after: str, reader: Reader, rows: int
) -> Iterator[Hit]:
    from_key, from_unit = (0.0, "")
    if after:
        text, _, from_unit = after.partition("~")
        (from_key,) = key_numbers(text, 1)
    units = rows_of_units(counts, filters)
    queue = []
    for unit, held in units.iter_rows():
        first = unit_hash(filters.seed, unit)
        rank = max(0, math.floor(from_key * held - first))
        while rank < held and ((rank + first) / held, unit) <= (from_key, from_unit):
            rank += 1
        if rank < held:
            queue.append(((rank + first) / held, unit, rank, held))
    heapq.heapify(queue)
    chosen: list[tuple[float, str, int]] = []
    while queue and len(chosen) < rows:
        key, unit, rank, held = queue[0]
        chosen.append((key, unit, rank))
        if rank + 1 < held:
            following = (rank + 1 + unit_hash(filters.seed, unit)) / held
            heapq.heapreplace(queue, (following, unit, rank + 1, held))
        else:
            heapq.heappop(queue)
    names = list(dict.fromkeys(unit for _, unit, _ in chosen))
    read = dict(zip(names, reader.read(names), strict=True))
    shuffled = {
        unit: _shuffled(facets, filters) for unit, facets in read.items() if facets is not None
    }
    for key, unit, rank in chosen:
        facets = read[unit]
        if facets is not None and rank < len(shuffled[unit]):
            yield Hit(facets, int(shuffled[unit][rank]), f"{key!r}~{unit}")


def _shuffled(facets: Facets, filters: Filters) -> np.ndarray:
    """A unit's places in an order that the seed decides; int64."""
    places = places_of(facets, filters).to_numpy().astype(np.uint64)
    with np.errstate(over="ignore"):  # splitmix64
        mixed = places * np.uint64(0x9E3779B97F4A7C15) + np.uint64(
            xxhash.xxh3_64_intdigest(f"{filters.seed}/{facets.unit}".encode())
        )
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    return places[np.argsort(mixed, kind="stable")].astype(np.int64)


def unit_hash(seed: int, unit: str) -> float:
    """A number of [0, 1) that belongs to a unit."""
    return xxhash.xxh3_64_intdigest(f"{seed}:{unit}".encode()) / 2**64


def unit_key(key: str) -> tuple[str, int]:
    """Unit and place of a key, as in `single_en/sa_000017~21`. Raises PermanentError."""
    unit, _, place = key.partition("~")
    if not re.fullmatch(UNIT_PATTERN, unit):
        place = ""
    (number,) = key_numbers(place, 1)
    return unit, int(number)


def key_numbers(key: str, wanted: int) -> tuple[float, ...]:
    """Numbers of a key. Raises PermanentError if there are not so many, or none."""
    try:
        found = tuple(float(part) for part in key.split("~"))
    except ValueError:
        found = ()
    if len(found) != wanted or not all(math.isfinite(number) for number in found):
        raise PermanentError("the address does not say where the page begins; leave `after` out")
    return found


Order = Callable[[FacetCounts, Filters, str, Reader, int], Iterator[Hit]]
"""Finds so many samples behind a key, or fewer where there are no more."""

STEPS: dict[str, Order] = {PLAN: _plan, SHORT: _lengths, LONG: _lengths, RANDOM: _draw}
"""By the name of the order."""
