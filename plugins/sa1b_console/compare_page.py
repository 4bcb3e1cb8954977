"""A shard's track in two generations, campaigns or releases: counts, and captions side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from fastapi import Request
from fastapi.responses import HTMLResponse

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import CaptioningError, PermanentError
from sa1b_captions.quality.report.differences import Side, parse_sample, sides_of
from sa1b_captions.quality.rules import MEANINGS
from sa1b_captions.recipe import TRACKS
from sa1b_captions.release.comparing.changes import changed_settings
from sa1b_captions.release.comparing.difference import KINDS
from sa1b_captions.release.comparing.judged import TrackMarks
from sa1b_captions.release.manifest import latest_version
from sa1b_captions.stages.compare_shard import GENERATION, Compared, generations_of
from sa1b_captions.stages.diff import CAMPAIGN
from sa1b_console.common import open_campaign, show_live
from sa1b_console.comparisons import Asked, align, marks_of_pair, parse_asked

PAGE_PAIRS = 12
SHOWN_CHARS = 3000
"""Longest text whose changes are marked; rejected ones can run away."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A sample with what both sides say of it."""

    sample_id: str
    language: str
    shard: str
    images: Sequence[int]
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
        rows, after = page_of(compared.rows[asked.kind], asked.after_key, PAGE_PAIRS)
        pairs = [_pair(row) for row in rows.iter_rows(named=True)]
    except PermanentError as error:
        return _show(request, campaign, asked, None, fault=str(error))
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


def _pair(row: Mapping[str, Any]) -> Pair:
    track, shard, images = parse_sample(row["sample_id"])
    language = track.rpartition("_")[2]
    before, after = sides_of(row, language, SHOWN_CHARS)
    gained = None if before is None or after is None else after.chars - before.chars
    return Pair(row["sample_id"], language, shard, images, before, after, gained)
