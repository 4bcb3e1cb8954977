"""Compiled loop that normalises UTF-8 texts by a table of code points."""

import numpy as np
from numba import uint64

from sa1b_captions.quality.kernels import byte_words
from sa1b_captions.quality.kernels.compiled import compiled

SPACE = 32
BY_RULE = 0xFFFFFFFF
"""In the table: what becomes of this code point depends on more than itself."""


@compiled
def plain(eight: np.uint64, spaced: bool) -> tuple[np.uint64, np.uint64]:
    """Eight bytes with capital letters made small, and marks of those that this makes normal.

    That is: Latin letters, digits, and spaces that follow no other. `spaced` tells what came
    before.
    """
    low = eight & byte_words.BITS
    small = low | byte_words.SPACES
    letters = (small + byte_words.each(0x80 - 0x61)) & ~(small + byte_words.each(0x7F - 0x7A))
    digits = (low + byte_words.each(0x80 - 0x30)) & ~(low + byte_words.each(0x7F - 0x39))
    spaces = byte_words.spaces(eight)
    again = spaces & (spaces << uint64(8) | uint64(0x80 if spaced else 0))
    letters &= byte_words.TOPS
    good = (letters | digits | spaces) & ~again & ~eight & byte_words.TOPS
    return eight | (letters >> uint64(2)), good


@compiled
def read_code(data: np.ndarray, place: int) -> tuple[np.uint32, int]:
    """The code point at a place, and its bytes."""
    lead = data[place]
    if lead < 0x80:
        return np.uint32(lead), 1
    width = 2 if lead < 0xE0 else (3 if lead < 0xF0 else 4)
    code = np.uint32(lead & (0x7F >> width))
    for following in range(place + 1, place + width):
        code = np.uint32(code << np.uint32(6)) | np.uint32(data[following] & 0x3F)
    return code, width


@compiled
def write_code(data: np.ndarray, place: int, code: np.uint32) -> int:
    """Write a code point; how many bytes it took."""
    if code < 0x80:
        data[place] = code
        return 1
    width = 2 if code < 0x800 else (3 if code < 0x10000 else 4)
    for following in range(place + width - 1, place, -1):
        data[following] = 0x80 | (code & np.uint32(0x3F))
        code >>= np.uint32(6)
    data[place] = np.uint32((0xF00 >> width) & 0xFF) | code
    return width


@compiled
def normalise(
    data: np.ndarray,
    offsets: np.ndarray,
    table: np.ndarray,
    normal: np.ndarray,
    edges: np.ndarray,
    by_rule: np.ndarray,
) -> None:
    """Write each text with its code points replaced and runs of spaces one; none at either end.

    Args:
        data: valid UTF-8 of all texts, uint8.
        offsets: where each text begins, and where the last ends, int64.
        table: what becomes of each code point, uint32: at most as many bytes as it had, SPACE, or
            BY_RULE, as for every code point past the table.
        normal: the texts, as many bytes as `data`.
        edges: where each text begins in `normal`, and where the last ends, int64.
        by_rule: whether a text holds a code point for which the table has no answer; it is empty.
    """
    known = table.shape[0]
    at = 0
    for text in range(by_rule.shape[0]):
        start = at
        edges[text] = start
        by_rule[text] = False
        spaced = True
        place = offsets[text]
        end = offsets[text + 1]
        while place < end:
            if data[place] < 0x80 and place + byte_words.WIDTH <= end:
                lower, good = plain(byte_words.load(data, place), spaced)
                byte_words.store(normal, at, lower)
                width = byte_words.first(byte_words.TOPS & ~good)
                at += width
                place += width
                if width:
                    spaced = normal[at - 1] == SPACE
                if width == byte_words.WIDTH:
                    continue
            code, width = read_code(data, place)
            code = table[code] if code < known else np.uint32(BY_RULE)
            if code == BY_RULE:
                by_rule[text] = True
                break
            place += width
            # No branch: where words end is hard to foresee, and each wrong guess costs much.
            at += write_code(normal, at, code) * ((code != SPACE) | (not spaced))
            spaced = code == SPACE
        if by_rule[text]:
            at = start
        elif spaced and at > start:
            at -= 1
    edges[by_rule.shape[0]] = at
