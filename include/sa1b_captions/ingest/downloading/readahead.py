"""Run a source of bytes in a thread, so that the network works while the CPU does."""

import contextlib
import threading
from collections.abc import Iterable, Iterator
from itertools import repeat, takewhile

from sa1b_captions import ahead

_BATCH_BYTES = 2**20
_BATCHES = 16
"""Together the most that is read ahead."""


@contextlib.contextmanager
def read_ahead(source: Iterable[bytes]) -> Iterator[Iterator[bytes]]:
    """Bytes of a source in the same order, in pieces of about 1 MiB; its errors come out here.

    Leaving the block stops the source after the piece it is at, and waits for that.
    """
    stopped = threading.Event()
    batches = _batches(source, stopped)
    found = ahead.read_ahead(lambda _: next(batches, b""), repeat(None), _BATCHES, threads=1)
    with contextlib.closing(found):
        try:
            yield takewhile(len, found)
        finally:
            stopped.set()


def _batches(source: Iterable[bytes], stopped: threading.Event) -> Iterator[bytes]:
    """No more than a batch at a time: a source may bring many MiB at once."""
    waiting = bytearray()
    for piece in source:
        waiting += piece
        while len(waiting) >= _BATCH_BYTES:
            yield bytes(memoryview(waiting)[:_BATCH_BYTES])
            del waiting[:_BATCH_BYTES]
        if stopped.is_set():
            return
    yield bytes(waiting)
