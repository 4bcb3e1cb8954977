"""Units of a text: words, and characters that are a word by themselves."""

import numpy as np
from numba import uint64

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.text import (
    FOREIGN,
    HAN,
    KANA,
    LATIN,
    MARK,
    PAUSE,
    SPACE,
    STOP,
    TRADITIONAL,
    WIDE_STOP,
    ends_a_sentence,
    joins,
)

# Kinds of units: words of Latin and of other letters, and characters that are one by themselves.
NUMBER, WORD, HAN_UNIT, KANA_UNIT, TRADITIONAL_UNIT, FOREIGN_WORD = 0, 1, 2, 3, 4, 5

# What else is known of a unit, as bits. Between it and the one before stand: any sign, a sign that
# parts clauses, a comma and no space, another sign and no space. It is quoted; begins with a
# capital letter; has a letter that is not ASCII.
AFTER_SIGN, AFTER_PAUSE, AFTER_BARE_COMMA, GLUED, IN_QUOTES, CAPITAL, ACCENTED = (
    *(1, 2, 4, 8, 16, 32, 64),
)

_COMMAS = (0x2C, 0xFF0C, 0x3001)
_GLUE = (0x2E, 0x2F, 0x40, 0x5F, 0x2D, 0x26, 0x27, 0x2019)  # . / @ _ - & and the apostrophes
_TAG = (0x3C, 0x2F, 0x60, 0x2A, 0x23, 0x24, 0x5C, 0x7B)  # < / ` * # $ \\ {
_SEED = uint64(0xCBF29CE484222325)
_PRIME = uint64(0x100000001B3)
GOLDEN = uint64(0x9E3779B97F4A7C15)


@compiled
def fold(code):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Lower-case a letter of ASCII or Latin-1."""
    if 0x41 <= code <= 0x5A or (0xC0 <= code <= 0xDE and code != 0xD7):
        return code + 0x20
    return code


@compiled
def scramble(value):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Spread a hash over all its bits, so that the lowest may choose a slot."""
    value = (value ^ (value >> uint64(32))) * GOLDEN
    return value ^ (value >> uint64(29))


@compiled
def pair(first, second):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Hash of two units in a row."""
    return scramble(first * GOLDEN + second)


@compiled
def is_comma(code: int) -> bool:
    """Whether a code point is a comma of either script."""
    return code in _COMMAS


@compiled
def split_units(  # noqa: C901  # one pass, or it costs twice as much
    codes: np.ndarray,
    kinds: np.ndarray,
    traits: np.ndarray,
    quoted: np.ndarray,
    count: int,
    units: np.ndarray,
    unit_kinds: np.ndarray,
    unit_bits: np.ndarray,
    sentence_ends: np.ndarray,
) -> tuple[int, int, int]:
    """Write a hash, a kind and bits per unit, and the units before each sentence's end.

    Returns:
        Units, sentences, and commas right behind another comma.
    """
    unit = 0
    sentence = 0
    ended = 0
    doubled = 0
    between = 0
    signs = 0
    spaced = False
    comma, comma_before, glue = False, False, False
    place = 0
    while place < count:
        kind = kinds[place]
        word = joins(kind) and kind != MARK
        if word or kind in (HAN, KANA, TRADITIONAL):
            if signs and not spaced:
                if comma and signs == 1 and word:
                    between |= AFTER_BARE_COMMA
                elif glue:
                    between = GLUED | AFTER_SIGN  # a point in example.com parts no clauses
            if word:
                if fold(codes[place]) != codes[place]:
                    between |= CAPITAL
                value = _SEED
                highest = 0
                unit_kind = NUMBER
                # Most words are of these letters alone, and one bit folds them.
                first = place
                while place < count and kinds[place] == LATIN and codes[place] < 0x80:
                    value = (value ^ uint64(codes[place] | 0x20)) * _PRIME
                    place += 1
                if place > first:
                    unit_kind = WORD
                while place < count and joins(kinds[place]):
                    code = codes[place]
                    value = (value ^ uint64(fold(code))) * _PRIME
                    highest = max(highest, code)
                    if kinds[place] == LATIN:
                        unit_kind = WORD
                    elif kinds[place] == FOREIGN:
                        unit_kind = FOREIGN_WORD
                    place += 1
                if highest >= 0x80 and unit_kind == WORD:
                    between |= ACCENTED
            else:
                value = (_SEED ^ uint64(codes[place])) * _PRIME
                unit_kind = HAN_UNIT
                if kind != HAN:
                    unit_kind = KANA_UNIT if kind == KANA else TRADITIONAL_UNIT
                place += 1
            units[unit] = scramble(value)
            unit_kinds[unit] = unit_kind
            unit_bits[unit] = between | (IN_QUOTES if quoted[place - 1] else 0)
            unit += 1
            between, signs = 0, 0
            spaced, comma, comma_before, glue = False, False, False, False
            continue
        trait = traits[place]
        if trait & SPACE:
            spaced = True
            place += 1
            continue
        between |= AFTER_SIGN
        doubled += is_comma(codes[place]) and comma_before and not spaced and not quoted[place]
        spaced = False
        if trait & (PAUSE | STOP | WIDE_STOP):
            between |= AFTER_PAUSE
        signs += 1
        code = codes[place]
        comma_before = is_comma(code)
        comma = code == 0x2C
        glue = code in _TAG or (signs == 1 and code in _GLUE)
        if unit > ended and ends_a_sentence(traits, count, place):
            sentence_ends[sentence] = unit
            sentence += 1
            ended = unit
        place += 1
    if unit > ended:
        sentence_ends[sentence] = unit
        sentence += 1
    return unit, sentence, doubled
