"""Compiled loops: what makes them quick to start and safe to share between threads."""

import functools
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba
from numba.core.caching import FunctionCache

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


def _digest(folder: Path) -> str:
    """Of all sources of a folder."""
    sources = (path.read_bytes() for path in sorted(folder.glob("*.py")))
    return hashlib.sha256(b"\0".join(sources)).hexdigest()


_SOURCES = _digest(Path(__file__).parent)


class _FolderCache(FunctionCache):
    """Numba's cache on disk, following every file of this folder.

    Numba's own follows a loop's file, though loops and constants of others are compiled into it.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What an earlier process compiled; None if there is none, or none can be read."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except OSError as error:
            _do_without(str(error))
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Leave to later processes what was compiled, where there is room."""
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except OSError as error:
            _do_without(str(error))

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return (*super()._index_key(sig, codegen), _SOURCES)  # type: ignore[no-untyped-call]


@functools.cache
def _do_without(reason: str) -> None:
    log.warning(
        "compiled loops cannot be kept (%s); every process compiles them anew, which takes a "
        "minute: set NUMBA_CACHE_DIR to a folder that can be written",
        reason,
    )


def compiled(function: Callable[P, T]) -> Callable[P, T]:
    """Compile on first use, without the GIL; cache on disk where some cache folder is writable.

    Loops, and constants they use, stand in this folder: the cache follows no other.
    """
    loop: Any = numba.njit(nogil=True)(function)
    # Refused in a read-only installation without a home: every process compiles for itself.
    try:
        loop._cache = _FolderCache(function)  # type: ignore[no-untyped-call]
    except (RuntimeError, OSError):
        _do_without("there is no folder for them")
    kernel: Callable[P, T] = loop
    return kernel
