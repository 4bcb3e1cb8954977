"""How a text ends."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.text import (
    BLANK,
    CLOSER,
    DIGIT,
    LATIN,
    STOP,
    WIDE_STOP,
    joins,
    last_place,
)

_PRIMES = (0x2032, 0x2033, 0xB0, 0x2103, 0x2109, 0x25)
"""Marks of feet, inches, degrees and shares."""


@compiled
def is_address(codes: np.ndarray, kinds: np.ndarray, first: int, last: int) -> bool:
    """Whether codes[first..last] is a web or mail address: example.com, a://b, www.c, d@e."""
    for place in range(first + 1, last):
        code = codes[place]
        if code == 0x40 or (code == 0x2F and codes[place - 1] == 0x2F):  # @ //
            return True
        # A dot inside, with two letters or more on either side up to the next sign.
        if code == 0x2E and place >= first + 2 and place + 2 <= last:
            before = kinds[place - 1] == LATIN and joins(kinds[place - 2])
            after = kinds[place + 1] == LATIN and kinds[place + 2] == LATIN
            if before and after:
                return True
    return False


@compiled
def ends_well(codes: np.ndarray, kinds: np.ndarray, traits: np.ndarray, count: int) -> bool:
    """Whether a text ends as a sentence, a quotation, an address or a measure may."""
    last = last_place(traits, count)
    if last < 0:
        return False
    if traits[last] & (STOP | WIDE_STOP | CLOSER) or codes[last] in _PRIMES:
        return True
    if codes[last] in (0x43, 0x46) and last > 0 and codes[last - 1] == 0xB0:  # °C °F
        return True
    first = last
    while (
        first > 0
        and not traits[first - 1] & BLANK
        and joins_address(kinds[first - 1], codes[first - 1])
    ):
        first -= 1
    return (joins(kinds[last]) or codes[last] == 0x2F) and is_address(codes, kinds, first, last)


@compiled
def joins_address(kind: int, code: int) -> bool:
    """Whether a character may stand in an address."""
    return kind in (LATIN, DIGIT) or 0x21 <= code < 0x7F
