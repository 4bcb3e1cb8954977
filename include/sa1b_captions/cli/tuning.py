"""The command that shows what the rules' limits would reject, and pins the reference."""

import unicodedata
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sa1b_captions.cli.common import (
    ALL_TRACKS,
    Shards,
    Tracks,
    command,
    log,
    open_deployment,
    parse_shards,
    parse_tracks,
    print_result,
    write_file,
)
from sa1b_captions.errors import PermanentError
from sa1b_captions.plurals import counted

if TYPE_CHECKING:
    from sa1b_captions.campaign import Campaign
    from sa1b_captions.quality.thresholds import LimitTrials
    from sa1b_captions.stages.calibrate import TrackCalibration

_SHOWN_CHARS = 150
_SHARES = (0.1, 0.01, 0.001)
"""Of the captions: the table says at which value of a limit so many are rejected."""


@command
def calibrate(
    shards: Shards,
    tracks: Tracks = ALL_TRACKS,
    pin: Annotated[
        bool, typer.Option("--pin", help="Make these shards the campaign's reference.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="With --pin: replace the reference there is.")
    ] = False,
    what_if: Annotated[
        str,
        typer.Option(
            "--what-if",
            help="Show what one change keeps and drops, as in min_chars=180, zh.max_dup10=0.3 or "
            "off=refusal.",
        ),
    ] = "",
    propose: Annotated[
        Path | None,
        typer.Option(help="With --what-if: write the change here as a patch of the recipe."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON, every curve in it, no table.")
    ] = False,
) -> None:
    """Show what each limit rejects of curated shards, and which value their captions propose.

    Of every limit: what it rejects at its present value, the values at which it alone would reject
    10 %, 1 % and 0.1 % of the captions, and the knee, from where on a looser one saves hardly any.
    """
    from sa1b_captions.stages.calibrate import calibrate as run

    if propose is not None and not what_if:
        raise PermanentError("--propose goes with --what-if")
    settings, _, campaign = open_deployment()
    if what_if:
        if pin:
            raise PermanentError("--what-if changes nothing; leave --pin out")
        names = parse_shards(campaign, shards)
        _what_if(campaign, settings.recipe, what_if, names, parse_tracks(tracks), propose, as_json)
        return
    found = run(
        campaign,
        parse_shards(campaign, shards),
        tracks=parse_tracks(tracks),
        pin=pin,
        replace=replace,
    )
    if found.pinned:
        log.info(
            "pinned %s; captions are judged by it from the next curate and validate on",
            found.reference.digest,
        )
    elif found.unfit and not pin:
        log.info("for a look only: %s", found.unfit)
    if as_json:
        print_result(found.summary())
        return
    for track in found.tracks:
        print("\n".join((*_examples(track), "", *_table(track), "")))
    print("Pinned as the reference." if found.pinned else "Nothing is changed.")


def _what_if(
    campaign: "Campaign",
    recipe: str,
    text: str,
    shards: list[str],
    tracks: list[str],
    propose: Path | None,
    as_json: bool,
) -> None:
    from sa1b_captions.quality.browse.limits.limit_changes import parse_change
    from sa1b_captions.quality.browse.limits.proposals import propose as proposed
    from sa1b_captions.quality.browse.limits.what_if import totals
    from sa1b_captions.stages.calibrate import try_limit

    change = parse_change(text)
    outcomes, examples = try_limit(campaign, shards, change, tracks=tracks)
    if propose is not None:
        write_file(propose, proposed(recipe, change, tuple(campaign.recipe.quality.languages)))
        log.info("the change is in %s", propose)
    if as_json:
        result = {"stage": "calibrate", "what_if": str(change)}
        print_result(result | {"outcomes": [asdict(one) for one in outcomes]})
        return
    for where, sample, caption in examples:
        print(f"  {where} {sample}: {_shorten(caption)}")
    print(f"{'shard':<12}{'track':<12}{'kept':>10}{'dropped':>10}{'let in':>10}{'kept then':>12}")
    for one in (*outcomes, *totals(outcomes).values()):
        print(
            f"{one.shard or 'all':<12}{one.track:<12}{one.kept:>10,}{one.dropped:>10,}"
            f"{one.restored:>10,}{one.then:>12,}"
        )
    print(f"What if {change}: nothing is changed.")


def _examples(found: "TrackCalibration") -> Iterator[str]:
    yield f"{found.track}: captions on both sides of each limit"
    for one in found.limits:
        examples = [("rejects", sample) for sample in one.rejected]
        examples += [("a stricter value would reject", sample) for sample in one.at_stake]
        if examples:
            yield f"  {one.rule} {one.limit or ''}".rstrip()
        for what, sample in examples:
            yield f"      {what} {sample}: {_shorten(found.examples.get(sample, ''))}"


def _table(found: "TrackCalibration") -> Iterator[str]:
    reference = found.reference
    low, middle, high = (reference.quantiles[place] for place in (250, 500, 750))
    yield (
        f"{found.track}: {counted(found.captions, 'caption')} of "
        f"{counted(reference.shards, 'shard')}. Half have "
        f"{low:,} to {high:,} characters, the median {middle:,}; the median has "
        f"{reference.median_tokens:,} tokens; {reference.speculation_share:.1%} speculate."
    )
    yield (
        f"  {'rule':<22}{'limit':<28}{'now: rejects':<20}"
        + "".join(f"{f'{share * 100:g} % at':<10}" for share in _SHARES)
        + "knee: rejects"
    )
    for one in found.limits:
        yield (f"  {one.rule:<22}" + _row(one, found.captions)).rstrip()


def _row(one: "LimitTrials", captions: int) -> str:
    (now,) = (trial for trial in one.trials if trial.present)
    if one.limit is None:
        return f"{'':<28}{_rows(now.rows, captions)}"
    reached = "".join(
        f"{'' if trial is None else f'{trial.value:g}':<10}"
        for trial in (one.reaching(share, captions) for share in _SHARES)
    )
    knee = f"{one.knee.value:g}: {_rows(one.knee.alone, captions)}" if one.knee else ""
    return f"{one.limit:<28}{f'{now.value:g}: {_rows(now.alone, captions)}':<20}{reached}{knee}"


def _rows(rows: int, captions: int) -> str:
    return f"{rows:,} = {rows / captions:.2%}" if rows else "0"


def _shorten(caption: str) -> str:
    """A caption on one line of a terminal; control characters must not reach it."""
    plain = "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c).startswith("C") else c
        for c in caption[: _SHOWN_CHARS + 1]
    )
    return plain if len(plain) <= _SHOWN_CHARS else plain[:_SHOWN_CHARS] + "…"
