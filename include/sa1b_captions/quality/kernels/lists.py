"""Numbers of a list that runs on in one line: "1. a car 2. a tree", （1）…（2）…, ①…②…."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.text import (
    CLOSER,
    DIGIT,
    LATIN,
    PAUSE,
    QUOTE,
    SPACE,
    STOP,
    WIDE_STOP,
)

_MARKS = (0x2E, 0x29, 0xFF09, 0xFF0E, 0x3001, 0x3A, 0xFF1A)
_OPENERS = (0x28, 0xFF08)
_NUMERALS = (0x4E00, 0x4E8C, 0x4E09, 0x56DB, 0x4E94, 0x516D, 0x4E03, 0x516B, 0x4E5D)  # 一 to 九
_COLONS = (0x3A, 0xFF1A)
_NUMBERED = (0x53F7, 0x73ED, 0x7EC4, 0x8DEF)  # 号 班 组 路
HAN_FIRST = 0x2E80
_MOST = 20
"""More items than a list in a caption has."""


@compiled
def first_digit(codes: np.ndarray, kinds: np.ndarray, place: int) -> int:
    """Where the number before a mark begins, its opening bracket included."""
    first = place
    while first > 0 and kinds[first - 1] == DIGIT:
        first -= 1
    if first > 0 and codes[first - 1] in _OPENERS:
        first -= 1
    return first


@compiled
def numeral_number(codes: np.ndarray, traits: np.ndarray, count: int, place: int) -> int:
    """The number of an item that Chinese counts, as in （一） or 一、; 0 where none does."""
    number = 0
    for numeral in range(len(_NUMERALS)):
        if codes[place - 1] == _NUMERALS[numeral]:
            number = numeral + 1
    if codes[place] == 0x3001:  # 一、三楼 and 一、二、三 count no items
        follows = place + 1 < count and codes[place + 1] in _NUMERALS
        return number if follows_pause(codes, traits, place - 1) and not follows else 0
    if codes[place] not in (0x29, 0xFF09) or place < 2 or codes[place - 2] not in _OPENERS:
        return 0
    if number > 1 and not follows_pause(codes, traits, place - 2):
        return 0
    return number


@compiled
def letter_number(codes: np.ndarray, traits: np.ndarray, count: int, place: int) -> int:
    """The number of an item that a letter counts, as in "a) a car b) a tree"; 0 where none does."""
    if place + 1 >= count:
        return 0
    number = np.int64(codes[place - 1] | 0x20) - 0x60
    if not 1 <= number <= _MOST:
        return 0
    if codes[place] == 0x3001:  # A、B两队 counts no items
        return (
            int(number)
            if follows_pause(codes, traits, place - 1) and codes[place + 1] >= HAN_FIRST
            else 0
        )
    if codes[place] not in (0x29, 0x2E) or place < 2 or not traits[place + 1] & SPACE:
        return 0
    if codes[place] == 0x2E:  # A. a car B. a tree
        capital = codes[place - 1] <= 0x5A and traits[place - 2] & SPACE
        if number == 1 and not follows_pause(codes, traits, place - 1):
            return 0
        return int(number) if capital else 0
    opened = codes[place - 2] in _OPENERS
    if opened and place > 2 and not follows_pause(codes, traits, place - 2):
        return 0
    return int(number) if opened or traits[place - 2] & SPACE else 0


@compiled
def list_number(  # noqa: C901  # one mark after the other
    codes: np.ndarray, kinds: np.ndarray, traits: np.ndarray, count: int, place: int
) -> int:
    """The number of an item whose mark stands here; 0 where none does."""
    code = codes[place]
    if 0x2460 <= code <= 0x2468:
        return int(code - 0x245F)
    if code not in _MARKS or place == 0:
        return 0
    if codes[place - 1] in _NUMERALS:
        return numeral_number(codes, traits, count, place)
    if kinds[place - 1] == LATIN:
        return letter_number(codes, traits, count, place)
    if kinds[place - 1] != DIGIT:
        return 0
    first = first_digit(codes, kinds, place)
    if code in _COLONS and not follows_pause(codes, traits, first):
        return 0
    # An item follows: 1.5 is a number, 1、2、3 are several.
    if place + 1 >= count or kinds[place + 1] == DIGIT:
        return 0
    if code == 0x2E and traits[place + 1] & (QUOTE | CLOSER | STOP | PAUSE):
        return 0
    number = 0
    for digit in range(first, place):
        if kinds[digit] == DIGIT:
            number = 10 * number + (codes[digit] - 0x30 if codes[digit] < 0x80 else 99)
        if number > _MOST:
            return 0
    # "Players (1) and (2)" are named by their numbers, "two cars, (2) a tree" is a list.
    if codes[first] in _OPENERS and number > 1 and not follows_pause(codes, traits, first):
        return 0
    if codes[first] in _OPENERS and is_subject(codes, count, place + 1):
        return 0
    # 3.2. and A1. are no items.
    if first > 0 and (
        kinds[first - 1] == LATIN or (codes[first - 1] == 0x2E and kinds[first - 2] == DIGIT)
    ):
        return 0
    return number


@compiled
def is_subject(codes: np.ndarray, count: int, place: int) -> bool:
    """Whether what follows a number in brackets makes a name of it: "(1) is tall", （1）号."""
    if place + 3 >= count:
        return False
    if codes[place] in _NUMBERED:
        return True
    spaced = codes[place] == 0x20 and codes[place + 3] == 0x20
    return bool(spaced and codes[place + 1] == 0x69 and codes[place + 2] == 0x73)


@compiled
def starts_list(
    codes: np.ndarray,
    kinds: np.ndarray,
    traits: np.ndarray,
    count: int,
    place: int,
    number: int,
) -> bool:
    """Whether a list may begin with this item: "number 1. The second" has a word before it."""
    if number != 1:
        return False
    if place and (kinds[place - 1] == LATIN or codes[place - 1] in _NUMERALS):
        return True
    first = place if 0x2460 <= codes[place] <= 0x2468 else first_digit(codes, kinds, place)
    before = first - 1
    while before >= 0 and traits[before] & SPACE:
        before -= 1
    if before < 0 or codes[place] == 0x29 or codes[place] == 0xFF09:
        return True
    if codes[before] == 0x2E and before > 0 and codes[before - 1] | 0x20 == 0x6F:  # No. 1
        return False
    after = place + 1
    while after < count and traits[after] & SPACE:
        after += 1
    # No sentence begins with a small letter.
    small = after < count and 0x61 <= codes[after] <= 0x7A
    return small or follows_pause(codes, traits, first)


@compiled
def follows_pause(codes: np.ndarray, traits: np.ndarray, place: int) -> bool:
    """Whether a colon, a comma or a stop stands before this place, spaces apart."""
    before = place - 1
    while before >= 0 and traits[before] & SPACE:
        before -= 1
    return (
        before < 0 or (traits[before] & (PAUSE | STOP | WIDE_STOP)) != 0 or codes[before] in _COLONS
    )


@compiled
def is_roman(codes: np.ndarray, traits: np.ndarray, place: int) -> bool:
    """Whether a bracket here ends an item's number as in ii) or (iv)."""
    first = place
    while first > 0 and codes[first - 1] in (0x69, 0x76, 0x78):
        first -= 1
    if place - first < 2 or first == 0:
        return False
    return codes[first - 1] in _OPENERS or (traits[first - 1] & (SPACE | PAUSE)) != 0
