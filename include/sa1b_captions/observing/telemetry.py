"""Metrics: every name in one place, and how they leave a process.

They go out as StatsD lines with tags over UDP: one datagram a call, nothing is waited for, and a
listener that is away costs nothing. Without `CAPTIONS_STATSD` nothing is sent. Airflow's own
metrics speak the same ([metrics] of its configuration), so one `statsd_exporter` takes both; it
makes of `sa1b.caption.images` the Prometheus name `sa1b_caption_images`.

Labels never hold text that somebody else wrote: values are cut to plain characters, and past
`MOST_VALUES` different ones of a label a process says `other`.
"""

import logging
import re
import socket
from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

_log = logging.getLogger(__name__)

Kind = Literal["counter", "gauge", "timer"]

MOST_VALUES = 60
"""Of one label of a metric, in one process."""
OTHER = "other"
_MOST_CHARS = 64
_MOST_BYTES = 1400
"""Of a datagram: it passes every network in one piece."""
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_LETTERS = {"counter": "c", "gauge": "g", "timer": "ms"}


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: what it counts, and by what it is told apart."""

    name: str
    kind: Kind
    meaning: str
    """A sentence without its full stop."""
    labels: tuple[str, ...] = ()

    @property
    def prometheus(self) -> tuple[str, ...]:
        """Names of its series behind a `statsd_exporter`; a timer is a summary in seconds."""
        name = self.name.replace(".", "_")
        return (name,) if self.kind != "timer" else (name, f"{name}_sum", f"{name}_count")


IMAGES = Metric("sa1b.caption.images", "counter", "Images of captioned samples", ("track",))
TOKENS = Metric("sa1b.caption.tokens", "counter", "Tokens of captions", ("track",))
SAMPLES = Metric(
    "sa1b.caption.samples", "counter", "Samples with an outcome", ("track", "status", "engine")
)
FAILURES = Metric(
    "sa1b.caption.failures", "counter", "Samples that failed to the last try", ("track", "reason")
)
RETRIES = Metric("sa1b.caption.retries", "counter", "Tries of samples after the first", ("track",))
SAMPLE_TIME = Metric(
    "sa1b.caption.seconds", "timer", "Time of a sample in the engine, all tries", ("track",)
)
OCCUPANCY = Metric(
    "sa1b.caption.occupancy", "gauge", "Busy share of the engine's window, of a shard", ("shard",)
)
LOAD_TIME = Metric("sa1b.model.load_seconds", "timer", "Time to open an engine")
INGESTED = Metric("sa1b.ingest.bytes", "counter", "Bytes of downloaded archives")
INGEST_TIME = Metric("sa1b.ingest.seconds", "timer", "Time to download and repack a shard")
ACCEPTED = Metric("sa1b.curate.accepted", "counter", "Captions that all rules pass", ("track",))
REJECTED = Metric("sa1b.curate.rejected", "counter", "Captions that a rule rejects", ("track",))
REASONS = Metric(
    "sa1b.curate.reasons", "counter", "Rejected captions by reason", ("track", "reason")
)
PROJECTED = Metric(
    "sa1b.projected.captions", "gauge", "Captions a track will have, projected", ("track",)
)
PROJECTED_HIGH = Metric(
    "sa1b.projected.high", "gauge", "Most captions that are likely, chance allowed for", ("track",)
)
TARGET = Metric("sa1b.projected.target", "gauge", "Captions that the recipe asks for", ("track",))
STAGES = Metric(
    "sa1b.stage.ended", "counter", "Commands that ended, by how they did", ("stage", "ending")
)
STAGE_TIME = Metric("sa1b.stage.seconds", "timer", "Time of a command", ("stage",))
PLANNED = Metric("sa1b.run.shards", "counter", "Shards that runs of caption_shards chose")
RUNS_FAILED = Metric("sa1b.run.failed", "counter", "Runs that failed", ("dag",))
DEADLINES = Metric("sa1b.run.late", "counter", "Runs that missed their deadline", ("dag",))
TASK_RETRIES = Metric("sa1b.task.retries", "counter", "Tries of tasks after the first", ("stage",))
POD_WAITS = Metric(
    "sa1b.pod.waits", "counter", "Minutes that pods waited to be made", ("stage", "reason")
)
POD_START = Metric(
    "sa1b.pod.start_seconds", "timer", "From a pod's creation to its first process", ("stage",)
)
PODS = Metric("sa1b.pod.ended", "counter", "Pods that ended, by how they did", ("stage", "ending"))

METRICS = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
"""All of them."""

Sent = tuple[Metric, float, dict[str, str]]
"""A metric, its value (seconds of a timer) and its labels."""


class Emitter:
    """Sends to one listener."""

    def __init__(self, host: str, port: int) -> None:
        """Look the listener up, once. Raises OSError if its name is not known."""
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[
            0
        ]
        self._address = address
        self._socket = socket.socket(family, kind, protocol)
        self._socket.setblocking(False)
        self._seen: dict[tuple[str, str], set[str]] = defaultdict(set)

    def send(self, sent: list[Sent]) -> None:
        """Send some metrics; what cannot be sent at once is lost."""
        datagram = b""
        for line in map(self._line, sent):
            if datagram and len(datagram) + 1 + len(line) > _MOST_BYTES:
                self._send(datagram)
                datagram = b""
            datagram = datagram + b"\n" + line if datagram else line
        if datagram:
            self._send(datagram)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _send(self, datagram: bytes) -> None:
        try:
            self._socket.sendto(datagram, self._address)
        except OSError as error:  # never the work's problem
            _log.debug("metrics are lost: %s", error)

    def _line(self, sent: Sent) -> bytes:
        metric, value, labels = sent
        if set(labels) != set(metric.labels):
            raise ValueError(f"{metric.name} has the labels {metric.labels}, not {tuple(labels)}")
        shown = value * 1000 if metric.kind == "timer" else value
        text = f"{metric.name}:{shown:.12g}|{_LETTERS[metric.kind]}"
        tags = [f"{name}:{self._known(metric, name, labels[name])}" for name in metric.labels]
        return (f"{text}|#{','.join(tags)}" if tags else text).encode()

    def _known(self, metric: Metric, label: str, value: str) -> str:
        plain = _UNSAFE.sub("_", value)[:_MOST_CHARS] or OTHER
        seen = self._seen[metric.name, label]
        if plain not in seen:
            if len(seen) >= MOST_VALUES:
                return OTHER
            seen.add(plain)
        return plain


_emitter: Emitter | None = None


def send_to(listener: str | None) -> None:
    """Send this process's metrics to `host:port` from now on; None sends none."""
    global _emitter  # one process has one listener
    if _emitter is not None:
        _emitter.close()
    _emitter = None
    if listener is not None:
        host, _, port = listener.rpartition(":")
        try:
            _emitter = Emitter(host.strip("[]"), int(port))
        except OSError as error:
            _log.warning("no metrics are sent to CAPTIONS_STATSD=%s: %s", listener, error)


def is_on() -> bool:
    """Whether metrics are sent."""
    return _emitter is not None


def send(*sent: Sent) -> None:
    """Send some metrics together, if any are wanted."""
    if _emitter is not None:
        _emitter.send(list(sent))


def of(metric: Metric, value: float = 1, **labels: str) -> Sent:
    """A metric with its value and labels, to `send`."""
    return metric, value, labels
