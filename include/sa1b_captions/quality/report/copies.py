"""Duplicates as a page shows them: clusters of captions, and photographs under several ids.

Shown are the largest clusters, near pairs evenly spread from hardly to quite alike, and a few exact
pairs: a fixed rule over the stored tables, as for every picture of a report.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import MissingKeyError
from sa1b_captions.quality.duplicates.image_hashes import SAME_BYTES, SAME_LOOK
from sa1b_captions.quality.report.gallery import SHOWN_CHARS, Gallery, Picture, Sample, evenly

LARGEST_CLUSTERS = 3
COPIES_SHOWN = 3
"""Copies of a large cluster that are shown beside the winner."""

NEAR_PAIRS = 6
EXACT_PAIRS = 2
PHOTOGRAPH_GROUPS = 6
"""Groups shown of each kind."""

PHOTOGRAPHS_SHOWN = 4
_SIZES = (2, 3, 4, 5, 6, 11, 101)
"""Lower edges of the ranges of cluster sizes that are counted."""

_COLUMNS = ["sample_id", "winner", "kind", "jaccard"]
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")

Pieces = list[tuple[str, str]]
"""Text and what it is beside another caption: `same`, `added` (only here) or `gone`."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A caption that is left out, beside the one that stays."""

    sample_id: str
    language: str
    pictures: list[Picture]
    kind: str
    """`exact` or `near`."""
    jaccard: float
    pieces: Pieces


@dataclass(frozen=True, slots=True)
class Cluster:
    """Captions of which one stays."""

    winner: Sample
    copies: list[Copy]
    """Copies that are shown."""
    left_out: int
    """Captions of the cluster that are left out, shown or not."""


@dataclass(frozen=True, slots=True)
class Copies:
    """What a page says of duplicates."""

    exact: int
    near: int
    sizes: list[tuple[str, int, int]]
    """Captions in a cluster, clusters of that size, captions they leave out."""
    largest: list[Cluster]
    pairs: list[Cluster]


def compare(winner: str, copy: str, language: str, *, fold_case: bool = True) -> Pieces:
    """The copy's text with what differs: words, or characters in Chinese."""
    first = list(winner) if language == "zh" else _WORDS.findall(winner)
    second = list(copy) if language == "zh" else _WORDS.findall(copy)
    pieces = []
    # Case does not count for Jaccard, so it is no difference between duplicates either.
    a, b = ([unit.lower() for unit in units] if fold_case else units for units in (first, second))
    for tag, start, end, from_, to in difflib.SequenceMatcher(
        None, a=a, b=b, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            pieces.append(("".join(second[from_:to]), "same"))
            continue
        pieces += [("".join(first[start:end]), "gone"), ("".join(second[from_:to]), "added")]
    return [(text, kind) for text, kind in pieces if text]


def read_copies(campaign: Campaign, track: str, shard: str) -> pa.Table:
    """Duplicates within a shard (`sample_id`, `winner`, `kind`, `jaccard`)."""
    key = layout.curated_key(campaign.name, track, shard, "duplicates.parquet")
    return records.read_table(campaign.store, key, _COLUMNS)


def show_copies(gallery: Gallery, tables: Iterable[pa.Table]) -> Copies:
    """Choose what to show of duplicates, each table those of one track."""
    frame = pl.concat(pl.DataFrame(table.select(_COLUMNS)) for table in tables)
    clusters = frame.group_by("winner", maintain_order=True).agg(pl.all())
    clusters = clusters.with_columns(size=pl.col("sample_id").list.len() + 1)
    large = clusters.filter(pl.col("size") > 2).sort("size", descending=True, maintain_order=True)
    large = large.head(LARGEST_CLUSTERS)
    rest = frame.filter(~pl.col("winner").is_in(large["winner"].implode()))
    near = rest.filter(pl.col("kind") == "near").sort("jaccard", maintain_order=True)
    exact = rest.filter(pl.col("kind") == "exact")
    pairs = [near[place] for place in evenly(near.height, NEAR_PAIRS)]
    pairs += [exact[place] for place in evenly(exact.height, EXACT_PAIRS)]
    return Copies(
        exact=frame.filter(pl.col("kind") == "exact").height,
        near=frame.filter(pl.col("kind") == "near").height,
        sizes=_count_sizes(clusters["size"]),
        largest=[
            _cluster(gallery, frame.filter(pl.col("winner") == winner))
            for winner in large["winner"]
        ],
        pairs=[_cluster(gallery, pair) for pair in pairs],
    )


def _count_sizes(sizes: pl.Series) -> list[tuple[str, int, int]]:
    counted = []
    for low, after in zip(_SIZES, (*_SIZES[1:], None), strict=True):
        inside = sizes.filter((sizes >= low) & (sizes < after if after else True))
        if inside.len():
            name = f"{low} or more" if after is None else f"{low} to {after - 1}"
            left_out = int(inside.sum()) - inside.len()
            counted.append((str(low) if after == low + 1 else name, inside.len(), left_out))
    return counted


def _cluster(gallery: Gallery, rows: pl.DataFrame) -> Cluster:
    """One cluster from its copies."""
    winner = gallery.find(rows["winner"][0])
    shown = rows[evenly(rows.height, COPIES_SHOWN)]
    copies = [_copy(gallery, winner, row) for row in shown.iter_rows(named=True)]
    return Cluster(gallery.sample(winner, "kept"), copies, rows.height)


def _copy(gallery: Gallery, winner: Mapping[str, Any], found: Mapping[str, Any]) -> Copy:
    row = gallery.find(found["sample_id"])
    texts = (winner["caption"][:SHOWN_CHARS], row["caption"][:SHOWN_CHARS])
    return Copy(
        sample_id=row["sample_id"],
        language=row["language"],
        pictures=gallery.pictures(row),
        kind=found["kind"],
        jaccard=found["jaccard"],
        pieces=compare(*texts, row["language"]),
    )


@dataclass(frozen=True, slots=True)
class Repeats:
    """Photographs under several ids, of one kind."""

    meaning: str
    groups: int
    photographs: int
    shown: list[list[Picture]]


def show_repeats(campaign: Campaign, gallery: Gallery) -> list[Repeats] | None:
    """What the dedup stage found; None where it did not look."""
    try:
        table = records.read_table(campaign.store, layout.repeated_images_key(campaign.name))
    except MissingKeyError:
        return None
    repeats = []
    for kind, meaning in ((SAME_BYTES, "the same file"), (SAME_LOOK, "the same look")):
        frame = pl.DataFrame(table).filter(pl.col("kind") == kind)
        groups = frame["group"].unique(maintain_order=True)
        chosen = [groups[place] for place in evenly(groups.len(), PHOTOGRAPH_GROUPS)]
        shown = [
            [
                gallery.picture(shard, image)
                for shard, image in frame.filter(pl.col("group") == group)
                .select("shard", "image_id")
                .head(PHOTOGRAPHS_SHOWN)
                .iter_rows()
            ]
            for group in chosen
        ]
        repeats.append(Repeats(meaning, groups.len(), frame.height, shown))
    return repeats
