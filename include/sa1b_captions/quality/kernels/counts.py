"""Characters of a kind, and runs of them."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.text import (
    BARE,
    DIGIT,
    FOREIGN,
    HAN,
    KANA,
    LATIN,
    LINE_BREAK,
    LOST,
    OTHER,
    QUOTED,
    SPACE,
    TRADITIONAL,
    WIDE,
)

_GREEK_CAPITALS = (
    *(0x391, 0x392, 0x395, 0x396, 0x397, 0x399, 0x39A, 0x39C),  # ΑΒΕΖΗΙΚΜ
    *(0x39D, 0x39F, 0x3A1, 0x3A4, 0x3A5, 0x3A7),  # ΝΟΡΤΥΧ
)
_GREEK_SMALL = (0x3B1, 0x3B9, 0x3BA, 0x3BD, 0x3BF, 0x3C1, 0x3C4, 0x3C5)  # αικνορτυ


@compiled
def beside_han(kinds: np.ndarray, count: int, place: int) -> bool:
    """Whether a Han letter stands right before or after a place."""
    before = place > 0 and kinds[place - 1] in (HAN, TRADITIONAL)
    return before or (place + 1 < count and kinds[place + 1] in (HAN, TRADITIONAL))


@compiled
def poses_as_latin(codes: np.ndarray, kinds: np.ndarray, count: int, place: int) -> bool:
    """Whether a Cyrillic letter, or a Greek one that looks Latin, joins Latin letters: nаmes.

    Not so units and terms as μm, ΔT and Hα: a Greek letter needs a Latin one after it.
    """
    after = place + 1 < count and kinds[place + 1] == LATIN
    before = place > 0 and kinds[place - 1] == LATIN
    code = codes[place]
    if 0x400 <= code <= 0x52F:
        return before or after
    return after and (code in _GREEK_CAPITALS or code in _GREEK_SMALL)


@compiled
def weigh_foreign(codes: np.ndarray, kinds: np.ndarray, count: int, place: int) -> int:
    """How much a letter of another script tells: 1 within a word, 2 alone.

    A Greek one alone tells nothing, as of an angle or axis, unless it poses as a Latin one; nor
    does a Cyrillic capital, which is shown, nor an ornate one of a formula.
    """
    before = place > 0 and kinds[place - 1] in (FOREIGN, KANA)
    if before or (place + 1 < count and kinds[place + 1] in (FOREIGN, KANA)):
        return 1
    if poses_as_latin(codes, kinds, count, place):
        return 2
    code = codes[place]
    quiet = 0x370 <= code <= 0x3FF or 0x410 <= code <= 0x42F or 0x1D400 <= code <= 0x1D7FF
    return 0 if quiet else 2


@compiled
def tally_letters(
    codes: np.ndarray, kinds: np.ndarray, quoted: np.ndarray, count: int
) -> tuple[int, int, int, int, int]:
    """Letters and foreign ones; letters, Han and joined foreign ones that no quotation has."""
    latin = 0
    stray_latin = 0
    highest = 0
    for place in range(count):
        is_latin = kinds[place] == LATIN
        latin += is_latin
        stray_latin += is_latin & (quoted[place] == BARE)
        highest = max(highest, kinds[place])
    if highest < FOREIGN:
        return latin, 0, stray_latin or latin, 0, 0
    han, foreign, stray_han, stray_foreign = 0, 0, 0, 0
    for place in range(count):
        kind = kinds[place]
        if kind in (HAN, TRADITIONAL):
            han += 1
            stray_han += quoted[place] == BARE
        elif kind in (FOREIGN, KANA):
            foreign += 1
            if quoted[place] == BARE:
                stray_foreign += weigh_foreign(codes, kinds, count, place)
    stray = stray_latin + stray_han + stray_foreign
    # A text that is all quotation, as in JSON, is judged by what it quotes.
    if stray == 0:
        return latin + han + foreign, foreign, latin + han + foreign, han, 0
    return latin + han + foreign, foreign, stray, stray_han, stray_foreign


@compiled
def quotes_wide_letters(kinds: np.ndarray, quoted: np.ndarray, count: int, place: int) -> bool:
    """Whether a mark belongs to a quotation of letters as wide as it: 「営業中」, not 「OPEN」."""
    if quoted[place] != QUOTED:
        return False
    first, last = place, place
    while first > 0 and quoted[first - 1] == QUOTED:
        first -= 1
    while last + 1 < count and quoted[last + 1] == QUOTED:
        last += 1
    for inside in range(first, last + 1):
        if kinds[inside] >= FOREIGN and kinds[inside] != LOST:
            return True
    return False


@compiled
def count_signs(
    codes: np.ndarray,
    kinds: np.ndarray,
    traits: np.ndarray,
    quoted: np.ndarray,
    count: int,
    signs: np.ndarray,
) -> tuple[int, int, int, int]:
    """Line breaks and a blank before the text; signs that a tag may have; colons; wide marks.

    `signs` are the places that `decode` found.
    """
    line_breaks = 0
    brackets, colons, wide = 0, 0, 0
    if count and traits[0] & SPACE:
        line_breaks = 1
    for place in signs:
        if kinds[place] == OTHER:
            trait = traits[place]
            if trait & SPACE:
                continue
            line_breaks += (trait & LINE_BREAK) != 0
            if trait & WIDE:
                wide += not quotes_wide_letters(kinds, quoted, count, place)
            code = codes[place]
            # < and [, the full-width one, | and _, and ( or （ before a digit or an x, 【图片】.
            brackets += code in (0x3C, 0x5B, 0xFF1C, 0x7C, 0x5F)
            colons += code in (0x3A, 0xFF1A, 0x3010)  # : and its wide form, and 【
            if code in (0x28, 0xFF08, 0x3010) and place + 1 < count:
                following = codes[place + 1]
                brackets += kinds[place + 1] == DIGIT or following in (0x78, 0x56FE, 0x7167)
    return line_breaks, brackets, colons, wide


@compiled
def longest_run(
    codes: np.ndarray, kinds: np.ndarray, traits: np.ndarray, quoted: np.ndarray, count: int
) -> int:
    """Most equal characters in a row, or most signs of a pattern as in =-=-=-; spaces apart.

    A sign may say AAAAAAAAAH: what is quoted counts a third. No word has four small letters alike,
    so more than three of them count threefold outside quotations.
    """
    longest = min(count, 1)
    run = 0
    signs = 0
    previous = np.int32(-1)
    before = np.int32(-1)
    for place in range(count):
        code = codes[place]
        if kinds[place] != OTHER:
            if code == previous:
                run += 1
                if run > longest or run > 3:
                    longest = max(longest, _weigh(run, code, quoted[place]))
            else:
                run = 1
            signs = 0
        elif traits[place] & SPACE:
            continue
        else:
            run = run + 1 if code == previous else 1
            signs = signs + 1 if code == before and signs >= 2 else min(signs + 1, 2)
            if max(run, signs) > longest:
                longest = max(longest, _weigh(max(run, signs), code, quoted[place]))
        before = previous
        previous = code
    return longest


@compiled
def _weigh(run: int, code: int, quoted: int) -> int:
    if quoted == QUOTED:
        return run if run <= 3 else max(3, run // 3)
    return 3 * run if run > 3 and 0x61 <= code <= 0x7A else run
