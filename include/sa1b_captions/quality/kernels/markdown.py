"""Marks of Markdown or JSON."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.text import LATIN, LINE_BREAKS, OTHER, SPACES


@compiled
def starts_block(codes: np.ndarray, count: int, place: int) -> bool:
    """Whether a line that begins here begins as a heading, list, quotation, table or object."""
    code = codes[place]
    if code == 0x7B or code == 0x7C:  # { |
        return True
    after = place + 1
    if code == 0x23:  # 1 to 6 signs of a heading
        while after < count and codes[after] == 0x23:
            after += 1
        if after - place > 6:
            return False
    elif 0x30 <= code <= 0x39:  # "1." or "12)"
        if after < count and 0x30 <= codes[after] <= 0x39:
            after += 1
        if after == count or (codes[after] != 0x2E and codes[after] != 0x29):
            return False
        after += 1
    elif code not in (0x2D, 0x2A, 0x2B, 0x3E, 0x2022):  # - * + > and the bullet
        return False
    return after < count and codes[after] in SPACES


@compiled
def count_markdown(codes: np.ndarray, kinds: np.ndarray, count: int) -> int:
    """Marks of Markdown or JSON: starts of blocks, bold, fences, links."""
    marks = 0
    at_start = True
    for place in range(count):
        code = codes[place]
        if kinds[place] != OTHER and not at_start:
            continue
        if code in LINE_BREAKS:
            at_start = True
            continue
        if code in SPACES:
            continue
        if at_start:
            marks += starts_block(codes, count, place)
            at_start = False
        if place + 2 >= count:
            continue
        following, third = codes[place + 1], codes[place + 2]
        if code == 0x2A and following == 0x2A:  # ** before a word, not inside one
            inside = place > 0 and (kinds[place - 1] == LATIN or codes[place - 1] == 0x2A)
            marks += not inside and third != 0x2A and third not in SPACES
        marks += code == 0x60 and following == 0x60 and third == 0x60  # ```
        marks += code == 0x5D and following == 0x28 and third not in SPACES  # ](
    return marks
