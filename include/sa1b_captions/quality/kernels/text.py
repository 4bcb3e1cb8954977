"""Code points of a text, what kind of character each is, and the marks that loops look for."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled

# Kinds of characters, as in characters.Kind.
OTHER, LATIN, DIGIT, MARK, FOREIGN, HAN, KANA, LOST = 0, 1, 2, 3, 4, 5, 6, 7

SPACES = (0x20, 0x09, 0xA0, 0x3000)
LINE_BREAKS = (0x0A, 0x0D, 0x0B, 0x0C, 0x85, 0x2028, 0x2029)
_STOPS = (0x2E, 0x21, 0x3F, 0x2026)  # . ! ? and the ellipsis
_WIDE_STOPS = (0x3002, 0xFF01, 0xFF1F, 0xFF0E, 0xFF61)  # the same, full width
_CLOSERS = (0x22, 0x27, 0x29, 0x5D, 0xBB, 0x2019, 0x201D, 0x300B, 0x300D, 0x300F, 0x3011, 0xFF09)
"""Quotation marks and brackets that may follow the end of a sentence, or be it."""


@compiled
def decode(data: np.ndarray, start: int, end: int, codes: np.ndarray) -> int:
    """Write the code points of data[start:end] and count them."""
    count = 0
    place = start
    while place < end:
        lead = np.int32(data[place])
        if lead < 0x80:
            width, code = 1, lead
        elif lead < 0xE0:
            width, code = 2, lead & 0x1F
        elif lead < 0xF0:
            width, code = 3, lead & 0x0F
        else:
            width, code = 4, lead & 0x07
        for following in range(place + 1, min(place + width, end)):
            code = (code << 6) | np.int32(data[following] & 0x3F)
        codes[count] = code
        count += 1
        place += width
    return count


@compiled
def classify(codes: np.ndarray, count: int, table: np.ndarray, kinds: np.ndarray) -> None:
    """Write the kind of each code point."""
    for place in range(count):
        code = codes[place]
        kinds[place] = table[code] if code < table.shape[0] else LOST


@compiled
def joins(kind: int) -> bool:
    """Whether a character of this kind is part of a word."""
    return LATIN <= kind <= FOREIGN


@compiled
def ends_a_sentence(codes: np.ndarray, count: int, place: int) -> bool:
    """Whether a sentence ends here: a decimal point has a digit behind it, a stop a space."""
    code = codes[place]
    if code in _WIDE_STOPS or code in LINE_BREAKS:
        return True
    if code not in _STOPS:
        return False
    if place + 1 == count:
        return True
    following = codes[place + 1]
    return following in SPACES or following in _CLOSERS or following in LINE_BREAKS


@compiled
def ends_well(codes: np.ndarray, count: int) -> bool:
    """Whether the last character that is no space can end a sentence or a quotation."""
    place = count - 1
    while place >= 0 and (codes[place] in SPACES or codes[place] in LINE_BREAKS):
        place -= 1
    if place < 0:
        return False
    code = codes[place]
    return code in _STOPS or code in _WIDE_STOPS or code in _CLOSERS
