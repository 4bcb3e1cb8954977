"""What people's marks say of all captions: shares with intervals, rules, agreement, plans.

Only marks of a random sample tell of captions that nobody marked; all marks of a rule's captions
tell how often it is right. Of several people's marks of one caption the majority counts, and of as
many fit as unfit, unfit.
"""

import bisect
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sa1b_captions.chance import Z95, wilson
from sa1b_captions.marks import CaptionMark, Fault, Judgement


@dataclass(frozen=True, slots=True)
class Share:
    """A share that was measured on some captions, with Wilson's 95 % interval."""

    hits: int
    of: int

    @property
    def share(self) -> float | None:
        """None where nothing was measured."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """From and to."""
        return wilson(self.hits, self.of)

    def __str__(self) -> str:
        """`98.1 %, 97.2 to 98.8, from 812`."""
        if self.share is None:
            return "–"
        low, high = self.interval
        return f"{self.share:.1%}, {low * 100:.1f} to {high * 100:.1f}, from {self.of:,}".replace(
            "%", " %"
        )


@dataclass(frozen=True, slots=True)
class RuleScore:
    """How often a rule is right, by people's marks."""

    rule: str
    precision: Share
    """Of the marked captions that it rejects, those that are unfit."""
    recall: float | None
    """Estimate: of all captions that it should reject, those that it does; None where no accepted
    caption was marked."""
    missed: Share
    """Of the marked captions that are accepted, those that a person says it should reject."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two people who marked the same captions."""

    first: str
    second: str
    both: int
    agreed: int
    kappa: float | None
    """Cohen's: agreement beyond chance; None where both always said one thing."""


def is_fit(mark: CaptionMark) -> bool:
    """Whether a person finds the caption fit for the dataset.

    To say of a rejected one that the rule was wrong is to say that it is fit.
    """
    if mark.judgement == Judgement.GOOD:
        return True
    return mark.fault == Fault.RULE_WAS_WRONG and bool(mark.reasons)


def fit_by_sample(marks: Iterable[CaptionMark]) -> dict[str, bool]:
    """Whether each marked sample is fit, by the majority."""
    votes: dict[str, list[bool]] = {}
    for mark in marks:
        votes.setdefault(mark.sample_id, []).append(is_fit(mark))
    return {sample: sum(said) * 2 > len(said) for sample, said in votes.items()}


def fit_shares(marks: Iterable[CaptionMark]) -> dict[str, Share]:
    """The fit share of each random sample that somebody went through, by its name."""
    draws: dict[str, list[CaptionMark]] = {}
    for mark in marks:
        if mark.draw is not None:
            draws.setdefault(mark.draw, []).append(mark)
    found = {draw: fit_by_sample(some).values() for draw, some in draws.items()}
    return {draw: Share(sum(fit), len(fit)) for draw, fit in found.items()}


def rule_scores(
    marks: Sequence[CaptionMark], rejected: Mapping[str, int], accepted: int
) -> list[RuleScore]:
    """Precision and recall of the rules that marks tell of.

    Args:
        rejected: captions of the campaign by the rule that rejects them.
        accepted: captions that no rule rejects.
    """
    of_accepted = [mark for mark in marks if not mark.reasons and mark.draw is not None]
    reviewed = len({mark.sample_id for mark in of_accepted})
    blamed: dict[str, set[str]] = {}
    for mark in of_accepted:
        if mark.fault == Fault.RULE_WAS_WRONG and mark.rule:
            blamed.setdefault(mark.rule, set()).add(mark.sample_id)
    rules = {reason for mark in marks for reason in mark.reasons} | set(blamed)
    scores = []
    for rule in sorted(rules):
        fit = fit_by_sample(mark for mark in marks if rule in mark.reasons)
        precision = Share(sum(not one for one in fit.values()), len(fit))
        missed = Share(len(blamed.get(rule, ())), reviewed)
        recall = None
        if missed.share is not None and precision.share is not None:
            right = precision.share * rejected.get(rule, 0)
            lost = missed.share * accepted
            recall = right / (right + lost) if right + lost else None
        scores.append(RuleScore(rule, precision, recall, missed))
    return scores


def agreements(marks: Iterable[CaptionMark]) -> Iterator[Agreement]:
    """Every two people who marked some of the same captions."""
    said: dict[str, dict[str, bool]] = {}
    for mark in marks:
        said.setdefault(mark.who, {})[mark.sample_id] = is_fit(mark)
    for first, second in combinations(sorted(said), 2):
        both = said[first].keys() & said[second].keys()
        if both:
            pairs = [(said[first][one], said[second][one]) for one in both]
            yield Agreement(
                first, second, len(pairs), sum(a == b for a, b in pairs), cohen_kappa(pairs)
            )


def cohen_kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Agreement of two people beyond what chance would give; 1 is perfect, 0 is chance.

    None where chance alone would make them agree always, or there is nothing to compare.
    """
    if not pairs:
        return None
    of = len(pairs)
    agreed = sum(a == b for a, b in pairs) / of
    first, second = (sum(pair[place] for pair in pairs) / of for place in (0, 1))
    chance = first * second + (1 - first) * (1 - second)
    return None if chance == 1 else (agreed - chance) / (1 - chance)


def marks_needed(share: float, margin: float) -> int:
    """Marks of a random sample after which a share is known to such a margin.

    Args:
        margin: half the width of Wilson's 95 % interval, at most.
    """

    def half(marks: int) -> float:
        low, high = wilson(round(share * marks), marks)
        return (high - low) / 2

    enough = math.ceil(Z95 * Z95 / (4 * margin * margin)) + 1
    return 1 + bisect.bisect_left(range(1, enough), True, key=lambda n: half(n) <= margin)


def gold_label(mark: CaptionMark) -> list[str] | None:
    """Reasons that a caption deserves by a mark, as `make gold FILE=` reads them.

    None of a mark that says nothing of rules, such as that a statement is false.
    """
    if is_fit(mark):
        return []
    if mark.reasons:
        return list(mark.reasons)
    return [mark.rule] if mark.rule else None
