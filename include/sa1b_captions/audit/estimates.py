"""Shares of sentences with their intervals, from counts of captions.

Sentences of one caption are alike: a model that mistakes the place invents three things in it. So
captions, not sentences, are what was drawn; a share's variance is that of a ratio over captions
(Taylor's linearisation), and the interval is Wilson's for as many independent sentences as have
that variance (Korn and Graubard 1998). Captions of a shard weigh as many as it has accepted per
drawn one. Nothing is gained from all shards being there, nor from a track of which most captions
were drawn, so the intervals are rather too wide.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sa1b_captions.chance import wilson
from sa1b_captions.receipts.faithfulness import SentenceCounts, Share


@dataclass(frozen=True, slots=True)
class Stratum:
    """Counts of a shard's track, and how many captions each of its drawn ones stands for."""

    counts: SentenceCounts
    weight: float = 1.0


def _refused(counts: SentenceCounts) -> tuple[int, int, int, int, int]:
    """Sums over captions of x, m, x², xm and m², where x are the sentences in question of m."""
    return (
        counts.refused,
        counts.sentences,
        counts.refused_squared,
        counts.refused_by_sentences,
        counts.sentences_squared,
    )


def _captions_refused(counts: SentenceCounts) -> tuple[int, int, int, int, int]:
    some, all_ = counts.captions_refused, counts.captions
    return some, all_, some, some, all_


def refused_share(strata: Iterable[Stratum]) -> Share:
    """Share of sentences that the judge refused."""
    return _ratio(strata, _refused)


def captions_refused_share(strata: Iterable[Stratum]) -> Share:
    """Share of captions with a sentence that the judge refused."""
    return _ratio(strata, _captions_refused)


def unsure_share(strata: Iterable[Stratum]) -> Share:
    """Share of sentences that the judge could not tell of.

    Its interval is that of sentences which are all alike within a caption.
    """
    found = [one for one in strata if one.counts.sentences]
    sentences = sum(one.weight * one.counts.sentences for one in found)
    value = sum(one.weight * one.counts.unsure for one in found) / sentences if found else 0.0
    of = sum(one.counts.sentences for one in found)
    return _share(value, of, _kish(found))


def _ratio(
    strata: Iterable[Stratum], sums: Callable[[SentenceCounts], tuple[int, int, int, int, int]]
) -> Share:
    found = [one for one in strata if one.counts.captions]
    totals = [(one.weight, *sums(one.counts)) for one in found]
    whole = sum(w * m for w, _, m, *_ in totals)
    if not whole:
        return Share(0.0, 0.0, 1.0, 0, 0.0)
    of = sum(m for _, _, m, *_ in totals)
    value = sum(w * x for w, x, *_ in totals) / whole
    captions = sum(one.counts.captions for one in found)
    squares = sum(
        w * w * (xx - 2 * value * xm + value * value * mm) for w, _, _, xx, xm, mm in totals
    )
    variance = squares / whole**2 * captions / max(captions - 1, 1)
    independent = _kish(found)
    if 0 < value < 1 and variance > 0 and captions > 1:
        effective = min(value * (1 - value) / variance, float(of))
    else:
        effective = independent  # nothing is seen of how alike sentences are
    return _share(value, of, effective)


def _kish(strata: Sequence[Stratum]) -> float:
    """Captions of equal weight that would tell as much."""
    total = sum(one.weight * one.counts.captions for one in strata)
    squares = sum(one.weight**2 * one.counts.captions for one in strata)
    return total**2 / squares if squares else 0.0


def _share(value: float, of: int, effective: float) -> Share:
    low, high = wilson(value * effective, effective)
    return Share(value, low, high, of, effective)
