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
    SPACES,
    ends_a_sentence,
    joins,
)

# Kinds of units.
NUMBER, WORD, CHARACTER = 0, 1, 2

# What else is known of a unit, as bits.
AFTER_STOP, QUOTED = 1, 2

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
def split_units(
    codes: np.ndarray,
    kinds: np.ndarray,
    quoted: np.ndarray,
    count: int,
    units: np.ndarray,
    unit_kinds: np.ndarray,
    unit_bits: np.ndarray,
    sentence_ends: np.ndarray,
) -> tuple[int, int]:
    """Write a hash, a kind and bits per unit, and the units before each sentence's end."""
    unit = 0
    sentence = 0
    ended = 0
    value = _SEED
    inside = False
    kind_of_word = NUMBER
    stop = 0
    for place in range(count + 1):
        kind = kinds[place] if place < count else 0
        if joins(kind) and (inside or kind != MARK):
            value = (value ^ uint64(fold(codes[place]))) * _PRIME
            inside = True
            if kind in (LATIN, FOREIGN):
                kind_of_word = WORD
            continue
        if inside:
            units[unit] = scramble(value)
            unit_kinds[unit] = kind_of_word
            unit_bits[unit] = stop | (QUOTED if quoted[place - 1] else 0)
            unit += 1
            value = _SEED
            inside = False
            kind_of_word = NUMBER
            stop = 0
        if kind in (HAN, KANA):
            units[unit] = scramble((_SEED ^ uint64(codes[place])) * _PRIME)
            unit_kinds[unit] = CHARACTER
            unit_bits[unit] = stop | (QUOTED if quoted[place] else 0)
            unit += 1
            stop = 0
            continue
        if place < count and codes[place] not in SPACES:
            stop = AFTER_STOP
        if unit > ended and (place == count or ends_a_sentence(codes, count, place)):
            sentence_ends[sentence] = unit
            sentence += 1
            ended = unit
    return unit, sentence
