"""The command that shows what the rules' limits would reject, and pins the reference."""

import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sa1b_captions.cli.common import (
    ALL_TRACKS,
    Shards,
    Tracks,
    command,
    log,
    open_deployment,
    parse_tracks,
    print_result,
)
from sa1b_captions.shards import parse_selection

if TYPE_CHECKING:
    from sa1b_captions.quality.thresholds import LimitTrials
    from sa1b_captions.stages.calibrate import TrackCalibration

_SHOWN_CHARS = 150


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
) -> None:
    """Show what each limit rejects of curated shards, and what it would at other values."""
    from sa1b_captions.stages.calibrate import calibrate as run

    _, _, campaign = open_deployment()
    found = run(
        campaign,
        parse_selection(shards),
        tracks=parse_tracks(tracks),
        pin=pin,
        replace=replace,
    )
    for track in found.tracks:
        print("\n".join(_describe(track)))
    if found.pinned:
        log.info(
            "pinned %s; captions are judged by it from the next curate and validate on",
            found.reference.digest,
        )
    elif found.unfit and not pin:
        log.info("for a look only: %s", found.unfit)
    print_result(found.summary())


def _describe(found: "TrackCalibration") -> Iterator[str]:
    reference = found.reference
    low, middle, high = (reference.quantiles[place] for place in (250, 500, 750))
    yield (
        f"{found.track}: {found.captions:,} captions of {reference.shards} shards. Half have "
        f"{low:,} to {high:,} characters, the median {middle:,}; the median has "
        f"{reference.median_tokens:,} tokens; {reference.speculation_share:.1%} speculate."
    )
    yield f"  {'rule':<24}{'limit':<30}rejects at (now in brackets)"
    for one in found.limits:
        yield f"  {one.rule:<24}{one.limit or '':<30}" + _trials(one, found.captions)
        examples = [("rejects", sample) for sample in one.rejected]
        examples += [("a stricter value would reject", sample) for sample in one.at_stake]
        for what, sample in examples:
            yield f"      {what} {sample}: {_shorten(found.examples.get(sample, ''))}"
    yield ""


def _trials(one: "LimitTrials", captions: int) -> str:
    parts = []
    for trial in one.trials:
        share = f"{trial.rows:,} = {trial.rows / captions:.2%}" if trial.rows else "0"
        value = f"{trial.value:g}: " if one.limit else ""
        parts.append(f"[{value}{share}]" if trial.present else f"{value}{share}")
    return "  ".join(parts)


def _shorten(caption: str) -> str:
    """A caption on one line of a terminal; control characters must not reach it."""
    plain = "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c).startswith("C") else c
        for c in caption[: _SHOWN_CHARS + 1]
    )
    return plain if len(plain) <= _SHOWN_CHARS else plain[:_SHOWN_CHARS] + "…"
