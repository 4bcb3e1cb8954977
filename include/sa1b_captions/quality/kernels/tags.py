"""What is known of words, and how loops look it up."""

import numpy as np
from numba import uint64

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.words import NUMBER

# What is known of a word, as bits of vocabulary.Tag.
ENGLISH, OTHER, STUTTER, COMMON, ABROAD, GERMAN = 1, 2, 4, 8, 16, 32
SUBJECT, FINITE, INTRODUCER, CONJUNCTION, ADVERBIAL, ONE = 64, 128, 256, 512, 1024, 2048
PLAIN, PARTICLE, SHARED, OPENER = 4096, 8192, 16384, 32768
TWICE, COUNTS, JOINS, SCRIPT = 65536, 131072, 262144, 524288
TALK_SHIFT, TALKS = 20, 4194304
ACROSS, MEASURE, ARTICLE, NOUN = 8388608, 16777216, 33554432, 67108864
SERIES, HALTS, SINGLE, USUAL = 134217728, 268435456, 536870912, 1073741824
KNOWN = ENGLISH | COMMON
RARE = ~(USUAL | HALTS | SERIES)
"""All but tags of words that a description need not have."""


@compiled
def find_tag(value: np.uint64, words: np.ndarray) -> int:
    """What is known of a unit or a pair of units, by its hash.

    A slot holds the upper half of the hash, whose lower bits choose where to look, and the tags.
    """
    last = words.shape[0] - 1
    slot = np.int64(uint64(value) & uint64(last))
    while words[slot] and (words[slot] ^ uint64(value)) >> uint64(32):
        slot = (slot + 1) & last
    return int(np.int64(words[slot] & uint64(0xFFFFFFFF)))


@compiled
def look_up(
    units: np.ndarray,
    unit_kinds: np.ndarray,
    count: int,
    words: np.ndarray,
    tags: np.ndarray,
) -> int:
    """Write what is known of each unit; return what is known of any."""
    of_any = 0
    for place in range(count):
        number = unit_kinds[place] == NUMBER
        tag = 0 if number else find_tag(units[place], words)
        tags[place] = tag
        of_any |= tag
    return of_any
