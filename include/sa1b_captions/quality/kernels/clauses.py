"""Sentences and clauses that come again."""

import numpy as np
from numba import uint64

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.repetition import meet
from sa1b_captions.quality.kernels.tags import (
    ADVERBIAL,
    CONJUNCTION,
    COUNTS,
    FINITE,
    MEASURE,
    PLAIN,
    RARE,
    SUBJECT,
)
from sa1b_captions.quality.kernels.words import AFTER_PAUSE, GOLDEN, IN_QUOTES, WORD, scramble

SENTENCE_UNITS = 4
"""Units a sentence must have for its repetition to count: "Yes." may come twice."""

SENTENCE_CHARACTERS = 6
"""The same of a script without spaces."""

CLAUSE_UNITS, CLAUSE_CHARACTERS = 6, 8
"""The same of a clause with a subject of its own."""

ANY_UNITS, ANY_WORDS = 12, 9
"""The same of what stands between two pauses, whatever it is: characters, and words."""

OPENING_UNITS = 9
"""Units of a sentence's opening that nobody says twice; ANY_UNITS characters in Chinese."""

START_WORDS, START_CHARACTERS, STARTS = 6, 5, 4
"""Units of a clause's opening that nobody says so many times: 湖的左边有, 湖的左边有."""

STARTS_REPEATS = (STARTS - 1) * (START_CHARACTERS - 1)
"""Pairs of units that come again where clauses begin so."""

NEAR = 30
"""Units from one such opening to the next, at most."""


@compiled
def stands_for_itself(
    unit_kinds: np.ndarray, tags: np.ndarray, start: int, end: int, first: bool, whole: bool
) -> bool:
    """Whether units between two pauses make a sentence or a clause that nobody says twice.

    Parallel descriptions share phrases: "with a hat on the head", "on the left", 戴着眼镜.
    """
    count = end - start
    if unit_kinds[start] == WORD and count >= ANY_WORDS:
        return True
    if count >= ANY_UNITS:
        return not tags[start] & ADVERBIAL or count >= 2 * ANY_UNITS
    if unit_kinds[start] != WORD:
        if whole:
            return count >= SENTENCE_CHARACTERS
        return count >= CLAUSE_CHARACTERS and first and not tags[start] & ADVERBIAL
    if whole:
        return count >= SENTENCE_UNITS
    if count < CLAUSE_UNITS:
        return False
    begin = start + (1 if tags[start] & CONJUNCTION else 0)
    finite = False
    for place in range(begin, end):
        finite |= (tags[place] & FINITE) != 0
    return finite and tags[begin] & SUBJECT != 0


@compiled
def count_repeated_clauses(
    units: np.ndarray,
    unit_kinds: np.ndarray,
    unit_bits: np.ndarray,
    tags: np.ndarray,
    count: int,
    sentence_ends: np.ndarray,
    keys: np.ndarray,
    stamps: np.ndarray,
    stamp: int,
) -> tuple[int, int]:
    """Sentences that occurred before, and sentences and clauses that did, word for word.

    Case and punctuation apart; none that is mostly quoted.
    """
    last = 1
    while last < 4 * count:
        last *= 2
    last -= 1
    sentences, clauses = 0, 0
    start, first, sentence = 0, 0, 0
    value, whole = uint64(0), uint64(0)
    quoted, quoted_before = 0, 0
    for place in range(count):
        # Said again after "and", a clause is the same.
        if place > start or not tags[place] & CONJUNCTION or unit_kinds[place] != WORD:
            value = value * GOLDEN + units[place]
        whole = whole * GOLDEN + units[place]
        quoted += (unit_bits[place] & IN_QUOTES) != 0
        ended = place + 1 == sentence_ends[sentence]
        if not ended and not unit_bits[place + 1] & AFTER_PAUSE:
            continue
        long = place + 1 - start >= SENTENCE_UNITS and 2 * quoted < place + 1 - start
        alone = ended and start == first
        if long and stands_for_itself(unit_kinds, tags, start, place + 1, start == first, alone):
            clauses += meet(keys, stamps, last, stamp, scramble(value))
        start = place + 1
        value = uint64(0)
        quoted, quoted_before = 0, quoted_before + quoted
        if ended:
            if start - first >= SENTENCE_UNITS and 2 * quoted_before < start - first:
                # Apart from a clause of the same words.
                sentences += meet(keys, stamps, last, stamp, scramble(~whole))
            whole = uint64(0)
            quoted_before = 0
            first = start
            sentence += 1
    return sentences, clauses


@compiled
def count_repeated_openings(
    units: np.ndarray,
    unit_kinds: np.ndarray,
    unit_bits: np.ndarray,
    tags: np.ndarray,
    count: int,
    sentence_ends: np.ndarray,
    sentences: int,
) -> int:
    """Sentences whose opening is said again later, wherever it then stands.

    "On the left side of the image there is a" opens many: two of its words are less common.
    """
    repeated = 0
    start = 0
    for sentence in range(sentences):
        width = OPENING_UNITS if unit_kinds[start] == WORD else ANY_UNITS
        rare, quoted = 0, 0
        for place in range(start, min(count, start + width)):
            rare += (tags[place] & RARE & ~PLAIN) == 0
            quoted += (unit_bits[place] & IN_QUOTES) != 0
        if rare >= 2 and quoted == 0:
            for later in range(start + 1, count - width + 1):
                same = 0
                while same < width and units[later + same] == units[start + same]:
                    same += 1
                repeated += same == width
        start = sentence_ends[sentence]
    return repeated


@compiled
def starts_alike(
    units: np.ndarray, unit_bits: np.ndarray, place: int, later: int, width: int
) -> bool:
    """Whether a clause begins at a later place with the same units, unquoted, no pause inside."""
    bits = unit_bits[later]
    if units[later] != units[place] or not bits & AFTER_PAUSE or bits & IN_QUOTES:
        return False
    for step in range(1, width):
        if units[later + step] != units[place + step] or unit_bits[later + step] & AFTER_PAUSE:
            return False
    return True


@compiled
def counts_one(tags: np.ndarray, place: int) -> bool:
    """Whether a number and what it counts with stand here: 一个, 两名."""
    return bool(tags[place] & COUNTS != 0 and tags[place + 1] & MEASURE != 0)


@compiled
def count_repeated_starts(
    units: np.ndarray, unit_kinds: np.ndarray, unit_bits: np.ndarray, tags: np.ndarray, count: int
) -> int:
    """Clauses whose opening at least STARTS have, one soon after the other.

    Who counts people or things tells each apart: 一个男孩穿着, 另一个男孩穿着.
    """
    repeated = 0
    for place in range(count - START_CHARACTERS):
        if place and not unit_bits[place] & AFTER_PAUSE:
            continue
        if counts_one(tags, place) or counts_one(tags, place + 1):
            continue
        width = START_WORDS if unit_kinds[place] == WORD else START_CHARACTERS
        at, same, later = place, 1, place + width
        while later <= min(count - width, at + NEAR):
            if starts_alike(units, unit_bits, place, later, width):
                at, same = later, same + 1
                later += width
            else:
                later += 1
        repeated += same >= STARTS
    return repeated
