"""Reads what is needed next while the present is worked on."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def read_ahead(
    read: Callable[[T], R], items: Iterable[T], ahead: int, threads: int | None = None
) -> Generator[R, None, None]:
    """What `read` returns of each item, in their order; it runs in threads.

    Args:
        read: called once for each item. What it raises is raised when its turn comes.
        items: taken when they are begun to be read.
        ahead: results that wait beside the one at hand, at least 1; memory holds so many.
        threads: that read; by default as many as results wait. One reads in the items' order.
    """
    left = iter(items)
    with ThreadPoolExecutor(threads or ahead, "ahead") as pool:
        waiting: deque[Future[R]] = deque(pool.submit(read, item) for item in islice(left, ahead))
        try:
            while waiting:
                found = waiting.popleft()
                waiting.extend(pool.submit(read, item) for item in islice(left, 1))
                yield found.result()
        finally:
            for future in waiting:
                future.cancel()
