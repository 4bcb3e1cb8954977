"""What the marks say of the captions, and how many more a claim needs."""

from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import HTMLResponse

from sa1b_captions.campaign import Campaign
from sa1b_captions.quality.browse.finding.facet_counts import FacetCounts
from sa1b_captions.quality.browse.finding.filters import ACCEPTED, RANDOM, Filters, parse_draw
from sa1b_captions.quality.browse.finding.find import count, count_by
from sa1b_captions.quality.reviews import (
    Share,
    agreements,
    fit_shares,
    marks_needed,
    rule_scores,
)
from sa1b_captions.recipe import TRACKS
from sa1b_console.common import show_live
from sa1b_console.gallery_pages import catalogue_of
from sa1b_console.marking import FAULTS, caption_marks

MARGINS = (0.03, 0.02, 0.01, 0.005)
"""Margins that the plan names."""

_EXPECTED = 0.95
"""Fit share that a plan expects where nobody has marked anything."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A random sample that people go through."""

    words: str
    """What it is of, for people."""
    query: str
    """Address of its gallery, behind the question mark."""
    share: Share
    of: int
    """Captions it was drawn from."""
    plan: list[tuple[float, int, int]]
    """Margin, marks it needs in all, marks it still needs."""


def show_marks(request: Request, campaign: Campaign) -> HTMLResponse:
    """The page."""
    catalogue = catalogue_of(campaign)
    counts = catalogue.counts()
    marks = caption_marks(campaign)
    rejected: dict[str, int] = {}
    for joined, rows in count_by(counts, Filters(), "reasons").iter_rows():
        for reason in joined.split():
            rejected[reason] = rejected.get(reason, 0) + rows
    shares = fit_shares(marks)
    for track in TRACKS:  # what there is to begin with
        filters = Filters(track=track, verdict=ACCEPTED, order=RANDOM)
        if count(counts, filters):
            shares.setdefault(filters.draw or "", Share(0, 0))
    drawn = [
        one for draw, share in shares.items() if (one := _drawn(draw, share, counts)) is not None
    ]
    faults: dict[str, int] = {}
    for mark in marks:
        if mark.fault is not None:
            faults[FAULTS[mark.fault]] = faults.get(FAULTS[mark.fault], 0) + 1
    return show_live(
        request,
        "marks.html",
        campaign=campaign,
        marks=len(marks),
        people=sorted({mark.who for mark in marks}),
        drawn=sorted(drawn, key=lambda one: -one.share.of),
        rules=rule_scores(marks, rejected, count(counts, Filters(verdict=ACCEPTED))),
        agreements=list(agreements(marks)),
        faults=sorted(faults.items(), key=lambda pair: -pair[1]),
    )


def _drawn(draw: str, share: Share, counts: FacetCounts) -> Drawn | None:
    """What a draw's name says; None of one that this version would not have made."""
    filters = parse_draw(draw)
    if filters is None:
        return None
    of = count(counts, filters)
    expected = share.share if share.share is not None and share.of >= 30 else _EXPECTED
    return Drawn(
        filters.words,
        filters.query(),
        share,
        of,
        [
            (margin, needed, max(0, needed - share.of))
            for margin in MARGINS
            for needed in [min(of, marks_needed(expected, margin))]
        ],
    )
