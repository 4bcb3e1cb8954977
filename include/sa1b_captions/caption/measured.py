"""What a run measures of a shard while it captions it: how full the window is, how fast it goes."""

import dataclasses
import logging

from sa1b_captions.caption.engines.base import Engine
from sa1b_captions.caption.occupancy import Span, window_occupancy
from sa1b_captions.caption.tally import FAILED
from sa1b_captions.caption.worker import Outcome
from sa1b_captions.observing import telemetry
from sa1b_captions.receipts import Occupancy, Pace

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
