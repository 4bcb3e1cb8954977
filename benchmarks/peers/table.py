"""The figures of all tools as a Markdown table: a row for each figure, a column for each tool."""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.peers.measure import CORRUPT
from benchmarks.peers.server import Mood

_Figures = Mapping[str, Any]

_ROWS: tuple[tuple[str, Callable[[_Figures], object]], ...] = (
    ("version", lambda figures: figures["version"]),
    ("lines that the user writes", lambda figures: figures["lines"]),
    ("first caption on disk, s", lambda figures: figures["first_caption_s"]),
    ("whole run, s", lambda figures: figures["whole_s"]),
    ("images/s while asking", lambda figures: figures["images_per_s"]),
    ("occupancy of the places", lambda figures: figures["occupancy"]),
    ("peak memory, MiB", lambda figures: figures["peak_mib"]),
    ("kill -9: the next run", lambda figures: figures["restart"]),
    ("kill -9: in flight", lambda figures: figures["killed"]["in_flight"]),
    ("kill -9: replies thrown away", lambda figures: figures["killed"]["thrown_away"]),
    ("kill -9: captions lost", lambda figures: figures["killed"]["lost"]),
    ("kill -9: captions twice", lambda figures: figures["killed"]["duplicated"]),
)


def table(found: Mapping[str, _Figures], absent: Mapping[str, str]) -> str:
    """Markdown of the figures by tool, and why some tools are not there."""
    rows: list[list[object]] = [
        [name, *(get(figures) for figures in found.values())] for name, get in _ROWS
    ]
    for kind in (CORRUPT, *Mood):
        fates = [figures["odd"]["fates"][kind] for figures in found.values()]
        rows.append([kind if kind == CORRUPT else f"reply: {kind}", *fates])
    others = [
        f"{figures['odd']['others_captioned']} of {figures['odd']['others']}"
        for figures in found.values()
    ]
    rows.append(["captions of the others then", *others])
    rows.append(["to look at", *(figures["look"] for figures in found.values())])
    lines: list[list[object]] = [["", *found], ["---"] * (len(found) + 1), *rows]
    text = [f"| {' | '.join(map(str, line))} |" for line in lines]
    return "\n".join(text + [f"Not there: {name}, {why}." for name, why in absent.items()])
