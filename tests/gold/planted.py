"""The planted half of the gold captions: every kind of defect, a few of each, always the same."""

import functools
import random

from tests.gold.captions import Gold, load_gold, split_of
from tests.gold.planting import asides, cuts, encodings, languages, markup, repeats, slips, talk
from tests.gold.planting.base import Base, Defect, good_captions

SEED = 14
PER_KIND = 11
"""Captions of each kind in each language."""

DEFECTS: tuple[Defect, ...] = (
    *cuts.DEFECTS,
    *repeats.DEFECTS,
    *languages.DEFECTS,
    *encodings.DEFECTS,
    *markup.DEFECTS,
    *talk.DEFECTS,
    *asides.DEFECTS,
    *slips.DEFECTS,
)


@functools.cache
def planted(language: str, seed: int = SEED, per_kind: int = PER_KIND) -> tuple[Gold, ...]:
    """Captions of a language with one defect each, no two alike.

    Another seed gives others: texts for a set of one's own.
    """
    good = good_captions(language)
    seen: set[str] = set()
    return tuple(
        _one(language, defect, f"{language}-planted-{defect.kind}-{number:02}", good, seed, seen)
        for defect in DEFECTS
        if language in defect.languages
        for number in range(1, per_kind + 1)
    )


def _one(
    language: str, defect: Defect, caption_id: str, good: list[str], seed: int, seen: set[str]
) -> Gold:
    rng = random.Random(f"{seed}/{caption_id}")
    while (text := defect.plant(rng, Base(language, rng.choice(good)))) in seen:
        pass
    seen.add(text)
    return Gold(
        id=caption_id,
        language=language,
        text=text,
        expected=frozenset({defect.expected}),
        optional=defect.optional,
        split=split_of(caption_id),
        kind=defect.kind,
    )


def gold(language: str) -> tuple[Gold, ...]:
    """All gold captions of a language, those written by hand first."""
    return load_gold(language) + planted(language)
