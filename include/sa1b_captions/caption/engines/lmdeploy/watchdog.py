"""The watchdog: asks an engine for its health, and says when it hangs.

A hung engine cannot be unwound. TurboMind's threads hold the GPU and the interpreter waits for
them, so an exception would never reach the exit code. In a worker the watchdog therefore calls
`end_process`: finished blocks are stored, and the next worker resumes behind them.
"""

import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Watchdog:
    """A thread that asks an engine for its health until it is stopped."""

    def __init__(
        self,
        probe: Callable[[], str | None],
        on_stall: Callable[[str], object],
        *,
        every_s: float,
        stall_s: float,
    ) -> None:
        """Make a watchdog; `start` sets it off.

        Args:
            probe: says what is wrong, or None. It may raise, which counts as wrong.
            on_stall: called once with the reason, from the watchdog's thread.
            every_s: pause between two probes.
            stall_s: how long every probe must have failed.
        """
        self._probe = probe
        self._on_stall = on_stall
        self._every_s = every_s
        self._stall_s = stall_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to probe."""
        self._thread.start()

    def stop(self) -> None:
        """Probe no more; idempotent."""
        self._stopped.set()

    def _watch(self) -> None:
        well_at = time.monotonic()
        while not self._stopped.wait(self._every_s):
            problem = self._problem()
            now = time.monotonic()
            if problem is None:
                well_at = now
            elif self._stopped.is_set():
                return
            elif now - well_at < self._stall_s:
                _log.warning("engine: %s", problem)
            else:
                self._on_stall(f"the engine is stuck for {now - well_at:.0f} s: {problem}")
                return

    def _problem(self) -> str | None:
        try:
            return self._probe()
        except Exception as error:  # an engine that cannot be asked is not well
            return f"{type(error).__name__}: {error}"
