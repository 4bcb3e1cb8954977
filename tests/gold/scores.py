"""How often each rule is right on labelled captions."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import polars as pl
import pyarrow as pa

from sa1b_captions.quality.features import measure
from sa1b_captions.quality.rules import RULES, find_reasons
from sa1b_captions.recipe import load_recipe
from tests.gold.captions import LANGUAGES, Gold
from tests.gold.planted import gold

JUDGED = tuple(rule.name for rule in RULES if rule.name != "length_outlier")
"""Rules that one caption is enough to judge. An outlier is one beside a reference, so that rule
has its own tests."""

Judged = tuple[Gold, frozenset[str]]
"""A caption, and the reasons that the rules give it."""


@dataclass(frozen=True, slots=True)
class Score:
    """How a rule did on some captions."""

    right: int
    """Faulty captions it marked."""
    wrong: tuple[str, ...]
    """Ids of captions it should not have marked."""
    missed: tuple[str, ...]
    """Ids of faulty captions it did not mark."""

    @property
    def faulty(self) -> int:
        """Captions that a person gives the reason."""
        return self.right + len(self.missed)

    @property
    def marked(self) -> int:
        """Captions that the rule gave the reason, those apart on which people may differ."""
        return self.right + len(self.wrong)

    @property
    def precision(self) -> float:
        """Share of the marked captions that deserve it; 1 where none is marked."""
        return self.right / self.marked if self.marked else 1.0

    @property
    def recall(self) -> float:
        """Share of the faulty captions that are marked; 1 where none is faulty."""
        return self.right / self.faulty if self.faulty else 1.0


def judge(rows: Iterable[Gold], off: Sequence[str] = ()) -> list[Judged]:
    """Captions with the reasons that the packaged recipe's limits give, language by language.

    Args:
        rows: captions of any language, which are judged in one call each.
        off: rules to leave out.
    """
    judged: list[Judged] = []
    rows = list(rows)
    for language in LANGUAGES:
        of_language = [row for row in rows if row.language == language]
        if of_language:
            judged += zip(of_language, _reasons(language, of_language, off), strict=True)
    return judged


def _reasons(language: str, rows: Sequence[Gold], off: Sequence[str]) -> list[frozenset[str]]:
    features = measure(pa.array([row.text for row in rows], pa.string()))
    features = features.with_columns(status=pl.lit("ok"))
    limits = load_recipe("internvl").quality.languages[language]
    limits = replace(limits, off=(*limits.off, *off))
    return [frozenset(reasons) for reasons in find_reasons(features, limits).to_list()]


@functools.cache
def judge_gold(language: str) -> tuple[Judged, ...]:
    """Every gold caption of a language, judged once per process."""
    return tuple(judge(gold(language)))


def score(judged: Iterable[Judged], reason: str) -> Score:
    """How one rule did; captions on which people may differ count neither way."""
    certain = [(row, found) for row, found in judged if reason not in row.optional]
    return Score(
        right=sum(reason in row.expected and reason in found for row, found in certain),
        wrong=tuple(
            row.id for row, found in certain if reason in found and reason not in row.expected
        ),
        missed=tuple(
            row.id for row, found in certain if reason in row.expected and reason not in found
        ),
    )


@dataclass(frozen=True, slots=True)
class Totals:
    """How all rules together did: whatever the reason, is a faulty caption rejected?"""

    faulty: int
    faulty_rejected: int
    fit: int
    fit_rejected: int
    """Those apart that have an optional reason only."""

    @property
    def precision(self) -> float:
        """Share of the rejected captions that are faulty; 1 where none is rejected."""
        rejected = self.faulty_rejected + self.fit_rejected
        return self.faulty_rejected / rejected if rejected else 1.0

    @property
    def recall(self) -> float:
        """Share of the faulty captions that are rejected; 1 where none is faulty."""
        return self.faulty_rejected / self.faulty if self.faulty else 1.0


def totals(judged: Iterable[Judged]) -> Totals:
    """Faulty and fit captions, and how many of each the rules reject."""
    judged = list(judged)
    faulty = [bool(found) for row, found in judged if row.expected]
    fit = [bool(found - row.optional) for row, found in judged if not row.expected]
    return Totals(len(faulty), sum(faulty), len(fit), sum(fit))
