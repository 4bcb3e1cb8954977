"""A store in which the n-th call goes wrong: the worker dies there, or the store fails."""

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from hypothesis import strategies as st

from sa1b_captions.errors import RetryableError
from sa1b_captions.storage import Store
from sa1b_captions.storage.store import Writer

T = TypeVar("T")


class Killed(BaseException):
    """SIGKILL, as far as a test in one process can go: nothing may catch it and go on."""


@dataclass(frozen=True)
class Fault:
    """What happens at which call."""

    call: int
    """Number of the call to the store, from 1."""
    kills: bool
    """The worker dies; otherwise the store raises RetryableError."""
    after: bool
    """Only after the call had its effect."""


def faults(most_calls: int) -> st.SearchStrategy[Fault]:
    """Faults at one of the first calls."""
    return st.builds(
        Fault, call=st.integers(1, most_calls), kills=st.booleans(), after=st.booleans()
    )


@contextlib.contextmanager
def survived() -> Iterator[None]:
    """Ends a run that meets its fault."""
    with contextlib.suppress(Killed, RetryableError):
        yield


class FaultyStore:
    """Another store, until the fault; a killed worker's later calls have no effect."""

    def __init__(self, store: Store, fault: Fault) -> None:
        self.url = store.url
        self.calls = 0
        self._store = store
        self._fault = fault
        self._dead = False
        self._lock = threading.Lock()

    def _call(self, method: Callable[..., T], *arguments: object) -> T:
        with self._lock:
            self.calls += 1
            due = self.calls == self._fault.call
            if self._dead:
                raise Killed
            self._dead = due and self._fault.kills
        if due and not self._fault.after:
            self._raise()
        result = method(*arguments)
        if due:
            self._raise()
        return result

    def _raise(self) -> NoReturn:
        if self._fault.kills:
            raise Killed
        raise RetryableError(f"the store failed at call {self.calls}")

    def read(self, key: str) -> bytes:
        return self._call(self._store.read, key)

    def read_range(self, key: str, offset: int, size: int) -> bytes:
        return self._call(self._store.read_range, key, offset, size)

    def write(self, key: str, data: bytes) -> None:
        self._call(self._store.write, key, data)

    @contextlib.contextmanager
    def open_writer(self, key: str) -> Iterator[Writer]:
        with self._store.open_writer(key) as writer:
            yield writer
            self._call(lambda: None)

    def concatenate(self, key: str, parts: Sequence[tuple[str, int]]) -> None:
        self._call(self._store.concatenate, key, parts)

    def exists(self, key: str) -> bool:
        return self._call(self._store.exists, key)

    def list(self, prefix: str) -> Iterator[str]:
        return iter(self._call(lambda: list(self._store.list(prefix))))

    def stamps(self, keys: Collection[str]) -> dict[str, str]:
        return self._call(self._store.stamps, keys)

    def delete(self, key: str) -> None:
        self._call(self._store.delete, key)

    def clear_unfinished(self, key: str, idle_s: float) -> None:
        self._call(self._store.clear_unfinished, key, idle_s)

    def locate(self, key: str) -> str:
        return self._store.locate(key)
