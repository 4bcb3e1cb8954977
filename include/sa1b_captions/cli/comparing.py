"""The command that compares two releases or campaigns."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sa1b_captions.cli.common import ALL_TRACKS, command, open_place, parse_tracks, print_result
from sa1b_captions.errors import PermanentError
from sa1b_captions.plurals import counted
from sa1b_captions.settings import load_settings
from sa1b_captions.storage import Store, open_store

if TYPE_CHECKING:
    from sa1b_captions.stages.diff import Named

_SIDE = (
    "A release of the store (v1), campaign:NAME of the store, or a place with a release: a folder, "
    "file:///… or s3://bucket/prefix."
)
_KINDS = ("unchanged", "changed", "removed", "added")


@command
def diff(
    before: Annotated[str, typer.Argument(help=_SIDE)],
    after: Annotated[str, typer.Argument(help="The same, of what came later.")],
    tracks: Annotated[str, typer.Option(help="Tracks to compare, separated by commas.")] = (
        ALL_TRACKS
    ),
    seed: Annotated[int, typer.Option(help="Draws the twenty examples of each kind.")] = 0,
) -> None:
    """Compare two releases or campaigns: rows, reasons, lengths, settings, and examples.

    A table goes to standard output, then all numbers as JSON. With CAPTIONS_ROOT set, the same
    JSON and a page with photographs are stored under diffs/.
    """
    from sa1b_captions.stages.diff import compare

    settings = load_settings(needs_store=False)
    store = open_store(settings) if settings.has_store else None
    facts = compare(
        _open(before, store), _open(after, store), store, tracks=parse_tracks(tracks), seed=seed
    )
    _print_tables(facts)
    print_result(facts)


def _open(text: str, store: Store | None) -> "Named":
    """The side that a text names."""
    from sa1b_captions.stages.diff import CAMPAIGN, campaign_of, release_at, release_of

    if "/" in text or text in (".", ".."):
        return release_at(open_place(text))
    if store is None:
        raise PermanentError(
            f"{text} lies in a store: set CAPTIONS_ROOT; or name a place, as in ./{text}"
        )
    if text.startswith(CAMPAIGN):
        return campaign_of(store, text.removeprefix(CAMPAIGN))
    return release_of(store, text)


def _print_tables(facts: dict[str, Any]) -> None:
    """Rows, reasons and lengths by track."""
    print(f"{'track':<11}{'before':>12}{'after':>12}" + "".join(f"{kind:>12}" for kind in _KINDS))
    for track, found in facts["tracks"].items():
        numbers = [found["before"]["rows"], found["after"]["rows"]]
        numbers += [found[kind] for kind in _KINDS]
        print(f"{track:<11}" + "".join(f"{number:>12,}" for number in numbers))
    for track, found in facts["tracks"].items():
        for kind in ("removed", "added"):
            for reason, count in found[f"{kind}_by_reason"].items():
                same = f", {count['same_caption']:,} with the same caption"
                print(f"{track}: {counted(count['rows'], 'row')} {kind} ({reason}{same})")
        was, is_ = found["before"]["characters"], found["after"]["characters"]
        if was and is_:
            print(
                f"{track}: {was['mean']:.1f} characters on average before, {is_['mean']:.1f} after"
            )
        if (marks := found["marks"]) and (rate := marks["win_rate"]):
            print(
                f"{track}: the later caption is preferred in {rate['share']:.1%} of "
                f"{counted(rate['marks'], 'choice')} ({rate['low']:.1%} to {rate['high']:.1%})"
            )
    for name, (was, is_) in facts["settings"].items():
        print(f"{name}: {_shown(was)} before, {_shown(is_)} after")


def _shown(value: object) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
