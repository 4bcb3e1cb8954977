"""How often each rule is right on the gold captions."""

from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from sa1b_captions.quality.features import measure
from sa1b_captions.quality.rules import RULES, find_reasons
from sa1b_captions.recipe import load_recipe
from tests.gold.captions import Gold, load_gold

JUDGED = tuple(rule.name for rule in RULES if rule.name != "length_outlier")
"""Rules that one caption is enough to judge. An outlier is one beside a reference, so that rule
has its own tests."""


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
    def precision(self) -> float:
        """Share of the marked captions that deserve it; 1 where none is marked."""
        marked = self.right + len(self.wrong)
        return self.right / marked if marked else 1.0

    @property
    def recall(self) -> float:
        """Share of the faulty captions that are marked; 1 where none is faulty."""
        return self.right / self.faulty if self.faulty else 1.0


def judge(language: str) -> list[tuple[Gold, frozenset[str]]]:
    """Every gold caption of a language with the reasons that the packaged recipe's limits give."""
    rows = load_gold(language)
    features = measure(pa.array([row.caption for row in rows], pa.string()))
    features = features.with_columns(status=pl.lit("ok"))
    limits = load_recipe("internvl").quality.languages[language]
    found = find_reasons(features, limits).to_list()
    return [(row, frozenset(reasons)) for row, reasons in zip(rows, found, strict=True)]


def score(judged: list[tuple[Gold, frozenset[str]]], reason: str) -> Score:
    """How one rule did; captions on which people may differ count neither way."""
    certain = [(row, found) for row, found in judged if reason not in row.optional]
    return Score(
        right=sum(reason in row.reasons and reason in found for row, found in certain),
        wrong=tuple(
            row.id for row, found in certain if reason in found and reason not in row.reasons
        ),
        missed=tuple(
            row.id for row, found in certain if reason in row.reasons and reason not in found
        ),
    )
