"""Clauses of one template: the mood is calm and still, the light is calm and still."""

import numpy as np

from sa1b_captions.quality.kernels.comma_echoes import LISTED
from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.tags import CONJUNCTION
from sa1b_captions.quality.kernels.words import AFTER_PAUSE, IN_QUOTES, WORD

_SLOT_WORDS, _SLOT_CHARACTERS = 2, 4
"""Units of what a template leaves open, at most."""

_FRAME_WORDS, _FRAME_CHARACTERS = 4, 5
"""Units of what it keeps, at least."""

_SAME_END, _ANY = 4, 6
"""Clauses in a row that loop: those that all say the same of another thing, and any. Of what is
alike, people name four with the difference at the end: one kite is red, one kite is blue."""

_WHOLE_WORDS, _WHOLE_CHARACTERS, _TIMES = 5, 7, 3
"""Units of a clause that nobody says so many times."""

_ROW, _REPEATS = 2, 8
"""Pairs of units that come again in a row, and in all, where clauses have a template."""


@compiled
def find_starts(unit_bits: np.ndarray, count: int, starts: np.ndarray) -> np.ndarray:
    """Where clauses start, and the end of the last one, as a part of `starts`."""
    starts[0] = 0
    clauses = 1 if count else 0
    for place in range(1, count):
        starts[clauses] = place
        clauses += (unit_bits[place] & AFTER_PAUSE) != 0
    starts[clauses] = count
    return starts[: clauses + 1]


@compiled
def same_end(units: np.ndarray, first: int, first_end: int, later: int, later_end: int) -> int:
    """Units that end both clauses."""
    same, most = 0, min(first_end - first, later_end - later)
    while same < most and units[first_end - 1 - same] == units[later_end - 1 - same]:
        same += 1
    return same


@compiled
def same_begin(units: np.ndarray, first: int, later: int, most: int) -> int:
    """Units that begin both clauses, at most so many."""
    same = 0
    while same < most and units[first + same] == units[later + same]:
        same += 1
    return same


@compiled
def count_same(units: np.ndarray, starts: np.ndarray, clause: int, begin: int) -> int:
    """How often a clause is said up to where it stands, its "and" apart."""
    times = 1
    width = starts[clause + 1] - begin
    for before in range(clause):
        place = starts[before + 1] - width
        # Whether the whole of it, or all but its "and".
        if 0 <= place - starts[before] <= 1 and units[place] == units[begin]:
            times += same_begin(units, begin, place, width) == width
    return times


@compiled
def follow_template(
    units: np.ndarray,
    unit_kinds: np.ndarray,
    unit_bits: np.ndarray,
    tags: np.ndarray,
    starts: np.ndarray,
    again: np.ndarray,
    row: int,
    repeats: int,
) -> int:
    """LISTED where many clauses in a row differ in a slot alone or one is said often, else 0.

    `starts` are of `find_starts`; `again` is where pairs of units end that came before, `row` most
    in a row, `repeats` all of them.
    """
    if row < _ROW or repeats < _REPEATS:
        return 0
    alike_at_end, alike = 1, 1
    before, before_end = 0, 0
    for clause in range(len(starts) - 1):
        start, end = starts[clause], starts[clause + 1]
        word = unit_kinds[start] == WORD
        frame = _FRAME_WORDS if word else _FRAME_CHARACTERS
        slot = _SLOT_WORDS if word else _SLOT_CHARACTERS
        # What is said begins behind an "and".
        begin = start + (word and end > start + 1 and tags[start] & CONJUNCTION != 0)
        width, width_before = end - begin, before_end - before
        most = min(width, width_before)
        fits, behind = False, 0
        # Most clauses are of other lengths.
        if (
            most >= frame
            and max(width, width_before) - most <= slot
            and (units[begin] == units[before] or units[end - 1] == units[before_end - 1])
        ):
            behind = same_end(units, before, before_end, begin, end)
            kept = behind + same_begin(units, before, begin, most - behind)
            fits = kept >= frame and max(width, width_before) - kept <= slot
            fits &= not unit_bits[begin] & IN_QUOTES
        alike = alike + 1 if fits else 1
        alike_at_end = alike_at_end + 1 if fits and behind >= frame else 1
        if alike_at_end >= _SAME_END or alike >= _ANY:
            return LISTED
        whole = _WHOLE_WORDS if word else _WHOLE_CHARACTERS
        if (
            width >= whole
            and again[begin + 1]
            and again[end - 1]
            and not unit_bits[begin] & IN_QUOTES
            and count_same(units, starts, clause, begin) >= _TIMES
        ):
            return LISTED
        before, before_end = begin, end
    return 0
