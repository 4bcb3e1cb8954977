"""Window occupancy: how full a run kept the engine's window while it captioned a shard.

It is the busy time of the window's places over window x time. An engine that always finds the next
sample decoded has an occupancy near 1; what is missing is the share of its places that waited for
images. The time begins when every place is taken, so that filling the window does not count, and
ends when the shard's last sample is taken, so that emptying it does not count either. Where images
come too slowly to take every place, it begins when a window of samples has been taken.
"""

import dataclasses
import logging
from collections.abc import Sequence

from sa1b_captions.caption.engines.base import Engine
from sa1b_captions.caption.tally import FAILED
from sa1b_captions.caption.worker import Outcome
from sa1b_captions.observing import telemetry
from sa1b_captions.plurals import counted
from sa1b_captions.receipts import Occupancy, Pace

_log = logging.getLogger(__name__)

Span = tuple[float, float]
"""When a sample was taken and when its reply came, in seconds of one clock."""

ENOUGH_WINDOWS = 1.5
"""Windows of samples to take in the time that is measured, or the number says little. A shard of
three windows has as many."""

_FILLING_WINDOWS = 1.5
"""Windows of samples after which a window that has not been full does not fill."""


def window_occupancy(
    taken: Sequence[Span], window: int, neighbours: Sequence[Span] = ()
) -> Occupancy:
    """Measure how full the window was.

    Args:
        taken: spans of a shard's samples, in any order.
        window: places in the engine.
        neighbours: spans of other shards' samples that were in the window meanwhile, in any order.

    Returns:
        The occupancy; without a share, but with a note, where too few samples were taken to fill
        the window and go on.
    """
    if not taken:
        return Occupancy(note="this run captioned nothing")
    spans = sorted([*taken, *neighbours])
    first, last = min(taken)[0], max(taken)[0]
    full = _first_full(spans, window)
    if full is None or max(first, full) >= last:
        count = counted(len(taken), "sample")
        note = (
            f"this run captioned {count}, and the engine takes {window} at once: none had to wait"
        )
        return Occupancy(note=note)
    start = max(first, full)
    busy_s = sum(max(0.0, min(last, end) - max(start, began)) for began, end in spans)
    samples = sum(began >= start for began, _ in taken)
    little = f"of {counted(samples, 'sample')} only, which tells little"
    return Occupancy(
        share=round(busy_s / (window * (last - start)), 3),
        samples=samples,
        note=None if samples >= ENOUGH_WINDOWS * window else little,
    )


def _first_full(spans: Sequence[Span], window: int) -> float | None:
    """When every place was taken, or a window of samples where places stay free; None with fewer.

    Args:
        spans: in the order of being taken.
        window: places in the engine.
    """
    if len(spans) < window:
        return None
    early = spans[: int(_FILLING_WINDOWS * window)]
    # Of two changes at one instant the end comes first: that place was not taken twice.
    changes = sorted([*((began, 1) for began, _ in early), *((end, -1) for _, end in early)])
    busy = 0
    for at_s, change in changes:
        busy += change
        if busy == window:
            return at_s
    return spans[window - 1][0]


_log = logging.getLogger(__name__)

_SHARES_CORES = "preview"
"""The engine that has no hardware of its own."""


class Measured:
    """Of the samples that an engine took; those that need no engine count in the metrics alone."""

    def __init__(self, shard: str) -> None:
        self._shard = shard
        self._taken: list[Span] = []
        self._neighbours: list[Span] = []
        self._images = self._tokens = 0

    def add(self, outcome: Outcome, engine: Engine) -> None:
        """Count one of the shard's samples, and send its metrics."""
        _send(outcome, engine)
        if outcome.latency_s:
            self._taken.append(_span(outcome))
            self._images += len(outcome.sample.images)
            self._tokens += outcome.reply.completion_tokens or 0

    def add_neighbour(self, outcome: Outcome) -> None:
        """Count a sample of another shard, which had a place of the window meanwhile."""
        if outcome.latency_s:
            self._neighbours.append(_span(outcome))

    def occupancy(self, engine: Engine | None) -> Occupancy:
        """How full this run kept the window, for the receipts and the log."""
        found = window_occupancy(self._taken, engine.window if engine else 1, self._neighbours)
        if found.tells and engine and engine.name == _SHARES_CORES:
            note = "the engine shares its cores with the decoding: under 1 is usual"
            found = dataclasses.replace(found, note=note)
        if found.low:
            _log.warning("%s: the GPU waits for images: %s", self._shard, found.describe())
        elif self._taken:
            _log.info("%s: %s", self._shard, found.describe())
        if found.share is not None:
            telemetry.send(telemetry.of(telemetry.OCCUPANCY, found.share, shard=self._shard))
        return found

    def pace(self, load_s: float | None, profile: str | None) -> Pace | None:
        """How fast this run was; None where it captioned nothing."""
        if not self._taken:
            return None
        return Pace(
            samples=len(self._taken),
            images=self._images,
            completion_tokens=self._tokens,
            seconds=round(max(end for _, end in self._taken) - min(self._taken)[0], 3),
            load_s=load_s,
            profile=profile,
        )


def _span(outcome: Outcome) -> Span:
    return outcome.began_s, outcome.began_s + outcome.latency_s


def _send(outcome: Outcome, engine: Engine) -> None:
    """The metrics of one sample."""
    reply, track = outcome.reply, outcome.sample.track.name
    sent = [
        telemetry.of(telemetry.SAMPLES, track=track, status=reply.status.value, engine=engine.name),
        telemetry.of(telemetry.IMAGES, len(outcome.sample.images), track=track),
    ]
    if reply.completion_tokens:
        sent.append(telemetry.of(telemetry.TOKENS, reply.completion_tokens, track=track))
    if outcome.attempt > 1:
        sent.append(telemetry.of(telemetry.RETRIES, outcome.attempt - 1, track=track))
    if outcome.latency_s:
        sent.append(telemetry.of(telemetry.SAMPLE_TIME, outcome.latency_s, track=track))
    if reply.status in FAILED:
        reason = reply.error_code or reply.status.value
        sent.append(telemetry.of(telemetry.FAILURES, track=track, reason=reason))
    telemetry.send(*sent)
