"""A memory of what was read, with a bound: the oldest that nobody asked for goes first."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """Keeps at most so much, for several threads."""

    def __init__(self, most: int, weigh: Callable[[V], int] = lambda _: 1) -> None:
        self._most, self._weigh = most, weigh
        self._held: OrderedDict[K, V] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value of a key, made unless it is remembered. Raises what `make` raises."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        # Not under the lock: two may make the same, and nobody waits for what others make.
        value = make()
        with self._lock:
            if key in self._held:
                self._weight -= self._weigh(self._held.pop(key))
            self._held[key] = value
            self._weight += self._weigh(value)
            while self._weight > self._most and len(self._held) > 1:
                self._weight -= self._weigh(self._held.popitem(last=False)[1])
        return value

    def drop(self, key: K) -> None:
        """Forget a key."""
        with self._lock:
            if key in self._held:
                self._weight -= self._weigh(self._held.pop(key))
