"""How numbers of many captions are spread, and how far two such spreads lie apart.

All on counts per value, so a shard is a few hundred pairs and a campaign can be pooled.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

MAD_SCALE = 1.4826
"""Makes the median absolute deviation of a normal sample its standard deviation."""

CHI2_9_QUANTILE = 33.7
"""Which chi-square of 9 degrees, what n times PSI follows by chance alone, passes 1 in 10,000."""

KS_QUANTILE = 2.23
"""What the square root of n times D, the greatest distance of cumulative shares, passes by chance
alone 1 time in 10,000."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows per value."""

    values: np.ndarray
    """Ascending, (values,) int64."""
    rows: np.ndarray
    """Rows of each, all positive, (values,) int64."""

    @classmethod
    def pool(cls, many: Iterable[Sequence[Sequence[int]]]) -> "Counts":
        """Add up lists of (value, rows) pairs."""
        pairs = [np.asarray(pairs, np.int64).reshape(-1, 2) for pairs in many]
        table = np.concatenate([np.empty((0, 2), np.int64), *pairs])
        values, places = np.unique(table[:, 0], return_inverse=True)
        return cls(values, np.bincount(places, table[:, 1], len(values)).astype(np.int64))

    @property
    def total(self) -> int:
        """Rows in all."""
        return int(self.rows.sum())

    @property
    def most_common_share(self) -> float:
        """Share of the rows that have the most frequent value; 0 without rows."""
        return float(self.rows.max() / self.total) if self.total else 0.0

    def quantiles(self, shares: Sequence[float] | np.ndarray) -> np.ndarray:
        """Least values that so many of the rows do not exceed. Needs a row."""
        ranks = np.maximum(np.ceil(np.asarray(shares) * self.total), 1)
        found: np.ndarray = self.values[np.searchsorted(np.cumsum(self.rows), ranks)]
        return found

    def log_median_and_mad(self) -> tuple[float, float]:
        """Median and scaled MAD of the values' natural logarithm. Needs a row, values above 0."""
        logs = np.log(self.values)
        median = _weighted_median(logs, self.rows)
        return median, MAD_SCALE * _weighted_median(np.abs(logs - median), self.rows)

    def share_beyond(self, median_log: float, distance_log: float) -> float:
        """Share of rows whose logarithm lies farther than that from a median."""
        far = np.abs(np.log(self.values) - median_log) > distance_log
        return float(self.rows[far].sum() / self.total)

    def bin(self, edges: Sequence[int] | np.ndarray) -> np.ndarray:
        """Rows up to the first edge, above it up to the second, …, above the last."""
        places = np.searchsorted(edges, self.values, side="left")
        return np.bincount(places, self.rows, len(edges) + 1).astype(np.int64)


def psi(rows: np.ndarray, shares: Sequence[float]) -> float:
    """Population stability index of binned rows against shares of a reference.

    Half a row is added to each bin, so an empty one is finite.
    """
    reference = np.asarray(shares)
    found = (rows + 0.5) / (rows.sum() + len(rows) / 2)
    reference = np.maximum(reference, 1e-6)
    return float(((found - reference) * np.log(found / reference)).sum())


def ks_distance(counts: Counts, quantiles: Sequence[int]) -> float:
    """Greatest distance D of two cumulative shares; the other one is given by its quantiles."""
    at = np.union1d(counts.values, quantiles)
    ours = np.concatenate([[0], np.cumsum(counts.rows)]) / counts.total
    ours = ours[np.searchsorted(counts.values, at, side="right")]
    reference = np.searchsorted(quantiles, at, side="right") / len(quantiles)
    return float(np.abs(ours - reference).max())


def psi_limit(limit: float, rows: int, reference_rows: int) -> float:
    """PSI of so many rows past which chance no longer explains more than `limit`."""
    return limit + CHI2_9_QUANTILE * (1 / rows + 1 / reference_rows)


def ks_limit(limit: float, rows: int, reference_rows: int) -> float:
    """Greatest distance D of so many rows past which chance no longer explains more than `limit`.

    Chance and what is real add up in squares.
    """
    return math.hypot(limit, KS_QUANTILE * math.sqrt(1 / rows + 1 / reference_rows))


def spread_limit(limit: float, rows: int, reference_rows: int) -> float:
    """Logarithm of a ratio of MADs past which chance no longer explains more than `limit`.

    Its standard deviation is 1.17 / sqrt(rows).
    """
    return math.hypot(limit, 3.7 * 1.17 * math.sqrt(1 / rows + 1 / reference_rows))


def share_limit(limit: float, rows: int) -> float:
    """Share of so many rows past which chance no longer explains more than `limit`.

    That is 3.7 standard deviations, and three rows for rare ones.
    """
    spread = math.sqrt(max(limit * (1 - limit), 0.0) / rows)
    return min(1.0, limit + 3.7 * spread + 3 / rows)


def median_and_mad(values: Sequence[float]) -> tuple[float, float]:
    """Median and scaled MAD of some numbers. Needs one."""
    array = np.asarray(values, np.float64)
    median = float(np.median(array))
    return median, MAD_SCALE * float(np.median(np.abs(array - median)))


def _weighted_median(values: np.ndarray, rows: np.ndarray) -> float:
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(rows[order])
    return float(values[order][np.searchsorted(passed, (passed[-1] + 1) // 2)])
