"""What a limit rejects, and what it would at other values: for whoever has to choose it.

A limit's curve is the number of captions it rejects over its value, and the curve's knee is what
the captions themselves propose.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from sa1b_captions.quality.rules import RULES, LengthReference, Rule
from sa1b_captions.recipe.limits import LanguageQuality, is_share

STEPS_PER_DOUBLING = 8
"""Values tried of a share or of a large number, from a quarter to four times the present one."""

SMALL = 20
"""Of a number below, every whole one up to here is tried, or up to three times the number."""

BULK = 0.05
"""Share of the captions that the strictest value must reject for the curve to have a knee."""

MIN_BEND = 0.1
"""Least distance between curve and chord, of the curve's height, that counts as a knee."""

EXAMPLES = 2


@dataclass(frozen=True, slots=True)
class Trial:
    """One value of a limit, all others as they are."""

    value: float
    present: bool
    """Whether it is the recipe's own."""
    rows: int
    """Captions that the limit's rule rejects then."""
    alone: int
    """Those of them that would pass without this limit."""


@dataclass(frozen=True, slots=True)
class LimitTrials:
    """A rule, and what it rejects at several values of one of its limits."""

    rule: str
    limit: str | None
    """Field of LanguageQuality; None of a rule that has no limit."""
    trials: tuple[Trial, ...]
    """The curve, ascending by value; one for a rule without a limit."""
    knee: Trial | None
    """Where the curve leaves the bulk of the captions; None where it has no bend."""
    rejected: tuple[str, ...]
    """Some sample_ids that the rule rejects now."""
    at_stake: tuple[str, ...]
    """Some that it passes now and would reject at the next stricter value."""

    def reaching(self, share: float, captions: int) -> Trial | None:
        """The strictest trial at which the limit rejects at most this share of the captions.

        None where even the strictest tried rejects less, or the loosest more.
        """
        trials = loosening(self.limit or "", self.trials)
        if trials[0].alone <= share * captions:
            return None
        return next((trial for trial in trials if trial.alone <= share * captions), None)


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
    def breaks(name: str, value: float) -> pl.Expr:
        return rule.breaks(_changed(limits, name, value), reference)

    now = frame.select(now=rule.breaks(limits, reference)).to_series()
    rejected = some_ids(frame, now, EXAMPLES)
    rows = int(now.sum())
    names = [name for name in rule.limits if getattr(limits, name) is not None]
    if not names:
        yield LimitTrials(rule.name, None, (Trial(0, True, rows, rows),), None, rejected, ())
    for name in names:
        present = getattr(limits, name)
        values = _values(name, present)
        without, *counts = frame.select(
            breaks(name, 0 if _is_least(name) else math.inf).sum().alias("off"),
            *(breaks(name, value).sum().alias(f"{value}") for value in values),
        ).row(0)
        trials = tuple(
            Trial(value, value == present, count, count - without)
            for value, count in zip(values, counts, strict=True)
        )
        stricter = [t.value for t in trials if t.rows > rows]
        # The nearest of them: a lower bound is stricter upwards, an upper bound downwards.
        at_stake: tuple[str, ...] = ()
        if stricter:
            nearest = min(stricter, key=lambda value: abs(value - present))
            marked = frame.select(marked=breaks(name, nearest)).to_series()
            at_stake = some_ids(frame, marked & ~now, EXAMPLES)
        knee = find_knee(loosening(name, trials), frame.height)
        yield LimitTrials(rule.name, name, trials, knee, rejected, at_stake)


def loosening(limit: str, trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    """A limit's trials from the strictest to the loosest."""
    return trials[::-1] if _is_least(limit) else trials


def find_knee(trials: tuple[Trial, ...], captions: int) -> Trial | None:
    """Where a curve stops falling: from here on a looser limit saves hardly a caption.

    The point farthest below the chord of the curve (Satopää et al., 2011, "Finding a kneedle in a
    haystack"), on a logarithmic scale: captions of the usual kind thin out faster than any power,
    and what a model broke forms the flat part behind them. Left of the knee a limit cuts into the
    bulk. A limit that rejects next to nothing at its strictest has no bulk to stay clear of.

    Args:
        trials: from the strictest to the loosest.
    """
    if captions == 0 or trials[0].alone < BULK * captions:
        return None
    heights = [math.log(1 + trial.alone) for trial in trials]
    fall = heights[0] - heights[-1]
    if fall <= 0:
        return None
    last = len(trials) - 1
    bends = [
        1 - place / last - (height - heights[-1]) / fall for place, height in enumerate(heights)
    ]
    place = max(range(len(trials)), key=lambda place: bends[place])
    return trials[place] if bends[place] >= MIN_BEND else None


def _is_least(limit: str) -> bool:
    return limit.startswith("min_")


def _changed(limits: LanguageQuality, name: str, value: float) -> LanguageQuality:
    change: dict[str, Any] = {name: value}
    return replace(limits, **change)


def _values(name: str, present: float) -> list[float]:
    """Values to try, ascending: whole numbers of a whole number, and no share above 1."""
    if isinstance(present, int) and present < SMALL:
        return list(range(max(SMALL, 3 * present) + 1))
    steps = range(-2 * STEPS_PER_DOUBLING, 2 * STEPS_PER_DOUBLING + 1)
    tried = [present * 2 ** (step / STEPS_PER_DOUBLING) for step in steps]
    if isinstance(present, int):
        return sorted({round(value) for value in tried})
    most = 1.0 if is_share(name) else math.inf
    return sorted({min(most, round(value, 4)) for value in tried} | {present})


def some_ids(frame: pl.DataFrame, marked: pl.Series, most: int) -> tuple[str, ...]:
    """A few sample_ids from all over the rows, the same ones every time."""
    found = frame.filter(marked)["sample_id"]
    return tuple(found.gather_every(max(1, len(found) // most)).head(most))
