"""Pages of photographs beside their captions, and the photographs themselves."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import urlencode

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from sa1b_captions.audit.judge import Answer
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.audits import audit_fingerprint
from sa1b_captions.marks import text_digest
from sa1b_captions.outputs import read_answers
from sa1b_captions.quality.browse import copy_clusters
from sa1b_captions.quality.browse.bounded import Bounded
from sa1b_captions.quality.browse.catalogue import Catalogue
from sa1b_captions.quality.browse.finding.facet_counts import FacetCounts
from sa1b_captions.quality.browse.finding.filters import (
    ORDERS,
    SAMPLE_PATTERN,
    Filters,
    parse_filters,
    search_patterns,
)
from sa1b_captions.quality.browse.finding.find import Page, count, count_by
from sa1b_captions.quality.browse.finding.orders import Hit
from sa1b_captions.quality.browse.offences import Span
from sa1b_captions.quality.browse.pictures import WIDTHS_PX, Pictures
from sa1b_captions.quality.rules import MEANINGS
from sa1b_captions.receipts.receipt_files import audit_place, read_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.shards import SHARD_PATTERN
from sa1b_captions.stages.auditing.refused_captions import RefusedCaptions
from sa1b_console.cards import CardMaker
from sa1b_console.common import NotThere, may_judge, open_campaign, show_live
from sa1b_console.marking import FAULTS, marks_of

_NOTHING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 200" width="320" height="200">'
    '<path fill="#8883" d="M0 0h320v200H0z"/><text x="160" y="105" text-anchor="middle" '
    'font-family="sans-serif" font-size="15" fill="#888">cannot be shown</text></svg>'
)
"""In place of a photograph that is gone or broken."""

_catalogues: Bounded[tuple[str, str, str], Catalogue] = Bounded(2)
_refused: Bounded[tuple[str, str, str], RefusedCaptions] = Bounded(2)
_pictures: Bounded[str, Pictures] = Bounded(2)


def catalogue_of(campaign: Campaign) -> Catalogue:
    """The catalogue of a campaign, one for all requests of this process."""
    key = (campaign.store.url, campaign.name, campaign.quality_fingerprint)
    return _catalogues.get(key, lambda: Catalogue(campaign))


def refused_of(campaign: Campaign) -> RefusedCaptions:
    """The captions that the audit found fault with, one for all requests of this process.

    Raises NotThere: the recipe asks for no audit.
    """
    if campaign.recipe.audit is None:
        raise NotThere(
            f"campaign {campaign.name} has no audit: its recipe has no [audit]; docs/audit.md says "
            "how to ask for one"
        )
    catalogue = catalogue_of(campaign)
    key = (campaign.store.url, campaign.name, audit_fingerprint(campaign.recipe))
    return _refused.get(key, lambda: RefusedCaptions(campaign, catalogue))


def gallery_page(request: Request, user: BaseUser, after: str) -> HTMLResponse:
    """Captions that a filter finds, a page of them."""
    filters = _filters(request.query_params)
    campaign = open_campaign()
    catalogue = catalogue_of(campaign)
    refused = refused_of(campaign) if filters.audit else None
    counts = (refused or catalogue).counts()
    try:
        page = (
            copy_clusters.cluster_page(campaign, catalogue, filters.cluster)
            if filters.cluster
            else catalogue.page(filters, after, refused)
        )
        spans = {} if refused is None else spans_of(refused, page.hits)
    except PermanentError as error:
        raise NotThere(str(error)) from None
    maker = CardMaker(campaign, catalogue, search_patterns(filters.text), spans)
    marks = marks_of(campaign, user)
    return show_live(
        request,
        "gallery.html",
        campaign=campaign,
        filters=filters,
        cards=maker.cards(page.hits, marks),
        page=page,
        total=None if filters.text or filters.cluster else count(counts, filters),
        all_captions=catalogue.counts().captions,
        lacking=(refused or catalogue).counting.lacking,
        fault=(refused or catalogue).counting.fault,
        choices=_choices(counts, filters),
        orders=ORDERS,
        faults=FAULTS,
        may=may_judge(user),
        first=not after,
        next=_next(filters, page),
    )


def _next(filters: Filters, page: Page) -> str | None:
    if page.after is None:
        return None
    return "&".join(part for part in (filters.query(), urlencode({"after": page.after})) if part)


def _filters(values: Mapping[str, str]) -> Filters:
    try:
        return parse_filters(values)
    except PermanentError as error:
        raise NotThere(str(error)) from None


def _choices(counts: FacetCounts, filters: Filters) -> dict[str, list[tuple[str, int | None]]]:
    """Values that a field can have, and how many captions each would leave."""
    reasons: dict[str, int] = {}
    for joined, rows in count_by(
        counts, replace(filters, reason="", verdict=""), "reasons"
    ).iter_rows():
        for reason in joined.split():
            reasons[reason] = reasons.get(reason, 0) + rows
    engines = count_by(counts, replace(filters, engine=""), "engine")
    attempts = count_by(counts, replace(filters, attempt=None), "attempt")
    return {
        "track": [(track, None) for track in TRACKS],
        "reason": [(reason, reasons[reason]) for reason in MEANINGS if reason in reasons],
        "engine": [(str(name), rows) for name, rows in engines.iter_rows()],
        "attempt": [(str(name), rows) for name, rows in attempts.iter_rows()],
    }


def sample_page(request: Request, user: BaseUser, name: str) -> HTMLResponse:
    """One sample, larger, with everything that was said of its photographs."""
    if not re.fullmatch(SAMPLE_PATTERN, name):
        raise NotThere("a sample is named like single_en/sa_000017/190188")
    campaign = open_campaign()
    catalogue = catalogue_of(campaign)
    try:
        hit = catalogue.find(name)
    except PermanentError as error:
        raise NotThere(str(error)) from None
    if hit is None:
        raise NotThere(f"{name} is none of the curated samples")
    maker = CardMaker(campaign, catalogue, refused=refused_sentences(campaign, name))
    (card,) = maker.cards([hit], marks_of(campaign, user))
    return show_live(
        request,
        "sample.html",
        campaign=campaign,
        card=card,
        faults=FAULTS,
        may=may_judge(user),
    )


def clusters_page(request: Request, track: str, shard: str, start: int) -> HTMLResponse:
    """Clusters of captions that say the same, the largest first."""
    if track not in TRACKS or (shard and not re.fullmatch(SHARD_PATTERN, shard)):
        raise NotThere("there is no such track, or a shard is not named like sa_000017")
    campaign = open_campaign()
    try:
        found = copy_clusters.list_clusters(campaign, catalogue_of(campaign), track, shard)
    except PermanentError as error:
        raise NotThere(str(error)) from None
    start = max(0, start)
    return show_live(
        request,
        "clusters.html",
        campaign=campaign,
        track=track,
        shard=shard,
        tracks=TRACKS,
        clusters=found.rows[start : start + copy_clusters.PAGE_CLUSTERS],
        total=len(found.rows),
        across=found.across,
        start=start,
        size=copy_clusters.PAGE_CLUSTERS,
    )


def photograph(shard: str, image_id: int, width: int) -> Response:
    """A photograph made small."""
    if not re.fullmatch(SHARD_PATTERN, shard) or width not in WIDTHS_PX:
        return Response(status_code=404)
    if not 0 <= image_id < 2**63:
        return Response(status_code=404)
    campaign = open_campaign()
    pictures = _pictures.get(campaign.store.url, lambda: Pictures(campaign.store))
    jpeg = pictures.jpeg(shard, image_id, width)
    if jpeg is None:
        return Response(_NOTHING, 404, media_type="image/svg+xml")
    # Its owner's browser may keep it for an hour; nobody between may.
    return Response(
        jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"}
    )


def require_caption(campaign: Campaign, name: str) -> tuple[tuple[str, ...], str]:
    """Reasons and text digest of a curated sample.

    Raises PermanentError: there is no such sample.
    """
    catalogue = catalogue_of(campaign)
    hit = catalogue.find(name) if re.fullmatch(SAMPLE_PATTERN, name) else None
    if hit is None:
        raise PermanentError("there is no such sample")
    (row,) = catalogue.rows([hit])
    reasons = tuple(hit.facets.rows["reasons"][hit.place].split())
    return reasons, text_digest(row["caption"] or "")


def refused_sentences(campaign: Campaign, sample_id: str) -> dict[str, list[Span]]:
    """Characters of the refused sentences, by the digest of the text that was judged.

    Empty where the sample was not drawn, or the recipe asks otherwise since.
    """
    track, shard, _ = sample_id.split("/")
    if campaign.recipe.audit is None:
        return {}
    try:
        audit = read_receipt(campaign.store, audit_place(campaign.name, track, shard))
        if audit is None or audit.audit_fingerprint != audit_fingerprint(campaign.recipe):
            return {}
        rows = read_answers(campaign, audit).to_pylist()
    except PermanentError:  # damaged, or audited again meanwhile: the sample itself can be shown
        return {}
    found: dict[str, list[Span]] = {}
    for row in rows:
        if row["sample_id"] == sample_id and row["answer"] == Answer.NO:
            found.setdefault(row["text_xxh3"], []).append((row["start"], row["end"]))
    return found


def spans_of(refused: RefusedCaptions, hits: Iterable[Hit]) -> dict[str, list[Span]]:
    """Refused sentences of a page of samples, by the digest of the text that was judged.

    Raises PermanentError: an audit is damaged, or made again right now.
    """
    found: dict[str, list[Span]] = {}
    for unit in dict.fromkeys(hit.facets.unit for hit in hits):
        for digest, start, end in (
            refused.sentences(unit).select("text_xxh3", "start", "end").iter_rows()
        ):
            found.setdefault(digest, []).append((start, end))
    return found
