"""Compiled loop that normalises UTF-8 texts by a table of code points."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled

SPACE = 32
BY_RULE = 0xFFFFFFFF
"""In the table: what becomes of this code point depends on more than itself."""


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
            byte = data[place]
            if byte < 0x80:
                # No branch: where words end is hard to foresee, and each wrong guess costs much.
                code = table[byte]
                normal[at] = code
                at += (code != SPACE) | (not spaced)
                spaced = code == SPACE
                place += 1
                continue
            width = 2 if byte < 0xE0 else (3 if byte < 0xF0 else 4)
            code = np.uint32(byte & (0x7F >> width))
            for following in range(place + 1, place + width):
                code = np.uint32(code << np.uint32(6)) | np.uint32(data[following] & 0x3F)
            place += width
            code = table[code] if code < known else np.uint32(BY_RULE)
            if code == BY_RULE:
                by_rule[text] = True
                break
            if code < 0x80:
                normal[at] = code
                at += (code != SPACE) | (not spaced)
            else:
                width = 2 if code < 0x800 else (3 if code < 0x10000 else 4)
                for number in range(width - 1, 0, -1):
                    normal[at + number] = 0x80 | (code & np.uint32(0x3F))
                    code >>= np.uint32(6)
                normal[at] = np.uint32((0xF00 >> width) & 0xFF) | code
                at += width
            spaced = code == SPACE
        if by_rule[text]:
            at = start
        elif spaced and at > start:
            at -= 1
    edges[by_rule.shape[0]] = at
