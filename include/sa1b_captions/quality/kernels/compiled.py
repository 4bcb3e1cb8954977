"""Compiled loops: what makes them quick to start and safe to share between threads."""

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba
from numba.core.caching import FunctionCache

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

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return (*super()._index_key(sig, codegen), _SOURCES)  # type: ignore[no-untyped-call]


def compiled(function: Callable[P, T]) -> Callable[P, T]:
    """Compile on first use, without the GIL; cache on disk where some cache folder is writable.

    Loops, and constants they use, stand in this folder: the cache follows no other.
    """
    loop: Any = numba.njit(nogil=True)(function)
    # Refused in a read-only installation without a home: every process compiles for itself.
    with contextlib.suppress(RuntimeError):
        loop._cache = _FolderCache(function)  # type: ignore[no-untyped-call]
    kernel: Callable[P, T] = loop
    return kernel
