"""Holds requests back until a stock of decoded samples is there."""

import threading
from concurrent.futures import Future
from typing import Any


class Stock:
    """Opens once so many samples are decoded; at once when that is none. Thread-safe."""

    def __init__(self, samples: int) -> None:
        self._missing = samples
        self._lock = threading.Lock()
        self._opened = threading.Event()
        if samples <= 0:
            self._opened.set()

    def count(self, _decoded: "Future[Any]") -> None:
        """Count one decoded sample; fits `Future.add_done_callback`."""
        with self._lock:
            self._missing -= 1
            if self._missing <= 0:
                self._opened.set()

    def open(self) -> None:
        """Wait for no more: the samples have come to an end, or the run has."""
        self._opened.set()

    def wait(self) -> None:
        """Wait until it is open."""
        self._opened.wait()
