"""What a limit rejects, and what it would at other values: for whoever has to choose it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from sa1b_captions.limits import LanguageQuality, is_share
from sa1b_captions.quality.rules import RULES, LengthReference, Rule

FACTORS = (0.5, 0.8, 1.0, 1.25, 2.0)
"""Of a limit's present value: those that are tried."""

EXAMPLES = 2


@dataclass(frozen=True, slots=True)
class Trial:
    """One value of a limit, all others as they are."""

    value: float
    present: bool
    """Whether it is the recipe's own."""
    rows: int
    """Captions that the limit's rule rejects then."""


@dataclass(frozen=True, slots=True)
class LimitTrials:
    """A rule, and what it rejects at several values of one of its limits."""

    rule: str
    limit: str | None
    """Field of LanguageQuality; None of a rule that has no limit."""
    trials: tuple[Trial, ...]
    """Ascending by value; one for a rule without a limit."""
    rejected: tuple[str, ...]
    """Some sample_ids that the rule rejects now."""
    at_stake: tuple[str, ...]
    """Some that it passes now and would reject at the next stricter value."""


def try_limits(
    frame: pl.DataFrame, limits: LanguageQuality, reference: LengthReference | None
) -> list[LimitTrials]:
    """Try the limits of all rules on captions.

    Args:
        frame: `records.FEATURE_SCHEMA`, rows with a caption, of one language.
        limits: that language's present limits.
        reference: lengths that `length_outlier` would judge by.

    Returns:
        Rules in their order; switched off ones left out.
    """
    return [
        found
        for rule in RULES
        if rule.name not in limits.off
        for found in _try_rule(frame, rule, limits, reference)
    ]


def _try_rule(
    frame: pl.DataFrame, rule: Rule, limits: LanguageQuality, reference: LengthReference | None
) -> Iterator[LimitTrials]:
    def broken(changed: LanguageQuality) -> pl.Series:
        return frame.select(broken=rule.breaks(changed, reference)).to_series()

    now = broken(limits)
    rejected = _some(frame, now)
    names = [name for name in rule.limits if getattr(limits, name) is not None]
    if not names:
        yield LimitTrials(rule.name, None, (Trial(0, True, int(now.sum())),), rejected, ())
    for name in names:
        present = getattr(limits, name)
        marks = {value: broken(_changed(limits, name, value)) for value in _values(name, present)}
        trials = [Trial(v, v == present, int(marked.sum())) for v, marked in marks.items()]
        stricter = [t.value for t in trials if t.rows > int(now.sum())]
        # The nearest of them: a lower bound is stricter upwards, an upper bound downwards.
        at_stake: tuple[str, ...] = ()
        if stricter:
            nearest = min(stricter, key=lambda value: abs(value - present))
            at_stake = _some(frame, marks[nearest] & ~now)
        yield LimitTrials(rule.name, name, tuple(trials), rejected, at_stake)


def _changed(limits: LanguageQuality, name: str, value: float) -> LanguageQuality:
    change: dict[str, Any] = {name: value}
    return replace(limits, **change)


def _values(name: str, present: float) -> list[float]:
    """Values to try, ascending: whole numbers of a whole number, and no share above 1."""
    if isinstance(present, int):
        near = {present - 1, present + 1} if present < 20 else set()
        tried: set[float] = {round(present * factor) for factor in FACTORS} | near
        return sorted(value for value in tried if value >= 0)
    most = 1.0 if is_share(name) else math.inf
    return sorted({min(most, round(present * factor, 4)) for factor in FACTORS} | {present})


def _some(frame: pl.DataFrame, marked: pl.Series) -> tuple[str, ...]:
    """A few sample_ids from all over the rows, the same ones every time."""
    found = frame.filter(marked)["sample_id"]
    step = max(1, len(found) // EXAMPLES)
    return tuple(found.gather_every(step).head(EXAMPLES))
