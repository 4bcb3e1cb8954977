"""Sentences whose words are of the task, not of an image."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.tags import TALK_SHIFT, TALKS, find_tag
from sa1b_captions.quality.kernels.words import AFTER_SIGN, HAN_UNIT, IN_QUOTES, pair

_TALK, _MOST = 3, 2
"""Weight of a sentence that talks, and of some word of it."""

MAY_TALK = _MOST << TALK_SHIFT | TALKS
"""Tags of which a text has one if it talks."""


@compiled
def count_talks(
    units: np.ndarray,
    unit_kinds: np.ndarray,
    unit_bits: np.ndarray,
    tags: np.ndarray,
    count: int,
    sentence_ends: np.ndarray,
    words: np.ndarray,
    of_any: int,
) -> int:
    """Sentences whose words are of the task, its rules or its words, not of an image."""
    talks, sentence, first = 0, 0, 0
    if not of_any & MAY_TALK:
        return 0
    weight, most = 0, 0
    for place in range(count):
        tag = tags[place]
        if tag & (TALKS | 3 << TALK_SHIFT) and not unit_bits[place] & IN_QUOTES:
            # English words among Chinese ones are slips or signs.
            han = unit_kinds[place] == HAN_UNIT
            if han and place + 1 < count and not unit_bits[place + 1] & AFTER_SIGN:
                tag = find_tag(pair(units[place], units[place + 1]), words)
            elif han or unit_kinds[first] == HAN_UNIT:
                tag = 0
            tells = tag >> TALK_SHIFT & 3
            weight += tells
            most = max(most, tells)
        if place + 1 == sentence_ends[sentence]:
            talks += weight >= _TALK and most >= _MOST
            weight, most = 0, 0
            sentence += 1
            first = place + 1
    return talks
