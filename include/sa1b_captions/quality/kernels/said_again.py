"""Clauses and phrases that come again within others."""

import numpy as np

from sa1b_captions.quality.kernels.clauses import ANY_WORDS
from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.tags import ADVERBIAL, CONJUNCTION, RARE
from sa1b_captions.quality.kernels.words import AFTER_PAUSE, IN_QUOTES, WORD

SAID_AGAIN_CHARACTERS = 10
"""Units of a whole clause that nobody says again, not even within a longer one; ANY_WORDS words in
English. Of 1,083 fit captions none says one of more than 3 units twice."""

PHRASE_WORDS, PHRASE_CHARACTERS, PHRASES = 7, 11, 3
"""Units of any phrase that nobody says three times; one of the words is no common one. Of 1,083
fit captions the longest such phrase has 4 words, or 8 characters; of groups of photographs that the
preview engine describes, 10. Twice, 11 words come again in
"on the left side of the gate stands a stone lion with its mouth"."""


@compiled
def comes_again(
    units: np.ndarray, unit_bits: np.ndarray, place: int, later: int, width: int
) -> bool:
    """Whether the units at one place stand at another, unquoted and no pause inside."""
    for step in range(width):
        bits = unit_bits[later + step]
        if units[later + step] != units[place + step] or bits & IN_QUOTES:
            return False
        if step and (bits | unit_bits[place + step]) & AFTER_PAUSE:
            return False
    return True


@compiled
def count_clauses_within(
    units: np.ndarray, unit_kinds: np.ndarray, unit_bits: np.ndarray, tags: np.ndarray, count: int
) -> int:
    """Whole clauses that stand within another one, which `count_repeated_clauses` does not see."""
    found = 0
    start = 0
    for end in range(1, count + 1):
        if end < count and not unit_bits[end] & AFTER_PAUSE:
            continue
        word = unit_kinds[start] == WORD
        # Said again after "and", a clause is the same.
        first = start + (1 if word and tags[start] & CONJUNCTION else 0)
        width = end - first
        if width >= (ANY_WORDS if word else SAID_AGAIN_CHARACTERS) and not (
            tags[first] & ADVERBIAL or unit_bits[first] & IN_QUOTES
        ):
            for place in range(count - width + 1):
                apart = place + width <= first or place >= end
                if apart and units[place] == units[first]:
                    found += comes_again(units, unit_bits, first, place, width)
        start = end
    return found


@compiled
def count_repeated_phrases(
    units: np.ndarray, unit_kinds: np.ndarray, unit_bits: np.ndarray, tags: np.ndarray, count: int
) -> int:
    """Places from which a phrase is said at least PHRASES times, wherever it stands.

    Parallel descriptions of people and things do so in common words: "wears a white shirt and".
    """
    found = 0
    for place in range(count - PHRASE_WORDS + 1):
        word = unit_kinds[place] == WORD
        width = PHRASE_WORDS if word else PHRASE_CHARACTERS
        if place + width > count:
            break
        rare = not word
        for step in range(width):
            rare |= tags[place + step] & RARE == 0
        if not rare:
            continue
        times, later = 1, place + width
        while later <= count - width:
            if units[later] == units[place] and comes_again(units, unit_bits, place, later, width):
                times += 1
                later += width
            else:
                later += 1
        found += times >= PHRASES
    return found


@compiled
def count_said_again(
    units: np.ndarray,
    unit_kinds: np.ndarray,
    unit_bits: np.ndarray,
    tags: np.ndarray,
    count: int,
    row: int,
    again: np.ndarray,
) -> int:
    """Both of them; `again` is where pairs of units end that came before, `row` most in a row."""
    if row < PHRASE_WORDS - 1:
        return 0
    word = unit_kinds[0] == WORD
    width = PHRASE_WORDS if word else PHRASE_CHARACTERS
    now, times = 0, 1
    for place in range(count):
        now = now + 1 if again[place] else 0
        times += now > 0 and now % (width - 1) == 0
    found = 0
    if times >= PHRASES:
        found += count_repeated_phrases(units, unit_kinds, unit_bits, tags, count)
    if row >= (ANY_WORDS if word else SAID_AGAIN_CHARACTERS) - 1:
        found += count_clauses_within(units, unit_kinds, unit_bits, tags, count)
    return found
