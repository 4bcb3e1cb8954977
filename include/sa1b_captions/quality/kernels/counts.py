"""Characters and words of a kind."""

import numpy as np
from numba import uint64

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.text import (
    FOREIGN,
    HAN,
    KANA,
    LATIN,
    LINE_BREAKS,
    LOST,
    OTHER,
    SPACES,
)
from sa1b_captions.quality.kernels.words import QUOTED, WORD

# Tags of stopwords; a stutter is an English one that never comes twice in a row.
_ENGLISH, _OTHER_LANGUAGE, _STUTTER = 1, 2, 3


@compiled
def tally_letters(
    kinds: np.ndarray, quoted: np.ndarray, count: int
) -> tuple[int, int, int, int, int]:
    """Letters; Han and foreign ones, and how many of each stand in no quotation."""
    latin = 0
    han = 0
    foreign = 0
    stray_han = 0
    stray_foreign = 0
    for place in range(count):
        kind = kinds[place]
        latin += kind == LATIN
        if kind == HAN:
            han += 1
            stray_han += quoted[place] == 0
        elif kind in (FOREIGN, KANA):
            foreign += 1
            stray_foreign += quoted[place] == 0
    return latin + han + foreign, han, foreign, stray_han, stray_foreign


@compiled
def count_stopwords(
    units: np.ndarray,
    unit_kinds: np.ndarray,
    unit_bits: np.ndarray,
    count: int,
    keys: np.ndarray,
    tags: np.ndarray,
) -> tuple[int, int, int, int, int]:
    """Words; English function words, those of other languages, English unquoted, stutters."""
    words = 0
    english = 0
    other = 0
    stray = 0
    stutters = 0
    last = keys.shape[0] - 1
    for place in range(count):
        if unit_kinds[place] != WORD:
            continue
        words += 1
        slot = np.int64(units[place] & uint64(last))
        while tags[slot] and keys[slot] != units[place]:
            slot = (slot + 1) & last
        tag = tags[slot]
        other += tag == _OTHER_LANGUAGE
        if tag in (_ENGLISH, _STUTTER):
            english += 1
            stray += (unit_bits[place] & QUOTED) == 0
        if tag == _STUTTER and place > 0 and unit_bits[place] == 0:
            stutters += units[place] == units[place - 1]
    return words, english, other, stray, stutters


@compiled
def count_codes(codes: np.ndarray, kinds: np.ndarray, count: int) -> tuple[int, int]:
    """Line breaks, and brackets that may open a tag."""
    line_breaks = 0
    brackets = 0
    for place in range(count):
        if kinds[place] == OTHER:
            line_breaks += codes[place] in LINE_BREAKS
            brackets += codes[place] in (0x3C, 0x5B)
    return line_breaks, brackets


@compiled
def count_lost(codes: np.ndarray, kinds: np.ndarray, count: int) -> int:
    """Characters that stand for none, and pairs that UTF-8 read as Latin-1 or cp1252 leaves."""
    lost = 0
    for place in range(count):
        if kinds[place] == LOST:
            lost += 1
        elif place:
            before, code = codes[place - 1], codes[place]
            latin = (before == 0xC2 or before == 0xC3) and 0xA0 <= code <= 0xBF
            quotes = before == 0xE2 and code == 0x20AC
            emoji = before == 0xF0 and code == 0x178
            lost += latin or quotes or emoji
    return lost


@compiled
def longest_run(codes: np.ndarray, kinds: np.ndarray, count: int) -> int:
    """Most equal characters in a row, or most signs of a pattern as in =-=-=-; spaces apart."""
    longest = 0
    run = 0
    signs = 0
    previous = np.int32(-1)
    before = np.int32(-1)
    for place in range(count):
        code = codes[place]
        if kinds[place] == OTHER and code in SPACES:
            continue
        run = run + 1 if code == previous else 1
        if kinds[place] != OTHER:
            signs = 0
        elif code == before and signs >= 2:
            signs += 1
        else:
            signs = min(signs + 1, 2)
        before = previous
        previous = code
        longest = max(longest, run, signs)
    return longest
