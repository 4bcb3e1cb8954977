"""Replicas of one model behind OpenAI-compatible endpoints, and which of them gets a request.

A request goes to the least loaded replica that works, unless another one was given the same
images shortly before: its prefix cache still has them, so it comes first while it has room.
Loads alone decide who gets an image first. To hash images onto replicas would need no
memory, but servers have a fixed number of slots, and by chance some would idle while others queue.

A replica that fails gets no work until it has answered `GET /models` again, and then one request
at a time until one succeeds: a sick replica answers fast, so by load alone it would draw all
requests. One thread does all the asking.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sa1b_captions.errors import CaptioningError, PermanentError, RetryableError

_log = logging.getLogger(__name__)

LONGEST_PAUSE_S = 60.0
OVERLOAD = 1 / 8
"""How far above its even share of the window a replica may go to see the same images again."""
_REMEMBERED_WINDOWS = 4
_TICK_S = 0.5

C = TypeVar("C")


@dataclass(slots=True, eq=False)
class Replica(Generic[C]):
    """One endpoint; `Replicas` alone changes it."""

    url: str
    client: C
    ready: bool = False
    """It named the model since its last failure."""
    in_flight: int = 0
    failures: int = 0
    """Since the last success."""
    pause_until: float = 0.0
    problem: str = "not asked yet"


@dataclass(slots=True)
class Replicas(Generic[C]):
    """Chooses replicas for many threads at once."""

    members: Sequence[Replica[C]]
    check: Callable[[Replica[C]], None]
    """Raises PermanentError if the endpoint can never serve the model, any other Exception if it
    does not serve it now."""
    patience_s: float
    """How long `take` waits when no replica works."""
    window: int
    """Requests in flight over all replicas."""
    first_pause_s: float = 1.0
    """Pause after the second failure in a row; each further one doubles it."""
    stopped: bool = False
    """Once set, `take` waits for nobody. A signal handler may set it: no lock is taken for that."""
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _saw: dict[str, Replica[C]] = field(default_factory=dict)
    """Who was given which images, the latest last."""
    _worked: float = -math.inf
    """When a replica last did its work, by `time.monotonic`."""
    _closed: bool = False
    _fatal: PermanentError | None = None
    _asker: threading.Thread | None = None

    def start(self) -> None:
        """Begin to ask the replicas for their model."""
        self._asker = threading.Thread(target=self._ask, name="replicas", daemon=True)
        self._asker.start()

    def take(self, image_set: str = "") -> Replica[C]:
        """Wait for a replica that may take one more request, and count it in.

        Args:
            image_set: what the request shows, if it may be shown again: who sees it is noted.

        Raises:
            RetryableError: no replica worked for `patience_s`, or none does and we are stopped.
            PermanentError: a replica can never serve the model.
        """
        with self._changed:
            began = time.monotonic()
            while True:
                if self._fatal:
                    raise self._fatal
                if free := [
                    r for r in self.members if r.ready and not (r.failures and r.in_flight)
                ]:
                    replica = self._choose(free, image_set)
                    replica.in_flight += 1
                    return replica
                if self.stopped:
                    raise RetryableError("stopped on request while no replica was free")
                if any(r.ready for r in self.members):
                    began = time.monotonic()
                if time.monotonic() - began > self.patience_s:
                    problems = "; ".join(f"{r.url}: {r.problem}" for r in self.members)
                    raise RetryableError(
                        f"no replica has answered for {self.patience_s:.0f} s ({problems})"
                    )
                self._changed.wait(min(_TICK_S, self.patience_s))

    def _choose(self, free: Sequence[Replica[C]], image_set: str) -> Replica[C]:
        """The one of these that saw the images last, if it is well and has room."""
        chosen = min(free, key=lambda r: r.in_flight)
        if not image_set:
            return chosen
        saw = self._saw.pop(image_set, None)
        room = math.ceil((1 + OVERLOAD) * self.window / sum(r.ready for r in self.members))
        if saw and saw in free and not saw.failures and saw.in_flight < room:
            chosen = saw
        self._saw[image_set] = chosen
        if len(self._saw) > _REMEMBERED_WINDOWS * self.window:
            del self._saw[next(iter(self._saw))]
        return chosen

    def succeeded(self, replica: Replica[C]) -> None:
        """Give a replica back that did its work."""
        with self._changed:
            replica.in_flight -= 1
            replica.failures = 0
            self._worked = time.monotonic()
            self._changed.notify_all()

    def worked_since(self, moment_s: float) -> bool:
        """Whether some replica did its work after this moment, by `time.monotonic`."""
        return self._worked > moment_s

    def failed(self, replica: Replica[C], problem: str, pause_s: float = 0.0) -> None:
        """Give a replica back that did not do its work.

        Args:
            replica: from `take`.
            problem: what went wrong, for the log.
            pause_s: how long it asked to be left alone.
        """
        with self._changed:
            replica.in_flight -= 1
            self._pause(replica, problem, pause_s)
            self._changed.notify_all()

    def _pause(self, replica: Replica[C], problem: str, pause_s: float = 0.0) -> None:
        # The first failure costs no pause: a connection that was closed while idle is no illness.
        replica.failures += 1
        doubled = self.first_pause_s * 2.0 ** min(replica.failures - 2, 16)
        pause_s = max(pause_s, doubled if replica.failures > 1 else 0.0)
        replica.pause_until = time.monotonic() + min(pause_s, LONGEST_PAUSE_S)
        if replica.ready or problem != replica.problem:
            _log.warning("replica %s: %s", replica.url, problem)
        replica.ready, replica.problem = False, problem

    def _ask(self) -> None:
        with self._changed:
            while not (self._closed or self._fatal):
                now = time.monotonic()
                due = [r for r in self.members if not r.ready and r.pause_until <= now]
                if not due:
                    waits = [r.pause_until - now for r in self.members if not r.ready]
                    self._changed.wait(min(waits) if waits else None)
                for replica in due:
                    self._ask_one(replica)

    def _ask_one(self, replica: Replica[C]) -> None:
        """Check one replica with the lock released."""
        problem = None
        self._changed.release()
        try:
            self.check(replica)
        except PermanentError as error:
            self._fatal = error
        except Exception as error:  # whatever it is, the replica does not work now
            known = isinstance(error, CaptioningError)
            problem = str(error) if known else f"{type(error).__name__}: {error}"
        finally:
            self._changed.acquire()
        if problem is not None:
            self._pause(replica, problem)
        elif self._fatal is None:
            _log.info("replica %s is ready", replica.url)
            replica.ready, replica.problem = True, ""
        self._changed.notify_all()

    def close(self) -> None:
        """Stop asking."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._asker is not None:
            self._asker.join()
