"""What chance explains: a share that is measured on few rows strays from its true value."""

import math


def allowed_share(limit: float, rows: int, deviations: float = 3.0) -> float:
    """Share of so many rows that may be bad before chance no longer explains it.

    By default three standard deviations above the limit: of 79 multi-image rows with 3 % bad ones,
    every fifth shard would break a plain limit of 5 %, and a warning so common is no warning. Over
    11,000 rows it adds half a point.
    """
    return min(1.0, limit + deviations * math.sqrt(limit * (1 - limit) / max(rows, 1)))
