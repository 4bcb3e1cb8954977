"""What every generator of defects works with."""

import functools
import random
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.gold.captions import load_gold

MATERIAL = Path(__file__).parents[1] / "material"
"""Sentences, words and tables that are planted."""

BOTH = ("en", "zh")
_SENTENCE = re.compile(r".+?[.!?。！？][”\"'’)）]*(?:\s+|$)?")


@dataclass(frozen=True, slots=True)
class Base:
    """A good caption that something is planted into."""

    language: str
    text: str

    @property
    def sentences(self) -> list[str]:
        """Its sentences, without the spaces between them."""
        return [sentence.strip() for sentence in _SENTENCE.findall(self.text)]

    @property
    def glue(self) -> str:
        """What stands between two sentences, and between two words."""
        return " " if self.language == "en" else ""

    def join(self, sentences: Sequence[str]) -> str:
        """A caption of these sentences."""
        return self.glue.join(sentences)

    def words(self, sentence: str) -> list[str]:
        """Words of a sentence, characters of a Chinese one; punctuation stays on its word."""
        return sentence.split(" ") if self.language == "en" else list(sentence)

    def insert(self, rng: random.Random, sentence: str, *, first: int = 0) -> str:
        """The caption with a sentence put in, as the `first` one at the earliest."""
        sentences = self.sentences
        sentences.insert(rng.randint(first, len(sentences)), sentence)
        return self.join(sentences)

    def change(self, rng: random.Random, how: Callable[[list[str]], list[str]]) -> str:
        """The caption with the words of one sentence changed."""
        sentences = self.sentences
        place = rng.randrange(len(sentences))
        sentences[place] = self.glue.join(how(self.words(sentences[place])))
        return self.join(sentences)


Plant = Callable[[random.Random, Base], str]


@dataclass(frozen=True, slots=True)
class Defect:
    """A kind of defect, and what a careful person says of a caption that has it."""

    kind: str
    expected: str
    plant: Plant
    optional: frozenset[str] = frozenset()
    languages: tuple[str, ...] = BOTH


def defect(
    expected: str, *optional: str, languages: tuple[str, ...] = BOTH
) -> Callable[[Plant], Defect]:
    """Make a defect of a function; its name is the kind."""

    def decorate(plant: Plant) -> Defect:
        return Defect(plant.__name__, expected, plant, frozenset(optional), languages)

    return decorate


@functools.cache
def material(name: str) -> dict[str, Any]:
    """A TOML file of `material/`."""
    return tomllib.loads((MATERIAL / f"{name}.toml").read_text(encoding="utf-8"))


def good_captions(language: str) -> list[str]:
    """The plain captions that defects are planted into."""
    return [row.text for row in load_gold(language) if "-plain-" in row.id]


def inner_places(words: Sequence[str]) -> list[int]:
    """Places of words that are all letters, with one on either side; of four letters in English."""
    return [
        place
        for place in range(1, len(words) - 1)
        if words[place].isalpha() and (not words[place].isascii() or len(words[place]) > 3)
    ]
