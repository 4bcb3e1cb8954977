"""Words and phrases that come again on the spot."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.tags import (
    ACROSS,
    COUNTS,
    HALTS,
    JOINS,
    MEASURE,
    ONE,
    SINGLE,
    STUTTER,
    TWICE,
    find_tag,
)
from sa1b_captions.quality.kernels.words import (
    AFTER_BARE_COMMA,
    AFTER_PAUSE,
    AFTER_SIGN,
    CAPITAL,
    HAN_UNIT,
    IN_QUOTES,
    NUMBER,
    WORD,
    pair,
)

ECHO_UNITS = 8
"""Units of the longest phrase whose coming again at once is an echo; longer ones are a loop."""

LOOP_UNITS = 40
"""Units of the longest phrase that is looked for right before itself."""

TWICE_UNITS, TWICE_WORDS = 6, 4
"""Units of a clause that nobody says twice in a row, a comma between: characters, and words."""


@compiled
def known_pair(
    units: np.ndarray,
    place: int,
    count: int,
    words: np.ndarray,
    tags: int,
) -> bool:
    """Whether a unit and the one before it are a pair that `vocabulary` gives one of the tags."""
    if not 0 < place < count:
        return False
    value = pair(units[place - 1], units[place])
    return find_tag(value, words) & tags != 0


@compiled
def counts_one_by_one(unit_bits: np.ndarray, tags: np.ndarray, count: int, place: int) -> bool:
    """Whether a thing that stands somewhere is counted twice: 放着一个一个花瓶, not 一个一个的."""
    if place < 4 or place + 1 >= count or not tags[place - 1] & COUNTS or not tags[place] & SINGLE:
        return False
    if (unit_bits[place - 3] | unit_bits[place + 1]) & AFTER_SIGN:
        return False
    return tags[place - 4] & HALTS != 0 and not tags[place + 1] & (STUTTER | JOINS)


@compiled
def stutters_in_han(
    units: np.ndarray,
    unit_bits: np.ndarray,
    tags: np.ndarray,
    count: int,
    place: int,
    words: np.ndarray,
) -> bool:
    """Whether a Han letter ends what is said twice and never is: 的的, 围裙围裙, not 一朵一朵."""
    if units[place] == units[place - 1]:
        if not tags[place] & STUTTER:
            return False
        # 实实在在, 的的确确, 目的的, 的的士
        before = place > 2 and units[place - 2] == units[place - 3]
        after = place + 2 < count and units[place + 1] == units[place + 2]
        return not (
            before
            or after
            or known_pair(units, place - 1, count, words, ACROSS | TWICE)
            or known_pair(units, place + 1, count, words, ACROSS | TWICE)
        )
    if place < 3 or units[place] != units[place - 2] or units[place - 1] != units[place - 3]:
        return False
    if (unit_bits[place - 1] | unit_bits[place - 2]) & (AFTER_SIGN | IN_QUOTES):
        return False
    if (tags[place - 1] | tags[place]) & COUNTS:
        return counts_one_by_one(unit_bits, tags, count, place)
    if not known_pair(units, place, count, words, TWICE):
        return True
    # 走着走着 goes on with what happens then; 旁边坐着坐着两位老人 does not.
    return (
        tags[place] & STUTTER != 0
        and place + 2 < count
        and not (unit_bits[place + 1] | unit_bits[place + 2]) & AFTER_SIGN
        and tags[place + 1] & COUNTS != 0
        and tags[place + 2] & MEASURE != 0
    )


@compiled
def count_stutters(
    units: np.ndarray,
    unit_kinds: np.ndarray,
    unit_bits: np.ndarray,
    tags: np.ndarray,
    count: int,
    words: np.ndarray,
) -> int:
    """Words said twice on the spot that never are: "the the", "dog dog", 帽子帽子."""
    stutters = 0
    for place in range(1, count):
        # Most units are like neither of the two before.
        once = units[place] == units[place - 1]
        if not once and not (place > 1 and units[place] == units[place - 2]):
            continue
        bits = unit_bits[place]
        if bits & IN_QUOTES:
            continue
        if unit_kinds[place] == HAN_UNIT:
            stutters += not bits & AFTER_SIGN and stutters_in_han(
                units, unit_bits, tags, count, place, words
            )
            continue
        if unit_kinds[place] != WORD:
            continue
        bare = (bits & AFTER_BARE_COMMA) != 0
        plain = not bits & AFTER_SIGN
        small = not (bits | unit_bits[place - 1]) & CAPITAL
        if once:
            thrice = place > 1 and units[place] == units[place - 2]
            plain_before = not unit_bits[place - 1] & AFTER_SIGN
            never = tags[place] & STUTTER or (
                small and (not tags[place] & TWICE or (thrice and plain_before))
            )
            stutters += bare or (plain and never)
        elif bare and place + 1 < count:  # red panda,red panda
            stutters += units[place + 1] == units[place - 1]
        elif plain and small and place > 2 and units[place - 1] == units[place - 3]:
            # on the on the, red car red car; not row after row after
            signs = unit_bits[place - 1] | unit_bits[place - 2]
            joined = (tags[place] | tags[place - 1]) & JOINS != 0
            article = (tags[place] & (STUTTER | JOINS)) == STUTTER
            article |= (tags[place - 1] & (STUTTER | JOINS)) == STUTTER
            stutters += not signs & AFTER_SIGN and (article or not joined)
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
        halts = False
        for place in range(period, count):
            if units[place] != units[place - period] or unit_bits[place] & IN_QUOTES:
                run = 0
                counted = 0
                one = False
                halts = False
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
            halts |= (tags[place] & HALTS) != 0  # 有一座有一座
            counts = one and not halts and period <= (2 if signed else 3)
            twice = (signed and not clause) or counts
            enough = 2 * period if twice else period
            if period == 2 and (tags[place] | tags[place - 1]) & JOINS:
                enough = 6  # row after row after row
            if counted > longest and run > enough - (0 if counts else 1):
                longest = counted
    return longest
