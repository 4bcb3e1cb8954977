"""How alike the captions of a track are, beyond those that the recipe leaves out.

It costs nothing: every pair that meets in a band is compared exactly anyway. At Jaccard .5 the
bands show 47 of 100 pairs, so a pair seen stands for one over its chance to meet: on average the
estimate is right at every level. Of unrelated pairs of .5, 53 seen give it a standard error of a
tenth.
"""

import numpy as np

from sa1b_captions.quality.duplicates import minhash
from sa1b_captions.quality.kernels import shingles as kernel
from sa1b_captions.receipts import Alike

LEVELS = (0.9, 0.8, 0.7, 0.6, 0.5)
"""Jaccard from which pairs are counted. Captions of different images that one model wrote in its
usual phrases reach .43, so lower ones would say little."""


def count_alike(pairs: np.ndarray, jaccard: np.ndarray) -> list[Alike]:
    """Count pairs of different wordings at each of `LEVELS`.

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
