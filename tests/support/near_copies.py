"""Captions that copy one another with some words changed, and what is found among them."""

import random
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from sa1b_captions.quality.duplicates import clusters, minhash
from sa1b_captions.quality.duplicates import signatures as dedup
from sa1b_captions.quality.duplicates.in_memory import InMemory
from tests.support.shingles import arrow


def vary(rng: random.Random, words: Sequence[str], changes: int) -> list[str]:
    """The words with so many of them changed, each to one that is nowhere else."""
    words = list(words)
    for place in rng.sample(range(len(words)), changes):
        words[place] = f"new{rng.randrange(10**9)}"
    return words


def captions_of(seed: int, count: int) -> list[str]:
    """Families of captions, some joined only through one another."""
    rng = random.Random(seed)
    kept: list[list[str]] = []
    for _ in range(count):
        words = [f"word{rng.randrange(3000)}" for _ in range(60)]
        if kept and rng.random() < 0.7:
            words = vary(rng, rng.choice(kept), rng.choice([0, 1, 1, 2]))
        kept.append(words)
    return [" ".join(words) for words in kept]


def index_of(texts: Sequence[str]) -> dedup.Signatures:
    """The signatures of texts, which are samples named by their places."""
    bands = minhash.sign(arrow(texts))
    rows = pa.table(
        {
            "sample_id": [str(place) for place in range(len(texts))],
            "image_ids": pa.array([[place] for place in range(len(texts))], pa.list_(pa.int64())),
            "caption": pa.array(texts, pa.string()),
        }
    )
    signatures = dedup.Signatures(len(texts))
    signatures.add(dedup.signature_table(rows, 0), "test")
    assert (np.stack(signatures.bands, axis=1) == bands).all()
    return signatures


def in_memory(texts: Sequence[str]) -> InMemory:
    """The search among texts, which are samples named by their places."""
    index = index_of(texts)
    return InMemory(index.words, index.bands, lambda rows: arrow(texts).take(pa.array(rows)))


def clustered(texts: Sequence[str]) -> dict[int, int]:
    """Place of each loser to that of its winner, from Jaccard .7."""
    found = clusters.find_clusters(in_memory(texts), 0.7)
    return dict(zip(found.losers.tolist(), found.winners.tolist(), strict=True))
