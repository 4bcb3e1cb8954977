"""Near copies planted among captions, and how many of them the search finds.

The captions are made of sentences of the gold set's fit ones, so that unrelated captions share
sentences, as captions of one model do. A copy has words exchanged (characters in Chinese), or
sentences dropped or added. What a pair's Jaccard truly is comes from Python sets, not from the code
that is measured.
"""

import itertools
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from sa1b_captions.quality.duplicates.clusters import find_clusters
from sa1b_captions.quality.duplicates.in_memory import InMemory
from sa1b_captions.quality.duplicates.minhash import BANDS
from sa1b_captions.quality.duplicates.signatures import (
    Signatures,
    find_duplicates,
    signature_table,
)
from sa1b_captions.quality.duplicates.wording import normalised
from sa1b_captions.quality.kernels import shingles as kernel
from sa1b_captions.receipts import Alike
from tests.gold.captions import load_gold

_SENTENCE = re.compile(r".+?[.!?。！？][”\"'’)）]*\s*")
_UNIT = re.compile(r"[\u2e80-\u2fdf\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff]|[^\s\u2e80-\u9fff]+")
_SENTENCES = (5, 8)
_SEED = 20261123
_GLUE = {"en": " ", "zh": ""}


@dataclass(frozen=True, slots=True)
class Pair:
    """A caption and its near copy."""

    jaccard: float
    """Of their sets of five-unit shingles, exactly."""
    found: bool
    """Whether the search put the two into one cluster."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the search made of a corpus."""

    pairs: list[Pair]
    """The planted ones."""
    wrong: int
    """Captions given as copies of one that they are less like than the limit, by themselves and
    by every other of the cluster."""


def shingles(text: str) -> set[tuple[str, ...]]:
    """The five-unit shingles of a normalised text; a shorter text is one."""
    units = _UNIT.findall(text)
    width = min(kernel.SHINGLE_UNITS, len(units))
    return {tuple(units[place : place + width]) for place in range(len(units) - width + 1)}


def jaccard(first: str, second: str) -> float:
    """Exact Jaccard of two normalised texts."""
    a, b = shingles(first), shingles(second)
    return len(a & b) / len(a | b)


def expected_share(jaccard: float) -> float:
    """Chance that a pair meets in at least one band."""
    return 1 - (1 - jaccard**kernel.ROWS) ** BANDS


def plant(language: str, captions: int, seed: int = _SEED) -> list[tuple[str, str]]:
    """Captions, each with a near copy, from hardly changed to half another caption."""
    rng = random.Random(f"{language} {seed}")
    pool = _pool(language)
    return [_pair(rng, pool, language, place) for place in range(captions)]


def reword(language: str, share: float, captions: int, seed: int = _SEED) -> list[tuple[str, str]]:
    """Captions, each with a copy in which a share of the words are other words of the caption.

    In Chinese, which writes no word ends, a word is two characters.
    """
    rng = random.Random(f"{language} {share} {seed}")
    pool = _pool(language)
    planted = []
    for _ in range(captions):
        text = _GLUE[language].join(rng.sample(pool, rng.randint(*_SENTENCES)))
        units = re.findall(r"\w+|\W+" if language == "en" else r"\w{1,2}|\W+", text)
        words = [number for number, unit in enumerate(units) if unit[0].isalnum()]
        copy = list(units)
        for number in rng.sample(words, max(1, round(share * len(words)))):
            copy[number] = units[rng.choice(words)]
        planted.append((text, "".join(copy)))
    return planted


def most_alike(language: str) -> float:
    """Highest Jaccard of two fit captions of the gold set, which are of different images."""
    texts = [row.text for row in load_gold(language) if not row.expected]
    sets = [shingles(text) for text in normalised(pa.array(texts)).to_pylist()]
    return max(len(a & b) / len(a | b) for a, b in itertools.combinations(sets, 2))


def _pool(language: str) -> list[str]:
    """Sentences of the gold set's fit captions."""
    return [
        sentence.strip()
        for row in load_gold(language)
        if not row.expected
        for sentence in _SENTENCE.findall(row.text)
    ]


def _pair(rng: random.Random, pool: Sequence[str], language: str, place: int) -> tuple[str, str]:
    glue = _GLUE[language]
    sentences = rng.sample(pool, rng.randint(*_SENTENCES))
    copy = list(sentences)
    if place % 3 == 0:
        copy.pop(rng.randrange(len(copy)))
        return glue.join(sentences), glue.join(copy)
    if place % 3 == 1:
        for _ in range(rng.randint(1, 2)):
            copy.insert(rng.randrange(len(copy) + 1), rng.choice(pool))
        return glue.join(sentences), glue.join(copy)
    units = re.findall(r"\w+|\W+" if language == "en" else r"(?s).", glue.join(sentences))
    words = [number for number, unit in enumerate(units) if unit[0].isalnum()]
    for number in rng.sample(words, rng.randint(1, max(1, len(words) // 16))):
        units[number] = units[rng.choice(words)]
    return glue.join(sentences), "".join(units)


def search(planted: Sequence[tuple[str, str]], min_jaccard: float) -> Found:
    """Run the real search over a corpus of planted pairs and compare with the truth."""
    rows = _rows(planted)
    duplicates = find_duplicates(signature_table(rows, 0), rows.column("caption"), min_jaccard)
    winners = {
        int(loser): int(winner)
        for loser, winner in zip(
            *(duplicates.column(name).to_pylist() for name in ("sample_id", "winner")), strict=True
        )
    }
    plain = normalised(rows.column("caption")).to_pylist()
    clusters: dict[int, list[int]] = {}
    for loser, winner in winners.items():
        clusters.setdefault(winner, [winner]).append(loser)
    wrong = sum(
        all(jaccard(plain[row], plain[other]) < min_jaccard for other in members if other != row)
        for members in clusters.values()
        for row in members
    )
    pairs = [
        Pair(
            jaccard=jaccard(plain[first], plain[first + 1]),
            found=winners.get(first, first) == winners.get(first + 1, first + 1),
        )
        for first in range(0, len(plain), 2)
    ]
    return Found(pairs, wrong)


def count(planted: Sequence[tuple[str, str]]) -> list[Alike]:
    """What the real search counts in a corpus of planted pairs, whatever its limit."""
    rows = _rows(planted)
    index = Signatures(rows.num_rows)
    index.add(signature_table(rows, 0), "the planted pairs")
    texts = normalised(rows.column("caption"))
    captions = InMemory(index.words, index.bands, lambda wanted: texts.take(pa.array(wanted)))
    return find_clusters(captions, min_jaccard=1.0).alike


def _rows(planted: Sequence[tuple[str, str]]) -> pa.Table:
    """Captions as curate signs them, each copy after its caption."""
    texts = [text for pair in planted for text in pair]
    return pa.table(
        {
            "sample_id": [str(place) for place in range(len(texts))],
            "image_ids": pa.array([[place] for place in range(len(texts))], pa.list_(pa.int64())),
            "caption": pa.array(texts, pa.string()),
        }
    )
