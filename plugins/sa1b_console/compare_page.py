"""A shard's track in two generations, campaigns or releases: counts, and captions side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from fastapi import Request
from fastapi.responses import HTMLResponse

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import CaptioningError, PermanentError
from sa1b_captions.quality.report.copies import Pieces
from sa1b_captions.quality.report.copies import compare as mark_changes
from sa1b_captions.quality.rules import MEANINGS
from sa1b_captions.recipe import TRACKS
from sa1b_captions.release.comparing.changes import changed_settings
from sa1b_captions.release.comparing.difference import KINDS
from sa1b_captions.release.comparing.judged import TrackMarks
from sa1b_captions.release.manifest import latest_version
from sa1b_captions.stages.compare_shard import GENERATION, Compared, generations_of
from sa1b_captions.stages.diff import CAMPAIGN
from sa1b_console.common import NotThere, open_campaign, show_live
from sa1b_console.comparisons import Asked, align, marks_of_pair, parse_asked

PAGE_PAIRS = 12
SHOWN_CHARS = 3000
"""Longest text whose changes are marked; rejected ones can run away."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side's caption of a sample."""

    pieces: Pieces
    """Text and what it is beside the other: `same`, `gone` or `added`."""
    chars: int
    cut: bool
    reasons: Sequence[tuple[str, str]]
    """Why it is not published, and what that means."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A sample with what both sides say of it."""

    sample_id: str
    language: str
    shard: str
    images: Sequence[str]
    before: Side | None
    """None where there is no such sample."""
    after: Side | None
    gained: int | None
    """Characters."""


def show_comparison(request: Request) -> HTMLResponse:
    """The page."""
    campaign = open_campaign()
    asked = parse_asked(campaign, request.query_params)
    if not asked.before:
        return _show(request, campaign, asked, None)
    try:
        compared = align(campaign, asked)
        marks = TrackMarks()
        marks.add(compared.rows["changed"], marks_of_pair(campaign, compared))
    except PermanentError as error:
        return _show(request, campaign, asked, None, fault=str(error))
    rows, after = page_of(compared.rows[asked.kind], asked.after_key, PAGE_PAIRS)
    pairs = [_pair(asked, row) for row in rows.iter_rows(named=True)]
    return _show(
        request,
        campaign,
        asked,
        compared,
        pairs=pairs,
        next=asked.query(after_key=after) if after else None,
        marks=marks.figures(),
    )


def page_of(rows: pl.DataFrame, after: str, most: int) -> tuple[pl.DataFrame, str]:
    """The rows of a page behind a key, and the key of its last row; empty if none follow."""
    found = rows.filter(pl.col("key") > after).head(most + 1)
    return found.head(most), found["key"][most - 1] if found.height > most else ""


def _show(
    request: Request,
    campaign: Campaign,
    asked: Asked,
    compared: Compared | None,
    fault: str = "",
    **values: Any,
) -> HTMLResponse:
    figures = compared.difference.figures() if compared else None
    shards = list(campaign.recipe.shards)
    at = shards.index(asked.shard) if asked.shard in shards else None
    return show_live(
        request,
        "compare.html",
        campaign=campaign,
        asked=asked,
        fault=fault,
        figures=figures,
        kinds=KINDS,
        tracks=TRACKS,
        choices=_choices(campaign, asked),
        meanings=MEANINGS,
        settings=changed_settings(compared.before.recipe, compared.after.recipe)
        if compared
        else {},
        judged_anew=GENERATION in asked.before + asked.after,
        previous_shard=shards[at - 1] if at else None,
        next_shard=shards[at + 1] if at is not None and at + 1 < len(shards) else None,
        **{"pairs": [], "next": None, "marks": None} | values,
    )


def _choices(campaign: Campaign, asked: Asked) -> list[str]:
    """Sides that there are to choose from, as far as no folder has to be listed for them."""
    found = [f"{CAMPAIGN}{campaign.name}"]
    try:
        replace(asked, before=asked.after).require_names()
        names = generations_of(campaign, asked.track, asked.shard)
        found += [f"{GENERATION}{name}" for name in names] if len(names) > 1 else []
        latest = latest_version(campaign.store)
    except CaptioningError:  # what is damaged is told by the comparison itself
        return found
    return found + ([latest] if latest else [])


def language_of(track: str) -> str:
    """Language of a track's captions, as `quality.report.copies.compare` takes it."""
    return track.rpartition("_")[2]


def parse_sample(sample_id: str) -> tuple[str, list[str]]:
    """Shard and image ids of a sample. Raises NotThere if it is none."""
    parts = sample_id.split("/")
    if len(parts) != 3 or not all(one.isdigit() for one in parts[2].split("-")):
        raise NotThere("a stored sample has no name of a sample; sa1b-captions verify says more")
    return parts[1], parts[2].split("-")


def _pair(asked: Asked, row: Mapping[str, Any]) -> Pair:
    shard, images = parse_sample(row["sample_id"])
    language = language_of(asked.track)
    before, after = row["caption"], row["caption_after"]
    pieces: Pieces = []
    if before is not None and after is not None:
        shown = (before[:SHOWN_CHARS], after[:SHOWN_CHARS])
        pieces = mark_changes(*shown, language, fold_case=False)
    return Pair(
        sample_id=row["sample_id"],
        language=language,
        shard=shard,
        images=images,
        before=_side(before, row["reasons"], [one for one in pieces if one[1] != "added"]),
        after=_side(after, row["reasons_after"], [one for one in pieces if one[1] != "gone"]),
        gained=None if before is None or after is None else len(after) - len(before),
    )


def _side(caption: str | None, reasons: Sequence[str] | None, pieces: Pieces) -> Side | None:
    if caption is None:
        return None
    return Side(
        pieces or [(caption[:SHOWN_CHARS], "same")],
        len(caption),
        len(caption) > SHOWN_CHARS,
        [(reason, MEANINGS.get(reason, "")) for reason in reasons or ()],
    )
