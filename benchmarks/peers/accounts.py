"""What the server was asked, and what lies on the disk afterwards, set against each other."""

import enum
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from benchmarks.peers.server import Asked, Mood


@dataclass(frozen=True)
class Row:
    """A row of a tool's output."""

    image: str
    """File name of the image."""
    caption: str
    problem: str = ""
    """What the row says is wrong; empty where it says nothing."""


class Fate(enum.StrEnum):
    """What became of one image whose reply was odd, or that cannot be decoded."""

    CAPTIONED = "captioned"
    SAID = "said why"
    EMPTY_CAPTION = "empty, no reason"
    PASSED_OFF = "passed off as good"
    LEFT_OUT = "left out"
    STOPPED = "ends the run"
    WAITING = "still tried when the time was up"


@dataclass(frozen=True)
class Throughput:
    """Of a run in which nothing happened."""

    images_per_s: float
    """From the first request to the last reply."""
    whole_s: float
    """From the start of the process to its end."""


@dataclass(frozen=True)
class Killed:
    """Of a run that was killed in the middle and started again, to its end."""

    in_flight: int
    """Images that were being captioned; nobody can keep these."""
    thrown_away: int
    """Images whose reply had been sent before the kill and that were asked for again after."""
    lost: int
    """Images without a caption in the end."""
    duplicated: int
    """Rows beyond one for each image."""
    mistaken: int
    """Captions that are another image's."""


def throughput(asked: Sequence[Asked], whole_s: float) -> Throughput:
    """How quick a run was."""
    ended = [each.ended_s for each in asked if each.ended_s is not None]
    span_s = max(ended) - min(each.began_s for each in asked)
    return Throughput(len(ended) / span_s, whole_s)


def killed(
    expected: Collection[str],
    asked: Sequence[Asked],
    rows: Sequence[Row],
    *,
    killed_s: float,
    caption_of: Callable[[str], str],
) -> Killed:
    """What a kill cost.

    Args:
        expected: names of all images.
        asked: of both runs.
        rows: of the output, after the second run.
        killed_s: when the first run was killed, by the clock of `asked`.
        caption_of: the caption that the server gives an image.
    """
    before = [each for each in asked if each.began_s < killed_s]
    replied = {each.image for each in before if each.ended_s and each.ended_s < killed_s}
    again = {each.image for each in asked if each.began_s >= killed_s}
    good = Counter(row.image for row in rows if row.caption)
    return Killed(
        in_flight=len({each.image for each in before} - replied),
        thrown_away=len(replied & again),
        lost=len(set(expected) - set(good)),
        duplicated=sum(good.values()) - len(good),
        mistaken=sum(bool(row.caption) and row.caption != caption_of(row.image) for row in rows),
    )


def fate(image: str, mood: Mood | None, rows: Sequence[Row], *, exit_code: int | None) -> Fate:
    """What became of an image.

    Args:
        image: its name.
        mood: of the server about it; None for an image that cannot be decoded.
        rows: of the output.
        exit_code: of the run; None if it had to be killed.
    """
    mine = [row for row in rows if row.image == image]
    if not mine:
        if exit_code is None:
            return Fate.WAITING
        return Fate.STOPPED if exit_code else Fate.LEFT_OUT
    if any(row.problem for row in mine):
        return Fate.SAID
    if not any(row.caption for row in mine):
        return Fate.EMPTY_CAPTION
    if mood in (Mood.SLOW, Mood.ERROR_TWICE):
        return Fate.CAPTIONED
    return Fate.PASSED_OFF
