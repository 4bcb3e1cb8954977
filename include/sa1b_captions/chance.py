"""What chance explains: a share that is measured on few rows strays from its true value."""

import math


def allowed_share(limit: float, rows: int, deviations: float = 3.0) -> float:
    """Share of so many rows that may be bad before chance no longer explains it.

    By default three standard deviations above the limit: of 79 multi-image rows with 3 % bad ones,
    every fifth shard would break a plain limit of 5 %, and a warning so common is no warning. Over
    11,000 rows it adds half a point.
    """
    return min(1.0, limit + deviations * math.sqrt(limit * (1 - limit) / max(rows, 1)))


Z95 = 1.959964
"""Standard deviations that 95 % of a normal distribution lie within."""


def wilson(hits: float, of: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; from 0 to 1 where nothing was tried."""
    if of <= 0:
        return 0.0, 1.0
    share, square = hits / of, Z95 * Z95
    middle = share + square / (2 * of)
    half = Z95 * (max(share * (1 - share), 0.0) / of + square / (4 * of * of)) ** 0.5
    low, high = ((middle + sign * half) / (1 + square / of) for sign in (-1, 1))
    # Rounding may leave a hair on the wrong side of the share, or out of the range.
    return max(0.0, min(share, low)), min(1.0, max(share, high))
