"""What became of a track's samples so far, and whether too many of them failed.

A sample fails by the engine when it ends in an error, empty or truncated. An image that cannot be
decoded does not count: captioning it again would not help, and the expectations judge it.
"""

from collections import Counter

from sa1b_captions.chance import allowed_share
from sa1b_captions.records import CaptionStatus

FAILED = frozenset({CaptionStatus.ERROR, CaptionStatus.EMPTY, CaptionStatus.TRUNCATED})
"""Statuses that another try may mend."""

ENOUGH = 64
"""Samples to see before a track is given up half-way."""
_SURE = 5.0
"""Standard deviations above the limit at which a half-done track is given up: it is asked after
every sample, so chance gets many tries."""
_TOP = 3


class Tally:
    """Counts the outcomes of one track of a shard."""

    def __init__(self, where: str, planned: int, max_failure_share: float) -> None:
        """Where: track and shard, for messages."""
        self._where = where
        self._planned = planned
        self._limit = max_failure_share
        self.statuses: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._example: dict[str, str] = {}

    def add(self, status: str, error_code: str | None, error: str | None) -> None:
        """Count one sample."""
        self.statuses[status] += 1
        if status in FAILED:
            reason = error_code or status
            self._reasons[reason] += 1
            if error:
                self._example.setdefault(reason, error)

    @property
    def failed(self) -> int:
        """Samples that failed by the engine."""
        return self._reasons.total()

    @property
    def _judged(self) -> int:
        return self.statuses.total() - self.statuses[CaptionStatus.UNDECODABLE]

    def passes_limit(self) -> bool:
        """Whether more failed than the limit and chance together allow."""
        return self.failed > self._judged * allowed_share(self._limit, self._judged)

    def is_hopeless(self) -> bool:
        """Whether the track need not be finished to know that it will pass the limit."""
        allowed = allowed_share(self._limit, self._judged, _SURE)
        return self._judged >= ENOUGH and self.failed > self._judged * allowed

    def describe(self) -> str:
        """What failed and why, and what to do, in one line."""
        seen = self.statuses.total()
        early = f" after {seen}" if seen < self._planned else ""
        reasons = ", ".join(
            f"{count} {reason}" + (f" ({self._example[reason]})" if reason in self._example else "")
            for reason, count in self._reasons.most_common(_TOP)
        )
        undecodable = self.statuses[CaptionStatus.UNDECODABLE]
        aside = f"; {undecodable} more could not be decoded" if undecodable else ""
        share = f"{100 * self.failed / max(self._judged, 1):.1f} %, limit {100 * self._limit:g} %"
        return (
            f"{self._where}: {self.failed} of {self._planned} samples failed{early} ({share}): "
            f"{reasons}{aside}; find the cause in the engine's log, then clear the task: "
            "it captions again what failed, and nothing else"
        )
