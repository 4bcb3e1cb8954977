"""Runs of units that come again anywhere in a text."""

import numpy as np
from numba import uint64

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.words import GOLDEN, scramble

WINDOW = 40
"""Units in a row among which a local loop is looked for."""


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
    units: np.ndarray,
    count: int,
    width: int,
    keys: np.ndarray,
    stamps: np.ndarray,
    stamp: int,
    again: np.ndarray,
) -> tuple[int, int, int]:
    """Runs of `width` units that occurred before in the text.

    Returns:
        All of them, most in a row, and most in any WINDOW of runs. `again` is where they end.
    """
    last = 1
    while last < 2 * count:
        last *= 2
    last -= 1
    leaving = uint64(1)
    for _ in range(width):
        leaving *= GOLDEN
    repeats, row, longest, near, most = 0, 0, 0, 0, 0
    value = uint64(0)
    for place in range(count):
        value = value * GOLDEN + units[place]
        again[place] = 0
        if place >= width:
            value -= leaving * units[place - width]
        if place >= WINDOW:
            near -= again[place - WINDOW]
        if place >= width - 1 and meet(keys, stamps, last, stamp, scramble(value)):
            again[place] = 1
            repeats += 1
            near += 1
            row += 1
            longest = max(longest, row)
            most = max(most, near)
        else:
            row = 0
    return repeats, longest, most
