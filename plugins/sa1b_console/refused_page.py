"""The sentences that the audit's judge refused, one by one, each with its photograph."""

from itertools import islice
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse

from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.browse.finding.filters import REFUSED, parse_filters
from sa1b_captions.quality.browse.finding.orders import unit_key
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.auditing.refused_captions import sentences_of, worst_units
from sa1b_console.common import NotThere, open_campaign, show_live
from sa1b_console.gallery_pages import refused_of

PAGE_SENTENCES = 40


def show_refused(request: Request, track: str, shards: str, after: str) -> HTMLResponse:
    """The page: tracks of shards with most refused captions first, the surest sentence first."""
    campaign = open_campaign()
    refused = refused_of(campaign)
    counts = refused.counts()
    try:
        filters = parse_filters({"track": track, "shards": shards, "audit": REFUSED})
        units = worst_units(counts, set(filters.units(counts)))
        unit, place = unit_key(after) if after else ("", -1)
        begin = units.index(unit) if unit in units else 0
        found = list(
            islice(sentences_of(refused, units, begin, place + 1), PAGE_SENTENCES + 1),
        )
    except PermanentError as error:
        raise NotThere(str(error)) from None
    shown = found[:PAGE_SENTENCES]
    key = f"{shown[-1][0]}~{shown[-1][1]}" if len(found) > PAGE_SENTENCES else ""
    return show_live(
        request,
        "refused.html",
        campaign=campaign,
        filters=filters,
        tracks=TRACKS,
        sentences=[
            {**row, "shard": unit.split("/")[1], "language": unit.split("/")[0].rpartition("_")[2]}
            for unit, _, row in shown
        ],
        captions=int(counts.rows.filter(counts.rows["unit"].is_in(units))["rows"].sum()),
        lacking=refused.counting.lacking,
        fault=refused.counting.fault,
        first=not after,
        next=urlencode({"track": filters.track, "shards": filters.shards, "after": key})
        if key
        else None,
    )
