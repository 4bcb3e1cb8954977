"""Rows of a report that people look at: samples and rejected captions.

Which rows are shown is a fixed rule over the stored tables, so that a report made twice shows the
same ones and nobody picks the good ones.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import polars as pl

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.features import LINE_BREAKS, SPECIAL_TOKENS
from sa1b_captions.quality.report.thumbnails import Thumbnails
from sa1b_captions.quality.rules import EXACT_DUPLICATE, MEANINGS, NEAR_DUPLICATE

SINGLE_SAMPLES = 4
"""Photographs shown with their single-image captions; each multi-image track adds one sample."""

REJECTED_PER_REASON = 12
SHOWN_CHARS = 2400
"""Longest accepted text shown in full."""

REJECTED_CHARS = 600
"""Characters of a rejected caption that are shown; rejected ones can run away."""

_SMALL_PX = 120
_MARKED = re.compile(
    f"([{re.escape(LINE_BREAKS)}]|{'|'.join(map(re.escape, SPECIAL_TOKENS))})", re.IGNORECASE
)
_COLUMNS = ["sample_id", "shard", "track", "language", "image_ids", "images", "caption"]

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """A photograph of a sample."""

    name: str
    """`sa_000017/sa_190188.jpg`."""
    uri: str | None
    """`data:` address; None when it cannot be shown."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption as a page shows it."""

    sample_id: str
    track: str
    language: str
    passages: list[tuple[str, bool]]
    """Pieces of the text, and whether a piece is something a caption must not contain."""
    chars: int
    """Length of the whole text."""
    cut: bool
    """Whether the passages leave out the end."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Photographs and what was said about them."""

    pictures: list[Picture]
    captions: list[Caption]
    note: str = ""
    """What else to know, for people."""


@dataclass(frozen=True, slots=True)
class RejectedGroup:
    """Rows rejected for one reason."""

    reason: str
    meaning: str
    rows: int
    """All rows with the reason."""
    samples: list[Sample]
    """The ones shown."""


def evenly(count: int, wanted: int) -> list[int]:
    """At most `wanted` places among `count`, ascending and evenly spread."""
    wanted = min(wanted, count)
    return [(2 * place + 1) * count // (2 * wanted) for place in range(wanted)]


def read_rows(campaign: Campaign, track: str, shard: str, name: str = "accepted") -> pl.DataFrame:
    """Curated rows of a shard's track with what a page needs of them, in plan order."""
    extra = ["reasons", "error"] if name == "rejected" else []
    key = layout.curated_key(campaign.name, track, shard, f"{name}.parquet")
    return pl.DataFrame(records.read_table(campaign.store, key, _COLUMNS + extra))


def read_winners(campaign: Campaign, track: str, shard: str) -> dict[str, str]:
    """Sample that stays in the place of each that curate found to be a duplicate."""
    key = layout.curated_key(campaign.name, track, shard, "duplicates.parquet")
    table = records.read_table(campaign.store, key, ["sample_id", "winner"])
    return dict(zip(*(column.to_pylist() for column in table.columns), strict=True))


class Gallery:
    """Turns rows into samples with their pictures."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._thumbnails = Thumbnails(campaign.store)
        # A table of a full shard takes about 20 MB; eight are one shard's.
        self._rows = lru_cache(maxsize=8)(partial(read_rows, campaign))
        self._winners = lru_cache(maxsize=8)(partial(read_winners, campaign))

    def samples(
        self, shard: str, tracks: Sequence[str], singles: int = SINGLE_SAMPLES
    ) -> list[Sample]:
        """Accepted samples of a shard, evenly spread over its plan.

        Photographs captioned in several languages come first, their captions side by side.
        """
        single = [track for track in tracks if track.startswith("single_")]
        samples = []
        if single:
            rows = pl.concat([self._rows(track, shard) for track in single])
            image = pl.col("image_ids").list.first()
            images = rows.group_by(image, maintain_order=True).len()
            full = images.filter(pl.col("len") == pl.col("len").max())["image_ids"]
            for place in evenly(len(full), singles):
                found = rows.filter(image == full[place]).to_dicts()
                samples.append(Sample(self.pictures(found[0]), [_caption(row) for row in found]))
        for track in (track for track in tracks if track.startswith("multi_")):
            frame = self._rows(track, shard)
            samples += [self.sample(frame.row(p, named=True)) for p in evenly(frame.height, 1)]
        return samples

    def rejected(self, shard: str, tracks: Sequence[str]) -> list[RejectedGroup]:
        """Rejected rows of a shard, by reason; a row with two reasons is shown under both."""
        frames = [self._rows(track, shard, "rejected") for track in tracks]
        if not frames:
            return []
        rows = pl.concat(frames)
        groups = []
        for reason, meaning in MEANINGS.items():
            found = rows.filter(pl.col("reasons").list.contains(reason))
            if found.height:
                shown = found[evenly(found.height, REJECTED_PER_REASON)]
                samples = [self._rejected(row, reason) for row in shown.iter_rows(named=True)]
                groups.append(RejectedGroup(reason, meaning, found.height, samples))
        return groups

    def find(self, sample_id: str) -> Row:
        """The curated row of a sample, accepted or rejected.

        Raises PermanentError: no curated table has it.
        """
        track, shard, _ = sample_id.split("/")
        for name in ("accepted", "rejected"):
            rows = self._rows(track, shard, name)
            found = rows.filter(pl.col("sample_id") == sample_id)
            if found.height:
                return found.row(0, named=True)
        raise PermanentError(f"{sample_id} is in no curated table; curate its shard with --force")

    def sample(self, row: Row, note: str = "") -> Sample:
        """One row with its pictures."""
        return Sample(self.pictures(row), [_caption(row)], note)

    def pictures(self, row: Row, max_width_px: int | None = None) -> list[Picture]:
        """A row's photographs, by default smaller when they are several."""
        width = max_width_px or (240 if len(row["image_ids"]) == 1 else 160)
        return [
            Picture(name, self._thumbnails.uri(row["shard"], image_id, width))
            for image_id, name in zip(row["image_ids"], row["images"], strict=True)
        ]

    def picture(self, shard: str, image_id: int) -> Picture:
        """A photograph by itself."""
        return Picture(f"sa_{image_id}.jpg in {shard}", self._thumbnails.uri(shard, image_id, 160))

    def _rejected(self, row: Row, reason: str) -> Sample:
        pictures = self.pictures(row, _SMALL_PX)
        note = row["error"] or ""
        if reason in (EXACT_DUPLICATE, NEAR_DUPLICATE):
            winner = self.find(self._winners(row["track"], row["shard"])[row["sample_id"]])
            note = f"kept: {winner['sample_id']}"
            pictures += self.pictures(winner, _SMALL_PX)
        return Sample(pictures, [_caption(row, REJECTED_CHARS)], note)


def _caption(row: Row, shown_chars: int = SHOWN_CHARS) -> Caption:
    text: str = row["caption"] or ""
    pieces = _MARKED.split(text[:shown_chars])
    return Caption(
        sample_id=row["sample_id"],
        track=row["track"],
        language=row["language"],
        # Splitting by a group puts what it matched at the odd places.
        passages=[(_visible(piece), place % 2 == 1) for place, piece in enumerate(pieces) if piece],
        chars=len(text),
        cut=len(text) > shown_chars,
    )


def _visible(piece: str) -> str:
    return "↵" if piece in LINE_BREAKS else piece
