"""Three trials of a tool: nothing happens, it is killed in the middle, replies are odd."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers import accounts, images
from benchmarks.peers.accounts import Fate
from benchmarks.peers.server import Mood, caption_of
from benchmarks.peers.tools import Tool
from benchmarks.peers.trial import Trial

LIMIT_S = 180.0
LEAST_LIMIT_S = 40.0
"""A run after a kill may take three times as long as a quiet one, or so long."""
ODD_LIMIT_S = 40.0
ALONE_LIMIT_S = 20.0
ODD_IMAGES = 24
CORRUPT = "corrupt image"


class NotMeasuredError(Exception):
    """A tool did not get through a run in which nothing happens; the message says how far."""


_PERHAPS_ANOTHERS = {Fate.STOPPED, Fate.WAITING, Fate.LEFT_OUT, Fate.EMPTY_CAPTION}
"""Fates that an image may share with one that was at fault."""


@dataclass(frozen=True)
class Setting:
    """What every tool gets."""

    images: int
    places: int


def measure(tool: Tool, home: Path, setting: Setting) -> dict[str, Any]:
    """All figures of a tool, as they go into the JSON line.

    Raises:
        NotMeasuredError: it does not get through a run in which nothing happens.
    """
    found: dict[str, Any] = {"version": tool.version, "lines": tool.lines}
    found |= _quiet(tool, home / "quiet", setting)
    limit_s = max(LEAST_LIMIT_S, 3 * found["whole_s"])
    found |= _killed(tool, home / "killed", setting, limit_s)
    found["odd"] = _odd(tool, home, setting.places)
    found["look"] = tool.look
    return found


def _quiet(tool: Tool, home: Path, setting: Setting) -> dict[str, Any]:
    names = images.write_images(home / "images", setting.images)
    with Trial(tool, home, setting.places) as trial:
        trial.run(LIMIT_S)
        captions = {row.image for row in trial.rows() if row.caption == caption_of(row.image)}
        if trial.exit_code != 0 or captions != set(names):
            raise NotMeasuredError(
                f"it ended with {trial.exit_code} and {len(captions)} of {len(names)} "
                f"captions: {_last_line(home / 'log.txt')}"
            )
        speed = accounts.throughput(trial.asked, trial.whole_s)
        return {
            "first_caption_s": round(trial.first_caption_s or trial.whole_s, 1),
            "images_per_s": round(speed.images_per_s, 1),
            "whole_s": round(speed.whole_s, 1),
            "occupancy": round(trial.occupancy, 3),
            "peak_mib": trial.peak_bytes >> 20,
        }


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "no word")


def _killed(tool: Tool, home: Path, setting: Setting, limit_s: float) -> dict[str, Any]:
    names = images.write_images(home / "images", setting.images)
    with Trial(tool, home, setting.places) as trial:
        killed_s = trial.run(limit_s, until=lambda: trial.replied >= len(names) // 2)
        trial.run(limit_s)
        cost = accounts.killed(
            names, trial.asked, trial.rows(), killed_s=killed_s, caption_of=caption_of
        )
        ended = "hangs" if trial.exit_code is None else f"ends with {trial.exit_code}"
        return {"killed": asdict(cost), "restart": ended}


def _odd(tool: Tool, home: Path, places: int) -> dict[str, Any]:
    """The fate of every kind; if others suffer with them, of each alone."""
    kinds = [None, *Mood]
    fates, others = _odd_run(tool, home / "odd", places, kinds, ODD_LIMIT_S)
    if others < ODD_IMAGES - len(kinds):
        undecided = [kind for kind, fate in fates.items() if fate in _PERHAPS_ANOTHERS]
        for number, kind in enumerate(undecided):
            alone, _ = _odd_run(tool, home / f"odd_{number}", places, [kind], ALONE_LIMIT_S)
            fates |= alone
    return {
        "fates": {str(kind or CORRUPT): str(fate) for kind, fate in fates.items()},
        "others_captioned": others,
        "others": ODD_IMAGES - len(kinds),
    }


def _odd_run(
    tool: Tool, home: Path, places: int, kinds: list[Mood | None], limit_s: float
) -> tuple[dict[Mood | None, Fate], int]:
    """The fate of an image of each kind, and how many of the others got their caption."""
    names = images.write_images(home / "images", ODD_IMAGES)
    step = ODD_IMAGES // (len(kinds) + 1)
    chosen = {kind: names[step * (number + 1)] for number, kind in enumerate(kinds)}
    if None in chosen:
        images.truncate(home / "images" / chosen[None])
    moods = {name: kind for kind, name in chosen.items() if kind is not None}
    with Trial(tool, home, places, moods) as trial:
        trial.run(limit_s)
        rows = trial.rows()
        fates = {
            kind: accounts.fate(name, kind, rows, exit_code=trial.exit_code)
            for kind, name in chosen.items()
        }
        good = {row.image for row in rows if row.caption == caption_of(row.image)}
        return fates, len(good - set(chosen.values()))
