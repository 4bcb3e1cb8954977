"""Which characters stand in quotation marks or brackets, as the words of a sign do."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.text import (
    BLANK,
    BRACKETED,
    DIGIT,
    QUOTE,
    QUOTED,
    STOP,
    WIDE_STOP,
    decode,
    ends_a_sentence,
    joins,
    last_place,
)

QUOTED_CHARS = 300
"""Characters up to the end of a quotation."""

_OPENERS = (0x22, 0x27, 0x28, 0x5B, 0xAB, 0x2018, 0x201C, 0x300A, 0x300C, 0x300E, 0x3010, 0xFF08)
_CLOSED_BY = (0x22, 0x27, 0x29, 0x5D, 0xBB, 0x2019, 0x201D, 0x300B, 0x300D, 0x300F, 0x3011, 0xFF09)
"""Marks around what a sign says, or how a name is spelled, and the mark that ends each."""
_APOSTROPHES = (0x27, 0x2019)
_BRACKETS = (0x29, 0x5D, 0xFF09)
_UNCLOSED = (0x22, 0x201D, 0x300D)
"""Closing marks that a model forgets: then the quotation lasts as long as its sentence."""


@compiled
def opens(codes: np.ndarray, kinds: np.ndarray, traits: np.ndarray, count: int, place: int) -> int:
    """The mark that ends the quotation which begins here; 0 where none begins."""
    closer = 0
    for mark in range(len(_OPENERS)):
        if codes[place] == _OPENERS[mark]:
            closer = _CLOSED_BY[mark]
    if closer not in _APOSTROPHES and closer != 0x22:
        return closer
    if place + 1 == count or traits[place + 1] & BLANK:
        return 0
    if place > 0 and joins(kinds[place - 1]):
        return 0  # of a genitive, or of inches
    if closer in _APOSTROPHES and kinds[place + 1] == DIGIT:
        return 0  # '90s
    return closer


@compiled
def find_end(
    codes: np.ndarray, kinds: np.ndarray, traits: np.ndarray, count: int, start: int, closer: int
) -> int:
    """Place of the mark that ends a quotation, or of its sentence's end; -1 where it has none."""
    depth, first = 0, -1
    for end in range(start + 1, min(count, start + QUOTED_CHARS)):
        inside_word = closer in _APOSTROPHES and end + 1 < count and joins(kinds[end + 1])
        if codes[end] == closer and not inside_word:
            if depth == 0:
                return end
            first = end if first < 0 else first
            depth -= 1
        elif closer in _BRACKETS and codes[end] == codes[start]:
            depth += 1
    if first > 0:
        return first
    if closer in _UNCLOSED:
        for end in range(start + 1, min(count, start + QUOTED_CHARS)):
            if ends_a_sentence(traits, count, end):
                return end
    return -1


@compiled
def mark_quotations(
    codes: np.ndarray,
    kinds: np.ndarray,
    traits: np.ndarray,
    count: int,
    signs: np.ndarray,
    quoted: np.ndarray,
) -> None:
    """Write whether each character stands in quotation marks or brackets, marks included.

    A quotation of the whole text quotes nothing: a model wraps its answer so. Brackets may hold a
    quotation, as in (a sign reads "Push"). `signs` are the places that `decode` found.
    """
    quoted[:count] = 0
    last = last_place(traits, count)
    while last > 0 and traits[last] & (STOP | WIDE_STOP):
        last -= 1
    past, bracket = 0, 0
    for place in signs:
        if place < past or not traits[place] & QUOTE:
            continue
        closer = opens(codes, kinds, traits, count, place)
        within = place < bracket
        if closer and not (within and closer in _BRACKETS):
            end = find_end(codes, kinds, traits, bracket if within else count, place, closer)
            if end > 0 and not (place == 0 and end >= last):
                if closer in _BRACKETS:
                    quoted[place : end + 1] = BRACKETED
                    bracket = end
                else:
                    quoted[place : end + 1] = QUOTED
                    past = end + 1


@compiled
def blank_quotations(
    data: np.ndarray,
    offsets: np.ndarray,
    table: np.ndarray,
    longest: int,
) -> None:
    """Write spaces over what stands in quotation marks, brackets left alone.

    Args:
        data: UTF-8 bytes of all texts, uint8; changed.
        offsets: where each text begins, and where the last ends, int64.
        table: kind and traits of each code point, as `characters.table` has them.
        longest: bytes of the longest text.
    """
    codes = np.empty(longest + 1, np.int32)
    kinds = np.empty(longest + 1, np.uint8)
    traits = np.empty(longest + 1, np.uint16)
    quoted = np.empty(longest + 1, np.uint8)
    places = np.empty(longest + 1, np.int64)
    for text in range(offsets.shape[0] - 1):
        count, found = decode(
            data, offsets[text], offsets[text + 1], table, codes, kinds, traits, places
        )
        mark_quotations(codes, kinds, traits, count, places[:found], quoted)
        place = offsets[text]
        for at in range(count):
            code = codes[at]
            width = 1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000)
            if quoted[at] == QUOTED:
                data[place : place + width] = 0x20
            place += width
