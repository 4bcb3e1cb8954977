"""Page on two versions of the dataset, or two campaigns: counts, settings, captions side by side.

The counts come as they are stored in the comparison's JSON. Photographs are cut from the shards of
a store, so the page is for people of the house.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sa1b_captions.errors import DamagedObjectError
from sa1b_captions.quality.report import page
from sa1b_captions.quality.report.copies import Pieces, compare
from sa1b_captions.quality.report.gallery import SHOWN_CHARS, Picture
from sa1b_captions.quality.report.thumbnails import Thumbnails
from sa1b_captions.storage import Store


@dataclass(frozen=True, slots=True)
class Side:
    """One side's caption of a sample."""

    pieces: Pieces
    chars: int
    """Length of the whole text."""
    cut: bool
    reasons: Sequence[str]
    """Why it is not published; empty if it is."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A sample with what both sides say of it."""

    sample_id: str
    language: str
    pictures: Sequence[Picture]
    texts: Sequence[Side | None]
    """Before and after; None where there is no such sample."""


def render_difference(
    facts: Mapping[str, Any],
    examples: Mapping[str, Sequence[Mapping[str, Any]]],
    meanings: Mapping[str, str],
    store: Store | None,
) -> str:
    """HTML page of a comparison.

    Args:
        facts: what `stages.diff` stores as JSON.
        examples: rows to show by what became of them: `sample_id`, `caption` and `reasons` before,
            `caption_after` and `reasons_after`; null where there is no such sample.
        meanings: of reasons, for people.
        store: that has the shards of the photographs; None shows none.

    Raises DamagedObjectError: the name of a sample is none.
    """
    thumbnails = None if store is None else Thumbnails(store)
    return page.fill_template(
        "difference.html.jinja",
        facts=facts,
        meanings=meanings,
        pairs={
            kind: [_pair(row, thumbnails) for row in rows]
            for kind, rows in examples.items()
            if rows
        },
    )


def _pair(row: Mapping[str, Any], thumbnails: Thumbnails | None) -> Pair:
    track, shard, images = parse_sample(row["sample_id"])
    language = track.rpartition("_")[2]
    width = 240 if len(images) == 1 else 160
    return Pair(
        sample_id=row["sample_id"],
        language=language,
        pictures=[
            Picture(
                f"{shard}/sa_{image}.jpg",
                thumbnails.uri(shard, image, width) if thumbnails else None,
            )
            for image in images
        ],
        texts=sides_of(row, language, SHOWN_CHARS),
    )


def sides_of(
    row: Mapping[str, Any], language: str, shown_chars: int
) -> tuple[Side | None, Side | None]:
    """What both sides say of a sample, with what differs in so many characters marked."""
    before, after = row["caption"], row["caption_after"]
    pieces: Pieces = []
    if before is not None and after is not None:
        cut = (before[:shown_chars], after[:shown_chars])
        pieces = compare(*cut, language, fold_case=False)

    def side(caption: str | None, reasons: Sequence[str] | None, other: str) -> Side | None:
        if caption is None:
            return None
        own = [piece for piece in pieces if piece[1] != other]
        shown = own or [(caption[:shown_chars], "same")]
        return Side(shown, len(caption), len(caption) > shown_chars, reasons or ())

    return side(before, row["reasons"], "added"), side(after, row["reasons_after"], "gone")


def parse_sample(sample_id: str) -> tuple[str, str, list[int]]:
    """Track, shard and images of a sample's name. Raises DamagedObjectError if it is none."""
    try:
        track, shard, images = sample_id.split("/")
        return track, shard, [int(image) for image in images.split("-")]
    except ValueError:
        raise DamagedObjectError(
            f"{sample_id!r} is not the name of a sample; sa1b-captions verify says what is damaged"
        ) from None
