"""A wall clock that jumps under a running process: libfaketime, preloaded into it.

Every reader in the process and its children is deceived, C code too. Durations are not: the
monotonic clock runs on, and so do the times that the real kernel gives to files.
"""

import itertools
import logging
import random
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

MINUTE_S, HOUR_S, DAY_S, YEAR_S = 60, 3600, 86_400, 31_557_600
_BEFORE_1980 = 315_532_800
_PAST_2038 = 2_147_483_648
_log = logging.getLogger(__name__)


class JumpingClock:
    """The wall clock of the processes that get `environ`; it is right until it jumps."""

    def __init__(self, path: Path) -> None:
        # Its wheel holds a library for Linux on x86-64 alone.
        clock = pytest.importorskip("libfaketime", reason="no clock to preload on this machine")
        self._path = path
        self.environ = {
            **clock.get_reload_information()[1],
            "FAKETIME_TIMESTAMP_FILE": str(path),
            "NO_FAKE_STAT": "1",
        }
        self.jump(0)

    def jump(self, ahead_s: int) -> None:
        """Be so many seconds ahead of the right time; behind it if negative."""
        _log.warning("%s is now %+d s off", self._path.name, ahead_s)  # shown when a test fails
        new = self._path.with_suffix(".new")
        new.write_text(f"{ahead_s:+d}\n")
        new.replace(self._path)


def jumps(rng: random.Random) -> Iterator[int]:
    """Offsets in seconds, without end: seconds to years, before 1980 and past 2038 among them."""
    while True:
        now = int(time.time())
        offsets = [
            rng.randrange(-MINUTE_S, MINUTE_S),
            rng.choice([-1, 1]) * rng.randrange(HOUR_S, DAY_S),
            rng.choice([-1, 1]) * rng.randrange(DAY_S, YEAR_S),
            rng.choice([-1, 1]) * rng.randrange(YEAR_S, 10 * YEAR_S),
            rng.randrange(_BEFORE_1980) - now,
            _PAST_2038 + rng.randrange(100 * YEAR_S) - now,
        ]
        rng.shuffle(offsets)
        yield from offsets


class Jumps:
    """Lets a clock jump, again and again, until the block ends."""

    def __init__(self, clock: JumpingClock, rng: random.Random, every_s: float = 0.05) -> None:
        self._clock, self._offsets, self._every_s = clock, jumps(rng), every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._clock.jump(next(self._offsets))
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        for offset in itertools.takewhile(
            lambda _: not self._ended.wait(self._every_s), self._offsets
        ):
            self._clock.jump(offset)


def years(rows: Iterable[dict[str, Any]]) -> set[int]:
    """Years in which captions were made, as the workers' clocks had it."""
    return {row["captioned_at"].year for row in rows}
