"""Progress lines of a shard that is being captioned, at most one every few seconds.

    progress: sa_000017 3420/12340 samples (single_en 3100/11186, single_zh 320/1000), 3.9 images/s,
    790 tokens/s, about 38 min left

in one line. Whoever follows a worker's log finds them by how they begin, and by the shard's name.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping

from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.caption.sampling import Sample
from sa1b_captions.caption.tally import FAILED
from sa1b_captions.observing.log_lines import PROGRESS

_log = logging.getLogger(__name__)


ENOUGH_IMAGES = 10
"""Images that must be captioned before their rate says how long the rest takes."""


class Progress:
    """Counts finished samples per track and logs the rate and the time left."""

    def __init__(
        self,
        shard: str,
        planned: Mapping[str, int],
        todo: list[Sample],
        *,
        every_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a progress that starts with its first sample.

        Args:
            shard: what the lines are about.
            planned: samples by track, those an earlier worker finished included.
            every_s: seconds between two lines.
            clock: seconds from anywhere, never going back.
        """
        self._shard = shard
        self._planned = planned
        self._done = Counter(planned)
        self._done.subtract(sample.track.name for sample in todo)
        self._images_left = sum(len(sample.images) for sample in todo)
        self._images = self._tokens = self._failed = 0
        self._every_s = every_s
        self._clock = clock
        self._began = self._last = clock()

    def start(self) -> None:
        """Measure from now on: what was prepared before is no captioning."""
        self._began = self._last = self._clock()

    def add(self, sample: Sample, reply: Reply) -> None:
        """Count one finished sample."""
        self._done[sample.track.name] += 1
        self._images += len(sample.images)
        self._images_left -= len(sample.images)
        self._tokens += reply.completion_tokens or 0
        self._failed += reply.status in FAILED
        if self._clock() - self._last >= self._every_s:
            self.log()

    def log(self) -> None:
        """Log where the shard stands."""
        self._last = self._clock()
        _log.info("%s%s", PROGRESS, self.line())

    def line(self) -> str:
        """Where the shard stands, beginning with its name."""
        elapsed_s = max(self._last - self._began, 1e-9)
        tracks = ", ".join(f"{t} {self._done[t]}/{n}" for t, n in self._planned.items() if n)
        done, planned = self._done.total(), sum(self._planned.values())
        parts = [
            f"{self._shard} {done}/{planned} samples ({tracks})",
            f"{self._images / elapsed_s:.1f} images/s",
            f"{self._tokens / elapsed_s:.0f} tokens/s",
        ]
        if self._failed:
            parts.append(f"{self._failed} failed")
        if self._images >= ENOUGH_IMAGES and self._images_left:
            parts.append(f"about {_time(self._images_left * elapsed_s / self._images)} left")
        return ", ".join(parts)


def _time(seconds: float) -> str:
    """A time as people say it: 40 s, 38 min, 5 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
