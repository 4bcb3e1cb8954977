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
class Text:
    """One side's caption of a sample."""

    pieces: Pieces
    chars: int
    """Length of the whole text."""
    reasons: Sequence[str]
    """Why it is not published; empty if it is."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A sample with what both sides say of it."""

    sample_id: str
    language: str
    pictures: Sequence[Picture]
    texts: Sequence[Text | None]
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

    Raises:
        DamagedObjectError: the name of a sample is none.
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
    track, shard, images = _parse(row["sample_id"])
    language = track.rpartition("_")[2]
    before, after = row["caption"], row["caption_after"]
    pieces: Pieces = []
    if before is not None and after is not None:
        cut = (before[:SHOWN_CHARS], after[:SHOWN_CHARS])
        pieces = compare(*cut, language, fold_case=False)
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
        texts=[
            _text(before, row["reasons"], [piece for piece in pieces if piece[1] != "added"]),
            _text(after, row["reasons_after"], [piece for piece in pieces if piece[1] != "gone"]),
        ],
    )


def _text(caption: str | None, reasons: Sequence[str] | None, pieces: Pieces) -> Text | None:
    if caption is None:
        return None
    return Text(pieces or [(caption[:SHOWN_CHARS], "same")], len(caption), reasons or ())


def _parse(sample_id: str) -> tuple[str, str, list[int]]:
    """Track, shard and images of a sample's name."""
    try:
        track, shard, images = sample_id.split("/")
        return track, shard, [int(image) for image in images.split("-")]
    except ValueError:
        raise DamagedObjectError(
            f"{sample_id!r} is not the name of a sample; sa1b-captions verify says what is damaged"
        ) from None
