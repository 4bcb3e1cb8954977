"""Words of other languages and scripts, and names that are none."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.tags import (
    ABROAD,
    ARTICLE,
    ENGLISH,
    GERMAN,
    INTRODUCER,
    KNOWN,
    NOUN,
    OTHER,
    PARTICLE,
    PLAIN,
    SCRIPT,
    STUTTER,
    SUBJECT,
    USUAL,
)
from sa1b_captions.quality.kernels.words import (
    AFTER_PAUSE,
    AFTER_SIGN,
    CAPITAL,
    FOREIGN_WORD,
    GLUED,
    HAN_UNIT,
    IN_QUOTES,
    KANA_UNIT,
    WORD,
)


@compiled
def introduces_all(
    unit_kinds: np.ndarray, unit_bits: np.ndarray, tags: np.ndarray, count: int
) -> bool:
    """Whether all words of other scripts are quoted, or just introduced: "the Greek word ΝΑΙ"."""
    introduced, said = False, False
    for place in range(count):
        bits = unit_bits[place]
        introduced &= not bits & AFTER_PAUSE
        kana = unit_kinds[place] == KANA_UNIT
        foreign = kana or unit_kinds[place] == FOREIGN_WORD
        by_han = place > 0 and unit_kinds[place - 1] == HAN_UNIT
        if foreign and not (introduced and not (kana and by_han)) and not bits & IN_QUOTES:
            return False
        said |= foreign and introduced
        if unit_kinds[place] == HAN_UNIT:  # 写着, 印有
            introduced &= tags[place] & STUTTER != 0
            introduced |= tags[place] & INTRODUCER != 0
        else:
            introduced = foreign
        introduced |= tags[place] & SCRIPT != 0
    return said  # foreign letters within Latin words are no word


@compiled
def in_a_name(
    unit_kinds: np.ndarray, unit_bits: np.ndarray, tags: np.ndarray, count: int, place: int
) -> bool:
    """Whether a word is a particle between two capitalised ones, as in Place de la Concorde."""
    before = place - 1
    while before >= 0 and before > place - 3 and tags[before] & PARTICLE:
        if unit_bits[before] & CAPITAL:
            break
        before -= 1
    after = place + 1
    while after < count and after < place + 3 and tags[after] & PARTICLE:
        if unit_bits[after] & CAPITAL:
            break
        after += 1
    if before < 0 or after >= count:
        return False
    between = unit_bits[before] & CAPITAL and unit_bits[after] & CAPITAL
    return between and unit_kinds[before] == WORD and not unit_bits[place] & AFTER_PAUSE


@compiled
def begins_a_phrase(
    unit_kinds: np.ndarray, unit_bits: np.ndarray, tags: np.ndarray, count: int, place: int
) -> bool:
    """Whether a foreign article stands before a word that English does not use: une dame."""
    after = place + 1
    if after == count or unit_kinds[after] != WORD or unit_bits[place] & CAPITAL:
        return False
    if unit_bits[after] & (AFTER_SIGN | CAPITAL | IN_QUOTES) or tags[after] & KNOWN:
        return False
    return bool((tags[after] & (PLAIN | USUAL)) == 0 or (tags[after] & (OTHER | ABROAD)) != 0)


@compiled
def alone_abroad(
    unit_kinds: np.ndarray, unit_bits: np.ndarray, tags: np.ndarray, count: int, place: int
) -> bool:
    """Whether a foreign word stands among English ones and is no part of a name."""
    if tags[place] & ARTICLE:
        return begins_a_phrase(unit_kinds, unit_bits, tags, count, place)
    if not tags[place] & ABROAD:
        return False
    if (
        place + 1 < count
        and unit_bits[place + 1] & CAPITAL
        and not unit_bits[place + 1] & AFTER_PAUSE
    ):
        return False
    capital = unit_bits[place] & CAPITAL
    if place == 0:
        return bool(capital == 0)
    if unit_bits[place - 1] & CAPITAL and not unit_bits[place] & AFTER_PAUSE:
        # "The perro", not "Bar perro".
        return bool(capital == 0 and tags[place - 1] & ENGLISH != 0)
    if capital == 0:
        return True
    if tags[place] & NOUN and tags[place - 1] & STUTTER and tags[place - 1] & SUBJECT:
        return not unit_bits[place] & AFTER_SIGN  # the Geländer
    return (
        tags[place] & GERMAN != 0
        and not unit_bits[place] & AFTER_SIGN
        and (tags[place - 1] & KNOWN or (unit_bits[place - 1] & GLUED and place > 1)) != 0
    )


@compiled
def between_han(unit_kinds: np.ndarray, unit_bits: np.ndarray, count: int, place: int) -> bool:
    """Whether a word stands alone within a Chinese clause: no name of two words, no sign beside."""
    if not 0 < place < count - 1 or unit_kinds[place - 1] != HAN_UNIT:
        return False
    return unit_kinds[place + 1] == HAN_UNIT and not (
        (unit_bits[place] | unit_bits[place + 1]) & AFTER_SIGN
    )


@compiled
def joins_english(
    unit_kinds: np.ndarray, unit_bits: np.ndarray, tags: np.ndarray, count: int, place: int
) -> bool:
    """Whether a foreign function word joins English ones: follows con a stick."""
    if not 0 < place < count - 1 or unit_kinds[place + 1] != WORD:
        return False
    article = tags[place + 1] & STUTTER and tags[place + 1] & SUBJECT
    if not article or (unit_bits[place] | unit_bits[place + 1]) & (AFTER_SIGN | IN_QUOTES):
        return False
    before = tags[place - 1] & (KNOWN | USUAL) != 0 and not unit_bits[place - 1] & CAPITAL
    return before and not unit_bits[place + 1] & CAPITAL


@compiled
def is_of_another_language(tags: np.ndarray, first: int, end: int) -> bool:
    """Whether two words of some are known to be another language's, one more than a particle."""
    known, telling = 0, 0
    for place in range(first, end):
        if tags[place] & (OTHER | ABROAD):
            known += 1
            telling += not tags[place] & PARTICLE
    return known >= 2 and telling > 0
