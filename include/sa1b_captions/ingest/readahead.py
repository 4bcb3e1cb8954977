"""Run a source of bytes in a thread, so that the network works while the CPU does."""

import contextlib
import queue
import threading
from collections.abc import Iterable, Iterator

_BATCH_BYTES = 2**20
_BATCHES = 16
"""Together the most that is read ahead."""
_POLL_S = 0.1


@contextlib.contextmanager
def read_ahead(source: Iterable[bytes]) -> Iterator[Iterator[bytes]]:
    """Bytes of a source in the same order, in pieces of about 1 MiB; its errors come out here.

    Leaving the block stops the source after the piece it is at, and waits for that.
    """
    batches: queue.Queue[bytes | BaseException | None] = queue.Queue(_BATCHES)
    stopped = threading.Event()
    arguments = (source, batches, stopped)
    thread = threading.Thread(target=_fill, args=arguments, name="read-ahead", daemon=True)
    thread.start()
    try:
        yield _drain(batches)
    finally:
        stopped.set()
        thread.join()


def _drain(batches: "queue.Queue[bytes | BaseException | None]") -> Iterator[bytes]:
    while (batch := batches.get()) is not None:
        if isinstance(batch, BaseException):
            raise batch
        yield batch


def _fill(
    source: Iterable[bytes],
    batches: "queue.Queue[bytes | BaseException | None]",
    stopped: threading.Event,
) -> None:
    last: BaseException | None = None
    try:
        pieces: list[bytes] = []
        size = 0
        for piece in source:
            pieces.append(piece)
            size += len(piece)
            if size >= _BATCH_BYTES:
                _put_split(b"".join(pieces), batches, stopped)
                pieces, size = [], 0
            if stopped.is_set():
                return
        _put(b"".join(pieces), batches, stopped)
    except BaseException as error:  # whatever it is, the reader must learn of it
        last = error
    _put(last, batches, stopped)


def _put_split(
    data: bytes,
    batches: "queue.Queue[bytes | BaseException | None]",
    stopped: threading.Event,
) -> None:
    """Put no more than a batch at a time: a source may bring many MiB at once."""
    for start in range(0, len(data), _BATCH_BYTES):
        _put(data[start : start + _BATCH_BYTES], batches, stopped)


def _put(
    batch: bytes | BaseException | None,
    batches: "queue.Queue[bytes | BaseException | None]",
    stopped: threading.Event,
) -> None:
    while not stopped.is_set():
        with contextlib.suppress(queue.Full):
            batches.put(batch, timeout=_POLL_S)
            return
