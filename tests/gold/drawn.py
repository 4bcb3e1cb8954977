"""Fit captions drawn from sentence forms by seed, as many as a bound on false alarms takes."""

import random
import re
from collections.abc import Iterator

from tests.gold.captions import Gold
from tests.gold.planting.base import Base, material

SEED = 2026
CAPTIONS = 4000
"""Of each language: with none of so many rejected, Wilson's interval ends below 0.1 %."""

_SLOT = re.compile(r"\{(\w+)\}")


def drawn(language: str, seed: int = SEED, captions: int = CAPTIONS) -> Iterator[Gold]:
    """Fit captions of a language, no two alike, of 5 to 9 sentences, 2 to 4 of them hard."""
    rng = random.Random(f"{seed}/{language}")
    seen: set[str] = set()
    while len(seen) < captions:
        text = _caption(rng, language)
        if text not in seen:
            seen.add(text)
            caption_id = f"{language}-drawn-{len(seen):04}"
            yield Gold(caption_id, language, text, frozenset(), kind="drawn")


def forms(language: str) -> int:
    """How many sentence forms there are."""
    parts = material("drawn")[language]
    groups = (parts["openings"], parts["forms"], parts["hard"]["forms"], parts["hard"]["ends"])
    return sum(map(len, groups))


def _caption(rng: random.Random, language: str) -> str:
    parts = material("drawn")[language]
    inner = rng.sample(parts["forms"], rng.randint(2, 4))
    inner += rng.sample(parts["hard"]["forms"], rng.randint(2, 4))
    rng.shuffle(inner)
    chosen = [rng.choice(parts["openings"]), *inner]
    if rng.random() < 0.25:
        chosen.append(rng.choice(parts["hard"]["ends"]))
    left = {slot: rng.sample(words, len(words)) for slot, words in parts["words"].items()}
    return Base(language, "").join([_filled(form, left) for form in chosen])


def _filled(form: str, left: dict[str, list[str]]) -> str:
    """The form with the next words of each slot; a slot with a capital letter begins a sentence."""

    def fill(match: re.Match[str]) -> str:
        slot = match[1]
        word = left[slot.lower()].pop()
        return word if slot.islower() else word[0].upper() + word[1:]

    return _SLOT.sub(fill, form)
