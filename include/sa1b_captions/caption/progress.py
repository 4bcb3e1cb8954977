"""Progress lines of a long stage, at most one every few seconds."""

import logging
import time
from collections import Counter

_log = logging.getLogger(__name__)


class Progress:
    """Counts finished samples per track and logs the rate and the time left."""

    def __init__(self, shard: str, totals: dict[str, int], *, every_s: float = 5.0) -> None:
        """Totals: samples still to do, by track."""
        self._shard = shard
        self._totals = totals
        self._every_s = every_s
        self._began = self._last = time.monotonic()
        self._done: Counter[str] = Counter()
        self._tokens = 0

    def add(self, track: str, tokens: int | None) -> None:
        """Count one finished sample and its completion tokens."""
        self._done[track] += 1
        self._tokens += tokens or 0
        if time.monotonic() - self._last >= self._every_s:
            self.log()

    def log(self) -> None:
        """Log where the stage stands."""
        self._last = time.monotonic()
        elapsed_s = max(self._last - self._began, 1e-9)
        done, total = sum(self._done.values()), sum(self._totals.values())
        rate = done / elapsed_s
        left = f", about {(total - done) / rate:.0f} s left" if done and done < total else ""
        by_track = ", ".join(f"{t} {self._done[t]}/{n}" for t, n in self._totals.items() if n)
        _log.info(
            "%s: %d/%d samples (%s), %.1f samples/s, %.0f tokens/s%s",
            self._shard,
            done,
            total,
            by_track,
            rate,
            self._tokens / elapsed_s,
            left,
        )
