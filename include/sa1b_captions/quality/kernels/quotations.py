"""Which characters stand in quotation marks or brackets, as the words of a sign do."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.text import OTHER, joins

QUOTED_CHARS = 200
"""Characters up to the end of a quotation; an opening mark without an end near quotes nothing."""

_OPENERS = (0x22, 0x27, 0x28, 0x5B, 0xAB, 0x2018, 0x201C, 0x300A, 0x300C, 0x300E, 0x3010, 0xFF08)
_CLOSED_BY = (0x22, 0x27, 0x29, 0x5D, 0xBB, 0x2019, 0x201D, 0x300B, 0x300D, 0x300F, 0x3011, 0xFF09)
"""Marks around what a sign says, or how a name is spelled, and the mark that ends each."""
_APOSTROPHES = (0x27, 0x2019)


@compiled
def mark_quotations(codes: np.ndarray, kinds: np.ndarray, count: int, quoted: np.ndarray) -> None:
    """Write whether each character stands in quotation marks or brackets."""
    quoted[:count] = 0
    place = 0
    while place < count:
        if kinds[place] != OTHER:
            place += 1
            continue
        closer = 0
        for mark in range(len(_OPENERS)):
            if codes[place] == _OPENERS[mark]:
                closer = _CLOSED_BY[mark]
        if closer in _APOSTROPHES and place > 0 and joins(kinds[place - 1]):
            closer = 0  # of a genitive
        if closer:
            for end in range(place + 1, min(count, place + QUOTED_CHARS)):
                inside_word = closer in _APOSTROPHES and end + 1 < count and joins(kinds[end + 1])
                if codes[end] == closer and not inside_word:
                    quoted[place : end + 1] = 1
                    place = end
                    break
        place += 1
