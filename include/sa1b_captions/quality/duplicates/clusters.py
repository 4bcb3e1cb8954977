"""Clusters of equal and nearly equal captions, over rows numbered by rank.

A cluster is everything that a chain of pairs joins: equal normalised texts, or texts that meet in
a band and have an exact Jaccard of at least the limit. Its lowest row wins. All pairs of a band's
bucket are compared, up to `buckets.BUCKET_ROWS` rows, so the answer depends on the set of captions
only, not on order, sharding, or on which search found the pairs.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.duplicates import minhash
from sa1b_captions.quality.duplicates.buckets import packed, unpacked
from sa1b_captions.quality.kernels import shingles as kernel
from sa1b_captions.receipts import Alike

MOST_ROWS = 2**31 - 1
"""Of a track: their numbers are int32, two of them an int64."""
NO_LINKS = np.empty((0, 2), np.int64)


@dataclass(frozen=True, slots=True)
class Near:
    """Pairs of rows that met in a band and are alike."""

    pairs: np.ndarray
    """Packed, ascending."""
    jaccard: np.ndarray
    """Exact, of each."""
    candidates: int
    """Pairs that met in a band, alike or not."""
    large_buckets: int
    """Buckets of more than `buckets.BUCKET_ROWS` rows."""


class Search(Protocol):
    """Finds the captions that may be of one cluster, wherever their signatures are."""

    rows: int
    links: np.ndarray
    """(pairs, 2) rows known to be of one cluster."""

    def equal(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of equal normalised texts, each with the next one."""

    def near(self, repeats: np.ndarray, floor: float) -> Near:
        """Pairs that meet in a band and have a Jaccard of at least `floor`; called once.

        Args:
            repeats: ascending rows that take no part, for they equal a lower one.
            floor: least Jaccard.
        """

    def jaccard(self, pairs: np.ndarray) -> np.ndarray:
        """Exact Jaccard of packed pairs, in their order."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Rows that are not the lowest of their cluster."""

    losers: np.ndarray
    """Ascending row numbers."""
    winners: np.ndarray
    """The lowest row of each loser's cluster."""
    exact: np.ndarray
    """Whether the loser's normalised text is the winner's."""
    jaccard: np.ndarray
    """Jaccard of loser and winner; below the limit where others between them joined them."""
    candidates: int
    """Pairs that met in a band."""
    confirmed: int
    """Pairs that are alike enough."""
    large_buckets: int
    """Buckets of more than `buckets.BUCKET_ROWS` rows."""
    alike: list[Alike]
    """Pairs at fixed levels, among them some below the limit."""


def find_clusters(captions: Search, min_jaccard: float) -> Clusters:
    """Cluster captions whose near duplicates have a Jaccard of at least `min_jaccard`.

    Raises PermanentError: there are more captions than have numbers.
    """
    if captions.rows > MOST_ROWS:
        raise PermanentError(
            f"{captions.rows:,} captions of one track are more than the {MOST_ROWS:,} that dedup "
            "can number; release the shards in parts, each a campaign of its own"
        )
    rows = np.arange(captions.rows, dtype=np.int32)
    parents = rows.copy()
    kernel.join(parents, *captions.equal())
    kernel.settle(parents)
    exact_roots = parents.copy()
    near = captions.near(np.flatnonzero(parents != rows), min(min_jaccard, LEVELS[-1]))
    confirmed = unpacked(near.pairs[near.jaccard >= min_jaccard])
    for joined in (confirmed, captions.links):
        kernel.join(parents, joined[:, 0].copy(), joined[:, 1].copy())
    kernel.settle(parents)
    losers = np.flatnonzero(parents != rows)
    winners = parents[losers].astype(np.int64)
    exact = exact_roots[losers] == winners
    jaccard = np.ones(len(losers))
    jaccard[~exact] = _jaccard_of(
        packed(winners[~exact], exact_roots[losers[~exact]]), near, captions
    )
    return Clusters(
        losers=losers,
        winners=winners,
        exact=exact,
        jaccard=jaccard,
        candidates=near.candidates,
        confirmed=len(confirmed),
        large_buckets=near.large_buckets,
        alike=count_alike(unpacked(near.pairs), near.jaccard),
    )


def _jaccard_of(wanted: np.ndarray, near: Near, captions: Search) -> np.ndarray:
    """Exact Jaccard of packed pairs, comparing only those that are not known."""
    known = np.isin(wanted, near.pairs)
    result = np.empty(len(wanted))
    result[known] = near.jaccard[np.searchsorted(near.pairs, wanted[known])]
    result[~known] = captions.jaccard(wanted[~known])
    return result


LEVELS = (0.9, 0.8, 0.7, 0.6, 0.5)
"""Jaccard from which pairs are counted. Captions of different images that one model wrote in its
usual phrases reach .43, so lower ones would say little."""


def count_alike(pairs: np.ndarray, jaccard: np.ndarray) -> list[Alike]:
    """Count pairs of different wordings at each of `LEVELS`.

    It costs nothing: every pair that meets in a band is compared exactly anyway. At Jaccard .5 the
    bands show 47 of 100 pairs, so a pair seen stands for one over its chance to meet: on average
    the estimate is right at every level. Of unrelated pairs of .5, 53 seen give it a standard error
    of a tenth.

    Args:
        pairs: (pairs, 2) rows that met in a band, each pair once.
        jaccard: exact Jaccard of each.
    """
    near = jaccard >= LEVELS[-1]
    jaccard = jaccard[near]
    rows, places = np.unique(pairs[near], return_inverse=True)
    places = places.reshape(-1, 2)
    parents = np.arange(len(rows), dtype=np.int32)
    stands_for = 1 / minhash.meeting_chance(jaccard)
    above = np.inf
    counted = []
    for level in LEVELS:
        joined = places[(jaccard >= level) & (jaccard < above)]
        kernel.join(parents, joined[:, 0].copy(), joined[:, 1].copy())
        kernel.settle(parents)
        alike = jaccard >= level
        counted.append(
            Alike(
                jaccard=level,
                pairs=int(alike.sum()),
                estimated_pairs=round(float(stands_for[alike].sum())),
                left_out=int((parents != np.arange(len(rows))).sum()),
            )
        )
        above = level
    return counted
