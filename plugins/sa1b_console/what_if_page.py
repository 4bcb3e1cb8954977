"""What another limit would keep and drop, with the captions at both sides of the line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import polars as pl
from fastapi import Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from markupsafe import Markup

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import MissingKeyError, PermanentError
from sa1b_captions.quality.browse.catalogue import Catalogue
from sa1b_captions.quality.browse.finding.facet_counts import FacetCounts
from sa1b_captions.quality.browse.finding.filters import Filters
from sa1b_captions.quality.browse.finding.orders import Hit
from sa1b_captions.quality.browse.limits import proposals, what_if
from sa1b_captions.quality.browse.limits.limit_changes import LIMITS, OFF, Change, parse_change
from sa1b_captions.quality.browse.limits.what_if import Outcome, Sides
from sa1b_captions.quality.report.gallery import evenly
from sa1b_captions.recipe import TRACKS
from sa1b_captions.recipe.limits import RULES, LanguageQuality, is_share
from sa1b_captions.settings import load_settings
from sa1b_console.cards import Card, CardMaker
from sa1b_console.common import NotThere, open_campaign, show_live
from sa1b_console.gallery_pages import catalogue_of

_BARS = 60
_HEIGHT = 120


@dataclass(frozen=True, slots=True)
class Choice:
    """A limit that can be moved."""

    name: str
    """As in `en.min_chars`."""
    rule: str
    value: float
    most: float
    """Right end of the slider."""
    step: float


def show_what_if(request: Request, change: str, shards: str, tracks: str) -> HTMLResponse:
    """The page."""
    campaign = open_campaign()
    catalogue = catalogue_of(campaign)
    try:
        asked = parse_change(change) if change else _first(campaign)
        filters = Filters(shards=shards)
        found = [
            unit
            for unit in filters.units(catalogue.counts())
            if what_if.concerns(campaign, asked, unit.split("/")[0])
            and (not tracks or unit.split("/")[0] in tracks.split(","))
        ]
        outcomes, sides, tried = _try(campaign, catalogue, asked, found, chosen=bool(shards))
    except PermanentError as error:
        raise NotThere(str(error)) from None
    language = asked.language or "en"
    return show_live(
        request,
        "what_if.html",
        campaign=campaign,
        change=asked,
        present=_present(campaign, asked, language),
        choices=_choices(campaign),
        rules=RULES,
        languages=list(campaign.recipe.quality.languages),
        language=language,
        shards=shards,
        tried=tried,
        units=len(found),
        totals=what_if.totals(outcomes).values(),
        outcomes=sorted(outcomes, key=lambda one: -abs(one.then - one.kept))[:50],
        sides=_cards(campaign, catalogue, sides),
        chart=_chart(catalogue.counts(), asked, found),
    )


def show_patch(change: str) -> Response:
    """The change as a patch of the deployment's recipe."""
    campaign = open_campaign()
    try:
        asked = parse_change(change)
        languages = tuple(campaign.recipe.quality.languages)
        text = proposals.propose(load_settings().recipe, asked, languages)
    except PermanentError as error:
        raise NotThere(str(error)) from None
    name = f"{campaign.name}-{asked.name}.{'patch' if text.startswith('# In') else 'toml'}"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return PlainTextResponse(text, headers=disposition)


def _first(campaign: Campaign) -> Change:
    language = next(iter(campaign.recipe.quality.languages))
    limits = campaign.recipe.quality.languages[language]
    return Change("min_chars", limits.min_chars, language)


def _present(campaign: Campaign, change: Change, language: str) -> float | None:
    limits = campaign.recipe.quality.languages.get(language)
    return None if change.name == OFF or limits is None else getattr(limits, change.name)


def _choices(campaign: Campaign) -> list[Choice]:
    kinds = {entry.name: str(entry.type) for entry in fields(LanguageQuality)}
    found = []
    for language, limits in campaign.recipe.quality.languages.items():
        for name, rule in LIMITS.items():
            value = getattr(limits, name)
            if value is None or rule.name in limits.off:
                continue
            whole = "int" in kinds[name]
            most = 1.0 if is_share(name) else max(2.5 * value, 10.0)
            step = 1 if whole else 0.01
            found.append(Choice(f"{language}.{name}", rule.name, value, most, step))
    return found


def _try(
    campaign: Campaign, catalogue: Catalogue, change: Change, units: Sequence[str], *, chosen: bool
) -> tuple[list[Outcome], Mapping[str, Sides], int]:
    """Outcomes, captions near the line, and how many units those were looked for in.

    Numbers are of all units where the counts tell; else of those that a person chose, or some.
    """
    some = units if chosen else _spread(units)
    some = some[: 4 * what_if.SHARDS] if what_if.is_counted(change) else some
    receipts = []
    for unit in some:
        try:
            receipts.append(catalogue.receipt(unit))
        except MissingKeyError:  # it is being curated again
            continue
    outcomes, sides = what_if.try_change(campaign, receipts, change)
    if what_if.is_counted(change):
        counted = what_if.count_outcomes(campaign, catalogue.counts(), change, units)
        return counted, sides, len(some)
    return outcomes, sides, len(some)


def _spread(units: Sequence[str]) -> list[str]:
    """Of each track some units, evenly spread."""
    found = []
    for track in TRACKS:
        of_track = [unit for unit in units if unit.startswith(f"{track}/")]
        found += [of_track[place] for place in evenly(len(of_track), what_if.SHARDS)]
    return found


def _cards(
    campaign: Campaign, catalogue: Catalogue, sides: Mapping[str, Sides]
) -> dict[str, tuple[list[Card], list[Card]]]:
    maker = CardMaker(campaign, catalogue)

    def cards(names: Sequence[str]) -> list[Card]:
        hits: list[Hit] = [hit for name in names if (hit := catalogue.find(name)) is not None]
        return maker.cards(hits, {})

    return {track: (cards(one.inside), cards(one.outside)) for track, one in sides.items()}


def _chart(counts: FacetCounts, change: Change, units: Sequence[str]) -> Markup | None:
    """Lengths of the captions, as bars, with the line that a change of lengths draws."""
    if change.name not in ("min_chars", "max_chars") or isinstance(change.value, str):
        return None
    rows = counts.rows.filter(pl.col("unit").is_in(list(units)), pl.col("caption_chars") > 0)
    lengths = rows.group_by("caption_chars").agg(pl.col("rows").sum()).sort("caption_chars")
    if not lengths.height:
        return None
    end = max(int(lengths["caption_chars"][-1]), int(change.value)) + 1
    if lengths.height > 1:  # what runs away far shares the last bar
        spread = lengths.with_columns(part=pl.col("rows").cum_sum() / pl.col("rows").sum())
        most = int(spread.filter(pl.col("part") >= 0.995)["caption_chars"][0])
        end = min(end, max(int(most * 1.3), int(change.value * 1.1)) + 1)
    width = max(1, -(-end // _BARS))
    bars = [0] * _BARS
    for chars, count in lengths.iter_rows():
        bars[min(chars // width, _BARS - 1)] += count
    tallest = max(bars)
    bar = Markup('<rect class="{}" x="{}" y="{:.1f}" width=".9" height="{:.1f}">{}</rect>')
    title = Markup("<title>{:,}–{:,} characters: {:,}</title>")
    body = [
        bar.format(
            "dropped" if _outside(change, (place + 0.5) * width) else "kept",
            place,
            100 - 96 * rows / tallest,
            96 * rows / tallest,
            title.format(place * width, (place + 1) * width - 1, rows),
        )
        for place, rows in enumerate(bars)
        if rows
    ]
    line = Markup('<line x1="{0:.2f}" x2="{0:.2f}" y1="0" y2="100" {1}/>')
    at = min(float(change.value) / width, _BARS)
    body.append(line.format(at, Markup('vector-effect="non-scaling-stroke"')))
    label = f"Captions by length, up to {_BARS * width:,} characters, the line at {change.value:g}"
    return Markup(
        '<svg class="chart" height="{}" viewBox="0 0 {} 100" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}</svg><p class="note">{}; {} of it is not kept.</p>'
    ).format(
        _HEIGHT,
        _BARS,
        label,
        Markup("").join(body),
        label,
        "what is left" if change.name == "min_chars" else "what is right",
    )


def _outside(change: Change, chars: float) -> bool:
    value = float(change.value)
    return chars < value if change.name == "min_chars" else chars > value
