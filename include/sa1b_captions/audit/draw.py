"""Which captions are audited, and in which order their sentences are asked about.

By hash rank: a pure function of the recipe's seed and the sample's name, so a restarted audit, a
larger one and a person's sampling plan all meet the same captions.
"""

from collections.abc import Sequence

import xxhash


def draw_captions(sample_ids: Sequence[str], count: int, seed: int) -> list[int]:
    """Places of so many captions among all, those of the lowest rank first."""
    return sorted(
        range(len(sample_ids)), key=lambda place: _rank(seed, "caption", sample_ids[place])
    )[:count]


def asking_order(sample_id: str, sentences: int, seed: int) -> list[int]:
    """Places of a caption's sentences in the random order in which they are asked about."""
    return sorted(range(sentences), key=lambda place: _rank(seed, str(place), sample_id))


def _rank(seed: int, what: str, sample_id: str) -> tuple[int, str]:
    return xxhash.xxh3_64_intdigest(f"{seed}/audit/{what}/{sample_id}".encode()), sample_id
