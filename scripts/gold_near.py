"""The part of docs/gold.md on near duplicates: what the search finds among planted copies."""

import itertools
from statistics import median

from sa1b_captions.recipe import load_recipe
from scripts.gold_tables import NAMES
from tests.gold.captions import LANGUAGES
from tests.support.planted_pairs import (
    Pair,
    count,
    expected_share,
    most_alike,
    plant,
    reword,
    search,
)

PAIRS = 6000
EDGES = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.01)
REWORDED = 1000
SHARES = (0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1)

WORDS = """
What a limit of {limit} finds, in words: {reworded:,} captions in each language, each with a copy in
which so many of a hundred words, evenly spread by chance, are other words of the caption (in
Chinese, runs of two characters). `near_duplicate_jaccard` in the recipe is the limit.
"""

MOST_ALIKE = """
The most alike of the gold set's fit captions, which are of different images: {most_alike}.
Captions of one model, with its usual phrases, have more in common: a review of real ones found
pairs of different images up to .43, which is not measured here.
"""

PLANTED = """
### By Jaccard

{pairs:,} captions in each language, each planted with a copy that has words exchanged
(characters in Chinese), a sentence dropped, or one or two added. Captions are made of sentences of
the gold set's fit ones, so unrelated ones share sentences, too. Jaccard is computed apart, with
Python sets. A pair counts as found when both are in one cluster; below the limit of {limit}
none should be. The last column is the chance to meet in a band; every pair that met is compared
exactly.
"""

COUNTED = """
### Below the limit

The release report counts pairs that are alike from .5 on, whatever the recipe rejects. Among the
same planted pairs, exact copies left out: how many there are, how many of them met in a band, and
how many there are by the report's estimate.

| language | Jaccard, at least | pairs | seen | estimated |
|---|---|--:|--:|--:|
"""


def near_part() -> str:
    """How many planted near copies the search finds: by words changed, by Jaccard, and counted."""
    limit = load_recipe("internvl").quality.near_duplicate_jaccard
    planted = {language: plant(language, PAIRS) for language in LANGUAGES}
    found = {language: search(pairs, limit) for language, pairs in planted.items()}
    lines = [WORDS.format(limit=limit, reworded=REWORDED), *_words_table(limit)]
    reached = (f"{NAMES[language]} {most_alike(language):.2f}" for language in LANGUAGES)
    lines.append(MOST_ALIKE.format(most_alike=", ".join(reached)).rstrip())
    lines.append(PLANTED.format(pairs=PAIRS, limit=limit))
    lines.append("| language | Jaccard | pairs | found | share | chance to meet |")
    lines.append("|---|---|--:|--:|--:|--:|")
    for language in LANGUAGES:
        name = NAMES[language]
        for low, high in itertools.pairwise(EDGES):
            pairs = [pair for pair in found[language].pairs if low <= pair.jaccard < high]
            lines.append(_bucket_row(name, low, min(high, 1.0), pairs))
            name = ""
    counts = ", ".join(f"{NAMES[language]} {one.wrong}" for language, one in found.items())
    lines.append(f"\nCaptions taken for copies of one they are less like than the limit: {counts}.")
    lines.append(COUNTED.rstrip())
    for language in LANGUAGES:
        jaccards = [pair.jaccard for pair in found[language].pairs]
        lines += _counted_rows(language, planted[language], jaccards)
    return "\n".join(lines) + "\n"


def _words_table(limit: float) -> list[str]:
    heads = " | ".join(f"{NAMES[language]}: median Jaccard | found" for language in LANGUAGES)
    lines = [f"| words changed | {heads} |", "|--:|" + "--:|" * 2 * len(LANGUAGES)]
    for share in SHARES:
        cells = []
        for language in LANGUAGES:
            pairs = search(reword(language, share, REWORDED), limit).pairs
            found = sum(pair.found for pair in pairs) / len(pairs)
            cells += [f"{median(pair.jaccard for pair in pairs):.2f}", f"{found:.1%}"]
        lines.append(f"| {share:.0%} | {' | '.join(cells)} |")
    return lines


def _bucket_row(name: str, low: float, high: float, pairs: list[Pair]) -> str:
    found = sum(pair.found for pair in pairs)
    chance = sum(expected_share(pair.jaccard) for pair in pairs) / max(1, len(pairs))
    return (
        f"| {name} | {low} to {high} | {len(pairs)} | {found} "
        f"| {found / max(1, len(pairs)):.3f} | {chance:.3f} |"
    )


def _counted_rows(
    language: str, planted: list[tuple[str, str]], jaccards: list[float]
) -> list[str]:
    rows = []
    for place, level in enumerate(count(planted)):
        name = "" if place else NAMES[language]
        true = sum(level.jaccard <= jaccard < 1 for jaccard in jaccards)
        counts = f"{true} | {level.pairs} | {level.estimated_pairs}"
        rows.append(f"| {name} | {level.jaccard} | {counts} |")
    return rows
