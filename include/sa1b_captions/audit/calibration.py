"""What people's marks say of the judge, and the share of sentences that they would not support.

A judge that refuses a share q of the sentences is wrong in both directions. Among marked sentences,
a is the share that people do not support of those it refused (its precision), and b of the others.
Then the share that people would not support is

    π = q a + (1 − q) b

which is Rogan and Gladen's (q + Sp − 1) / (Se + Sp − 1) with the sensitivity Se = q a / π and the
specificity that follow from a, b and q. Written so it stays right when people mark more of the
refused sentences than chance would give them, as long as sentences were drawn for them; Se counted
among the marked ones would not.

The interval is the delta method's with Wilson's distances in place of standard errors (MOVER, Zou
and Donner 2008): it needs no seed, and where no mark contradicts the judge, its standard error
would be 0 and so would a bootstrap's, but not Wilson's.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sa1b_captions.audit.estimates import Stratum, refused_share
from sa1b_captions.marks import SentenceMark, Support, last_of_each
from sa1b_captions.receipts.faithfulness import JudgeQuality, SentenceCounts, Share

Asked = tuple[str, str, int]
"""A sentence: its sample, `marks.text_digest` of the caption, and its place from 0."""

MIN_MARKS = 20
"""Fewest marked sentences that the judge refused, and fewest of the others; or all there are."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A sentence that people marked, and whether the judge refused it."""

    sample_id: str
    refused: bool
    supported: bool


@dataclass(frozen=True, slots=True)
class Agreement:
    """Marked sentences, after several people's marks of one came to one."""

    sentences: Sequence[Marked]
    reviewers: int
    disputed: int


def settle(marks: Iterable[SentenceMark], refused: Mapping[Asked, bool]) -> Agreement:
    """Bring people's marks together: of several about a sentence the majority counts.

    Args:
        marks: in the order in which they were made. Only those of a draw count: whoever browses
            marks what catches the eye. So do those that say yes or no, and of these each person's
            last one.
        refused: whether the judge refused a sentence, by caption and place; marks of sentences that
            it did not answer for, or of another caption, are passed over.
    """
    said: dict[Asked, list[bool]] = {}
    reviewers = set()
    for mark in last_of_each(marks):
        key = (mark.sample_id, mark.text_xxh3, mark.sentence)
        if mark.draw is not None and key in refused and mark.supported is not Support.CANNOT_TELL:
            said.setdefault(key, []).append(mark.supported is Support.YES)
            reviewers.add(mark.who)
    disputed = {key for key, found in said.items() if 2 * sum(found) == len(found)}
    marked = [
        Marked(key[0], refused[key], 2 * sum(found) > len(found))
        for key, found in said.items()
        if key not in disputed
    ]
    return Agreement(marked, len(reviewers), len(disputed))


def lacking(agreement: Agreement, refused: int) -> str:
    """What is missing for a corrected share, as the end of a sentence; empty when nothing is.

    Args:
        refused: sentences that the judge refused in all.
    """
    of_refused = sum(one.refused for one in agreement.sentences)
    of_others = len(agreement.sentences) - of_refused
    needed = min(MIN_MARKS, refused)
    if of_refused >= needed and of_others >= MIN_MARKS:
        return ""
    if not agreement.sentences:
        return "nobody has marked sentences that were drawn for it"
    return (
        f"people have marked {of_refused} of {needed} sentences needed that the judge refused, and "
        f"{of_others} of {MIN_MARKS} needed that it did not"
    )


def judge_quality(agreement: Agreement, refused: Share) -> JudgeQuality:
    """Precision and recall of the judge.

    Args:
        refused: share of sentences that the judge refused.
    """
    precision = _unsupported([one for one in agreement.sentences if one.refused])
    missed = _unsupported([one for one in agreement.sentences if not one.refused])
    return JudgeQuality(
        marks=len(agreement.sentences),
        reviewers=agreement.reviewers,
        disputed=agreement.disputed,
        precision=precision,
        missed=missed,
        recall=_recall(refused, precision, missed),
    )


def _unsupported(sentences: Sequence[Marked]) -> Share:
    """Share of marked sentences that people do not support; those of a caption are alike."""
    captions: dict[str, list[bool]] = {}
    for one in sentences:
        captions.setdefault(one.sample_id, []).append(not one.supported)
    counts = [SentenceCounts.of_caption(len(found), sum(found), 0) for found in captions.values()]
    return refused_share([Stratum(sum(counts, SentenceCounts()))])


def corrected_share(refused: Share, quality: JudgeQuality) -> Share:
    """Share of sentences that people would not support."""
    q, a, b = refused, quality.precision, quality.missed
    value = q.value * a.value + (1 - q.value) * b.value
    rises = a.value >= b.value  # with q
    down = (
        q.value * (a.value - a.low),
        (1 - q.value) * (b.value - b.low),
        (a.value - b.value) * ((q.value - q.low) if rises else (q.value - q.high)),
    )
    up = (
        q.value * (a.high - a.value),
        (1 - q.value) * (b.high - b.value),
        (a.value - b.value) * ((q.high - q.value) if rises else (q.low - q.value)),
    )
    low, high = max(0.0, value - math.hypot(*down)), min(1.0, value + math.hypot(*up))
    return Share(value, low, high, quality.marks, float(quality.marks))


def _recall(q: Share, a: Share, b: Share) -> Share:
    """Q a / (q a + (1 − q) b), with the interval of the logarithm of its odds (MOVER)."""
    marks = a.of + b.of

    def recall(of_refused: float, of_others: float) -> float:
        return of_refused / (of_refused + of_others) if of_refused + of_others else 1.0

    value = recall(q.value * a.value, (1 - q.value) * b.value)
    if 0 < value < 1 and a.low > 0 and b.low > 0 and q.low > 0 and q.high < 1:
        logit = math.log(value / (1 - value))
        low = logit - math.hypot(
            math.log(a.value / a.low), math.log(b.high / b.value), _odds(q.value) - _odds(q.low)
        )
        high = logit + math.hypot(
            math.log(a.high / a.value), math.log(b.value / b.low), _odds(q.high) - _odds(q.value)
        )
        limits = 1 / (1 + math.exp(-low)), 1 / (1 + math.exp(-high))
    else:
        # A rate of which no case was seen has no logarithm: take the ends of all intervals.
        limits = (
            recall(q.low * a.low, (1 - q.low) * b.high),
            recall(q.high * a.high, (1 - q.high) * b.low),
        )
    return Share(value, min(value, limits[0]), max(value, limits[1]), marks, float(marks))


def _odds(share: float) -> float:
    return math.log(share / (1 - share))
