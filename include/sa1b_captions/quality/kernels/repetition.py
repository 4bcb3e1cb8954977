"""Units, phrases and sentences that come again."""

import numpy as np
from numba import uint64

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.words import AFTER_STOP, GOLDEN, NUMBER, scramble

TRIPLE_UNITS = 8
"""Units of the longest phrase that is an echo when it comes three times in a row."""

DOUBLE_UNITS = 4
"""The same of a phrase that comes twice, with no punctuation in between."""

SENTENCE_UNITS = 4
"""Units a sentence must have for its repetition to count: "Yes." may come twice."""


@compiled
def meet(keys: np.ndarray, stamps: np.ndarray, last: int, stamp: int, key: int) -> bool:
    """Put a key into a set and say whether it was there; slots of another stamp are empty."""
    slot = np.int64(uint64(key) & uint64(last))
    while stamps[slot] == stamp:
        if keys[slot] == key:
            return True
        slot = (slot + 1) & last
    stamps[slot] = stamp
    keys[slot] = key
    return False


@compiled
def count_repeats(
    units: np.ndarray, count: int, width: int, keys: np.ndarray, stamps: np.ndarray, stamp: int
) -> int:
    """Runs of `width` units that occurred before in the text."""
    last = 1
    while last < 2 * count:
        last *= 2
    last -= 1
    leaving = uint64(1)
    for _ in range(width):
        leaving *= GOLDEN
    repeats = 0
    value = uint64(0)
    for place in range(count):
        value = value * GOLDEN + units[place]
        if place >= width:
            value -= leaving * units[place - width]
        if place >= width - 1 and meet(keys, stamps, last, stamp, scramble(value)):
            repeats += 1
    return repeats


@compiled
def count_repeated_sentences(
    units: np.ndarray,
    sentence_ends: np.ndarray,
    sentences: int,
    keys: np.ndarray,
    stamps: np.ndarray,
    stamp: int,
) -> int:
    """Sentences that occurred before, apart from case and punctuation."""
    last = 1
    while last < 2 * sentences:
        last *= 2
    last -= 1
    repeated = 0
    start = 0
    for sentence in range(sentences):
        end = sentence_ends[sentence]
        value = uint64(0)
        for place in range(start, end):
            value = value * GOLDEN + units[place]
        long = end - start >= SENTENCE_UNITS
        if long and meet(keys, stamps, last, stamp, scramble(value)):
            repeated += 1
        start = end
    return repeated


@compiled
def longest_echo(
    units: np.ndarray, unit_kinds: np.ndarray, unit_bits: np.ndarray, count: int
) -> int:
    """Most units in a row that repeat the phrase right before them; numbers do not count.

    Said three times, or twice without a stop: "parked by a bus. A bus stop" has no echo.
    """
    longest = 0
    for period in range(1, TRIPLE_UNITS + 1):
        run = 0
        counted = 0
        stopped = True
        for place in range(period, count):
            if units[place] != units[place - period]:
                run = 0
                counted = 0
                continue
            if run == 0:
                stopped = period > DOUBLE_UNITS or (unit_bits[place] & AFTER_STOP) != 0
            run += 1
            counted += unit_kinds[place] != NUMBER
            if counted > longest and run >= (2 * period if stopped else period):
                longest = counted
    return longest
