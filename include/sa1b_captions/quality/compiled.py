"""Compiled loops: what makes them quick to start and safe to share between threads."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
T = TypeVar("T")


def compiled(function: Callable[P, T]) -> Callable[P, T]:
    """Compile on first use, without the GIL; cache on disk where some cache folder is writable.

    The cache follows the time and size of the function's own file only: constants that a loop
    uses stand beside it.
    """
    try:
        kernel: Callable[P, T] = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:
        # A read-only installation without a home: every process compiles for itself.
        kernel = numba.njit(nogil=True)(function)
    return kernel
