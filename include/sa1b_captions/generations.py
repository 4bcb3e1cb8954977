"""Names of generations: whole doings of one stage on one shard, which lie beside each other.

A name is a number and, after a dash, who began it, as in `0002-1f3a9c07`. A run's generation is
named after the run, so that its retries, and a worker of it that is believed dead, find the same
one, and two runs never write into one.
"""

import hashlib
import re
from collections.abc import Collection, Iterable

FIRST = "0001"
"""Lies where version 0.1.0, which knew of one generation only, put it; nobody's name is in it."""

PATTERN = r"\d{4,}-[0-9a-z]+|0001"


def is_generation(name: str) -> bool:
    """Whether a text is a generation's name."""
    return re.fullmatch(PATTERN, name) is not None


def require_generation(name: str) -> None:
    """Raise ValueError if a text is no generation's name."""
    if not is_generation(name):
        raise ValueError(f"{name[:40]!r} is no name of a generation")


def number(name: str) -> int:
    """Place of a generation among the others, from 1."""
    return int(name.partition("-")[0])


def newest(names: Iterable[str]) -> str | None:
    """Generation with the highest number."""
    return max(names, key=lambda name: (number(name), name), default=None)


def owner_of_run(run_id: str) -> str:
    """What names a run's generations: run ids hold characters that keys must not."""
    return hashlib.sha256(run_id.encode()).hexdigest()[:8]


def own(begun: Collection[str], owner: str) -> list[str]:
    """Generations of an owner, oldest first."""
    return sorted((one for one in begun if one.partition("-")[2] == owner), key=number)


def following(begun: Collection[str], owner: str, counted: int) -> str:
    """Name of a new generation.

    Args:
        begun: all that exist, whole or not.
        counted: highest number that ever counted; it may be deleted.
    """
    return f"{max([counted, *map(number, begun)], default=0) + 1:04d}-{owner}"
