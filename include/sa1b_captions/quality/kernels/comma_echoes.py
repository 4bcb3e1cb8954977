"""Words that come again right behind a comma: "is wearing, wearing a coat", 背包，背包，和."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.tags import (
    CONJUNCTION,
    COUNTS,
    HALTS,
    JOINS,
    SERIES,
    STUTTER,
    SUBJECT,
    TWICE,
    find_tag,
)
from sa1b_captions.quality.kernels.words import (
    AFTER_PAUSE,
    AFTER_SIGN,
    CAPITAL,
    HAN_UNIT,
    IN_QUOTES,
    WORD,
    pair,
)

_LONGEST = 4
"""Characters of a Chinese word that is looked for."""

_SHORT_WORDS, _SHORT_CHARACTERS, _LISTED_AGAIN = 3, 5, 4
"""Units of an item of a list at most, and how many items it names again that loops: a front may
have a window, a door, a window, a door and a window."""

_LISTED_REPEATS = 5
"""Pairs of units that come again where a list does."""

_MORE = 5
"""Units behind a word, said twice, among which it is said once more for emphasis."""

LISTED = 99
"""Local repeats that such a list, or a template, counts as: more than any limit that lets prose
pass."""


@compiled
def ends_an_item(
    units: np.ndarray, unit_bits: np.ndarray, tags: np.ndarray, count: int, place: int
) -> bool:
    """Whether a comma, an "and", an "or" or the end of the text stands before a place."""
    if place >= count or unit_bits[place] & AFTER_PAUSE:
        return True
    if not tags[place] & CONJUNCTION or not tags[place] & STUTTER:
        return False
    if not tags[place] & JOINS:
        return True
    # "with" joins too, and goes on: knitted hats, hats with feathers. Boats, boats and more boats.
    more = False
    for later in range(place + 1, min(count, place + _MORE)):
        more |= units[later] == units[place - 1]
    return tags[place] & SERIES != 0 and not more


@compiled
def echoes_word(
    units: np.ndarray, unit_bits: np.ndarray, tags: np.ndarray, count: int, place: int
) -> bool:
    """Whether a word behind a comma is the one before it, and no "very, very"."""
    bits = unit_bits[place]
    if units[place] != units[place - 1] or not bits & AFTER_PAUSE:
        return False
    if (bits | unit_bits[place - 1]) & CAPITAL or bits & IN_QUOTES:
        return False
    if tags[place] & HALTS:
        return True
    alone = ends_an_item(units, unit_bits, tags, count, place + 1)
    if alone and tags[place] & SERIES and 1 < place < count - 1:
        # Its white, white, hull; not: a green, green, blue or a green, green and blue flag.
        counted = tags[place - 2] & STUTTER and tags[place - 2] & SUBJECT
        goes_on = tags[place + 1] & (SERIES | JOINS) or not unit_bits[place + 1] & AFTER_PAUSE
        return bool(counted and not goes_on) and not unit_bits[place - 1] & AFTER_PAUSE
    return alone and not tags[place] & (TWICE | SERIES)


@compiled
def echoes_han(
    units: np.ndarray,
    unit_bits: np.ndarray,
    tags: np.ndarray,
    count: int,
    place: int,
    words: np.ndarray,
) -> bool:
    """Whether two to four Han letters behind a comma are the last ones before it."""
    if not unit_bits[place] & AFTER_PAUSE or unit_bits[place] & IN_QUOTES:
        return False
    for width in range(2, _LONGEST + 1):
        if place < width or place + width > count:
            return False
        same, any_tag = True, 0
        for step in range(width):
            same &= units[place + step] == units[place + step - width]
            inner = unit_bits[place + step] | unit_bits[place + step - width]
            same &= step == 0 or not inner & (AFTER_SIGN | IN_QUOTES)
            any_tag |= tags[place + step]
        if not same or any_tag & (COUNTS | SERIES):
            continue
        last = place + width - 1
        twice = find_tag(pair(units[last - 1], units[last]), words) & TWICE
        # 走着，走着，忽然下雨了
        parted = place + 2 == count or unit_bits[min(place + 2, count - 1)] & AFTER_PAUSE
        if width == 2 and twice and not (parted and not tags[last] & HALTS):
            continue
        after = place + width
        joined = after + 1 < count and find_tag(pair(units[after], units[after + 1]), words)
        if joined & CONJUNCTION or ends_an_item(units, unit_bits, tags, count, after):
            return not tags[last] & STUTTER
        if width == 2 and tags[last] & HALTS and tags[last] & STUTTER:
            return True  # 穿着，穿着一件
    return False


@compiled
def count_comma_echoes(
    units: np.ndarray,
    unit_kinds: np.ndarray,
    unit_bits: np.ndarray,
    tags: np.ndarray,
    starts: np.ndarray,
    words: np.ndarray,
) -> int:
    """Words that are said again behind a comma and never are; `starts` are of `find_starts`."""
    echoes = 0
    count = starts[-1]
    for clause in range(1, len(starts) - 1):
        place = starts[clause]
        # A call costs more than a look, and nearly all clauses begin with another word.
        said = units[place]
        if unit_kinds[place] == WORD:
            if said == units[place - 1]:
                echoes += echoes_word(units, unit_bits, tags, count, place)
        elif (place > 1 and said == units[place - 2]) or (
            place > 2 and (said == units[place - 3] or (place > 3 and said == units[place - 4]))
        ):
            echoes += echoes_han(units, unit_bits, tags, count, place, words)
    return echoes


@compiled
def named_before(units: np.ndarray, starts: np.ndarray, clause: int, items: int) -> bool:
    """Whether one of the items before a clause is the same."""
    start = starts[clause]
    width = starts[clause + 1] - start
    for before in range(max(0, clause - items), clause):
        place = starts[before]
        if starts[before + 1] - place != width:
            continue
        same = 0
        while same < width and units[place + same] == units[start + same]:
            same += 1
        if same == width:
            return True
    return False


@compiled
def list_again(
    units: np.ndarray,
    unit_kinds: np.ndarray,
    unit_bits: np.ndarray,
    tags: np.ndarray,
    starts: np.ndarray,
    repeats: int,
) -> int:
    """LISTED where a list names its items again and again, else 0: a hammer, pliers, a hammer.

    `repeats` are the pairs of units that come again.
    """
    if repeats < _LISTED_REPEATS:
        return 0
    again, items = 0, 0
    for clause in range(len(starts) - 1):
        start, end = starts[clause], starts[clause + 1]
        width = end - start
        han = unit_kinds[start] == HAN_UNIT
        if 1 + han <= width <= (_SHORT_CHARACTERS if han else _SHORT_WORDS):
            items += 1
            if not (unit_bits[start] & IN_QUOTES or tags[end - 1] & SERIES):
                again += named_before(units, starts, clause, items)
        else:
            again, items = 0, 0
        if again >= _LISTED_AGAIN:
            return LISTED
    return 0
