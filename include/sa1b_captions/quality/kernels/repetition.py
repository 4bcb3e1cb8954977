"""Units, phrases and sentences that come again."""

import numpy as np
from numba import uint64

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.language import (
    ADVERBIAL,
    COMMON,
    CONJUNCTION,
    FINITE,
    NOUN_END,
    ONE,
    PLAIN,
    STUTTER,
    SUBJECT,
)
from sa1b_captions.quality.kernels.words import (
    AFTER_BARE_COMMA,
    AFTER_PAUSE,
    AFTER_SIGN,
    CAPITAL,
    GOLDEN,
    IN_QUOTES,
    NUMBER,
    WORD,
    scramble,
)

ECHO_UNITS = 8
"""Units of the longest phrase whose coming again at once is an echo; longer ones are a loop."""

LOOP_UNITS = 40
"""Units of the longest phrase that is looked for right before itself."""

SENTENCE_UNITS = 4
"""Units a sentence must have for its repetition to count: "Yes." may come twice."""

SENTENCE_CHARACTERS = 6
"""The same of a script without spaces."""

CLAUSE_UNITS, CLAUSE_CHARACTERS = 6, 8
"""The same of a clause with a subject of its own."""

ANY_UNITS, ANY_WORDS = 12, 9
"""The same of what stands between two pauses, whatever it is: characters, and words."""

TWICE_UNITS, TWICE_WORDS = 6, 4
"""Units of a clause that nobody says twice in a row, a comma between: characters, and words."""

OPENING_UNITS = 9
"""Units of a sentence's opening that nobody says twice; ANY_UNITS characters in Chinese."""

WINDOW = 40
"""Units in a row among which a local loop is looked for."""


@compiled
def meet(keys: np.ndarray, stamps: np.ndarray, last: int, stamp: int, key: int) -> bool:
    """Put a key into a set and say whether it was there; slots of another stamp are empty."""
    slot = np.int64(uint64(key) & uint64(last))
    while stamps[slot] == stamp:
        if keys[slot] == key:
            return True
        slot = (slot + 1) & last
    stamps[slot] = stamp
    keys[slot] = key
    return False


@compiled
def count_repeats(
    units: np.ndarray,
    count: int,
    width: int,
    keys: np.ndarray,
    stamps: np.ndarray,
    stamp: int,
    again: np.ndarray,
) -> tuple[int, int, int]:
    """Runs of `width` units that occurred before in the text.

    Returns:
        All of them, most in a row, and most in any WINDOW of runs. `again` is where they end.
    """
    last = 1
    while last < 2 * count:
        last *= 2
    last -= 1
    leaving = uint64(1)
    for _ in range(width):
        leaving *= GOLDEN
    repeats, row, longest, near, most = 0, 0, 0, 0, 0
    value = uint64(0)
    for place in range(count):
        value = value * GOLDEN + units[place]
        again[place] = 0
        if place >= width:
            value -= leaving * units[place - width]
        if place >= WINDOW:
            near -= again[place - WINDOW]
        if place >= width - 1 and meet(keys, stamps, last, stamp, scramble(value)):
            again[place] = 1
            repeats += 1
            near += 1
            row += 1
            longest = max(longest, row)
            most = max(most, near)
        else:
            row = 0
    return repeats, longest, most


@compiled
def count_repeated_sentences(
    units: np.ndarray,
    unit_bits: np.ndarray,
    sentence_ends: np.ndarray,
    sentences: int,
    keys: np.ndarray,
    stamps: np.ndarray,
    stamp: int,
) -> int:
    """Sentences that occurred before, apart from case and punctuation; no quoted ones."""
    last = 1
    while last < 2 * sentences:
        last *= 2
    last -= 1
    repeated = 0
    start = 0
    for sentence in range(sentences):
        end = sentence_ends[sentence]
        value = uint64(0)
        bare = 0
        for place in range(start, end):
            value = value * GOLDEN + units[place]
            bare += (unit_bits[place] & IN_QUOTES) == 0
        long = end - start >= SENTENCE_UNITS and 2 * bare > end - start
        if long and meet(keys, stamps, last, stamp, scramble(value)):
            repeated += 1
        start = end
    return repeated


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
) -> int:
    """Sentences and clauses outside quotations that occurred before, word for word."""
    last = 1
    while last < 2 * count:
        last *= 2
    last -= 1
    repeated = 0
    start = 0
    first = 0
    sentence = 0
    value = uint64(0)
    quoted = 0
    for place in range(count):
        # Said again after "and", a clause is the same.
        if place > start or not tags[place] & CONJUNCTION or unit_kinds[place] != WORD:
            value = value * GOLDEN + units[place]
        quoted += (unit_bits[place] & IN_QUOTES) != 0
        ended = place + 1 == sentence_ends[sentence]
        if not ended and not unit_bits[place + 1] & AFTER_PAUSE:
            continue
        long = place + 1 - start >= SENTENCE_UNITS and 2 * quoted < place + 1 - start
        whole = ended and start == first
        if long and stands_for_itself(unit_kinds, tags, start, place + 1, start == first, whole):
            repeated += meet(keys, stamps, last, stamp, scramble(value))
        start = place + 1
        value = uint64(0)
        quoted = 0
        if ended:
            first = start
            sentence += 1
    return repeated


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
            rare += (tags[place] & ~PLAIN) == 0
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
def count_stutters(
    units: np.ndarray, unit_kinds: np.ndarray, unit_bits: np.ndarray, tags: np.ndarray, count: int
) -> int:
    """Words said twice on the spot that never are: "the the", "dog dog", 帽子帽子."""
    stutters = 0
    for place in range(1, count):
        if tags[place] & NOUN_END and place > 2:
            again = units[place] == units[place - 2] and units[place - 1] == units[place - 3]
            bits = unit_bits[place] | unit_bits[place - 1] | unit_bits[place - 2]
            apart = units[place] == units[place - 1] or tags[place - 1] & ONE
            stutters += again and not bits & (AFTER_SIGN | IN_QUOTES) and not apart
        if unit_kinds[place] != WORD or unit_bits[place] & IN_QUOTES:
            continue
        bare = (unit_bits[place] & AFTER_BARE_COMMA) != 0
        plain = not unit_bits[place] & AFTER_SIGN
        if units[place] == units[place - 1]:
            small = not (unit_bits[place] | unit_bits[place - 1]) & CAPITAL
            thrice = place > 1 and units[place] == units[place - 2]
            plain_before = not unit_bits[place - 1] & AFTER_SIGN
            never = (
                tags[place] & STUTTER
                or (tags[place] & COMMON and small)
                or (thrice and plain_before and small)
            )
            stutters += bare or (plain and never)
        elif bare and place > 1 and place + 1 < count:  # red panda,red panda
            again = units[place] == units[place - 2] and units[place + 1] == units[place - 1]
            stutters += again
        elif plain and place > 2 and tags[place] & STUTTER and not tags[place] & CONJUNCTION:
            # on the on the
            again = units[place] == units[place - 2] and units[place - 1] == units[place - 3]
            signs = unit_bits[place - 1] | unit_bits[place - 2]
            stutters += again and not signs & AFTER_SIGN
    return stutters


@compiled
def longest_echo(
    units: np.ndarray,
    unit_kinds: np.ndarray,
    unit_bits: np.ndarray,
    tags: np.ndarray,
    count: int,
    first: int,
    last: int,
) -> int:
    """Most units in a row that repeat the phrase right before them; numbers do not count.

    Phrases of `first` to `last` units are looked for.

    Said three times, or twice without a sign: "parked by a bus. A bus stop" has no echo. Neither
    has a quotation, nor 一朵一朵.
    """
    longest = 0
    for period in range(first, last + 1):
        run = 0
        counted = 0
        signed = True
        clause = False
        one = False
        for place in range(period, count):
            if units[place] != units[place - period] or unit_bits[place] & IN_QUOTES:
                run = 0
                counted = 0
                one = False
                continue
            if run == 0:
                sign = unit_bits[place] & (AFTER_SIGN | AFTER_BARE_COMMA)
                signed = sign == AFTER_SIGN
                fewest = TWICE_WORDS if unit_kinds[place] == WORD else TWICE_UNITS
                # Of a clause: "beside a red car, a red car" may go on.
                first_bits = AFTER_PAUSE if place == period else unit_bits[place - period]
                clause = fewest <= period <= ECHO_UNITS and first_bits & AFTER_PAUSE != 0
            run += 1
            counted += unit_kinds[place] != NUMBER
            one |= (tags[place] & ONE) != 0
            twice = (signed and not clause) or (one and period <= 3)
            enough = 2 * period if twice else period
            if counted > longest and run > enough - (0 if one and period <= 3 else 1):
                longest = counted
    return longest
