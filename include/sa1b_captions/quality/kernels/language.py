"""Which language words and sentences are of, by what is known of each word."""

import numpy as np
from numba import uint64

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.words import (
    ACCENTED,
    AFTER_PAUSE,
    AFTER_SIGN,
    CAPITAL,
    FOREIGN_WORD,
    GLUED,
    HAN_UNIT,
    IN_QUOTES,
    KANA_UNIT,
    NUMBER,
    TRADITIONAL_UNIT,
    WORD,
)

# What is known of a word, as bits of vocabulary.Tag.
ENGLISH, OTHER, STUTTER, COMMON, ABROAD, GERMAN = 1, 2, 4, 8, 16, 32
SUBJECT, FINITE, INTRODUCER, CONJUNCTION, ADVERBIAL, ONE = 64, 128, 256, 512, 1024, 2048
PLAIN, PARTICLE, SHARED, OPENER = 4096, 8192, 16384, 32768
TWICE, COUNTS, JOINS, SCRIPT = 65536, 131072, 262144, 524288
TALK_SHIFT, TALKS = 20, 4194304
ACROSS, MEASURE = 8388608, 16777216
_KNOWN = ENGLISH | COMMON

_NEAR_WORDS, _NEAR_CHARACTERS = 3, 8
"""How far behind "a sign reads" its words may begin, in units."""

_FEWEST_WORDS = 3
"""Of a sentence in another language."""

_FOREIGN_RUN = 3
"""Foreign words in one clause, no English one between them, that nobody borrows."""

_CLAUSE_RUN = 4
"""Lower-case words in a row, none English, that are a clause of another language if two of them are
known to be its own and one is more than a particle: carne asada con arroz is a dish."""

_UNKNOWN_RUN = 8
"""Lower-case words in a row of which no English sentence lacks a known one."""


@compiled
def find_tag(value: np.uint64, keys: np.ndarray, known: np.ndarray) -> int:
    """What is known of a unit or a pair of units, by its hash."""
    last = keys.shape[0] - 1
    slot = np.int64(uint64(value) & uint64(last))
    while known[slot] and keys[slot] != value:
        slot = (slot + 1) & last
    return int(known[slot])


@compiled
def look_up(
    units: np.ndarray,
    unit_kinds: np.ndarray,
    count: int,
    keys: np.ndarray,
    known: np.ndarray,
    tags: np.ndarray,
) -> int:
    """Write what is known of each unit; return what is known of any."""
    of_any = 0
    for place in range(count):
        number = unit_kinds[place] == NUMBER
        tag = 0 if number else find_tag(units[place], keys, known)
        tags[place] = tag
        of_any |= tag
    return of_any


@compiled
def introduces_all(
    unit_kinds: np.ndarray, unit_bits: np.ndarray, tags: np.ndarray, count: int
) -> bool:
    """Whether all words of other scripts are quoted, or just introduced: "the Greek word ΝΑΙ"."""
    introduced, said = False, False
    for place in range(count):
        bits = unit_bits[place]
        introduced &= not bits & AFTER_PAUSE
        foreign = unit_kinds[place] in (KANA_UNIT, FOREIGN_WORD)
        if foreign and not introduced and not bits & IN_QUOTES:
            return False
        said |= foreign and introduced
        introduced = foreign or tags[place] & SCRIPT != 0
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
def alone_abroad(unit_bits: np.ndarray, tags: np.ndarray, count: int, place: int) -> bool:
    """Whether a foreign word stands among English ones and is no part of a name."""
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
    return (
        tags[place] & GERMAN != 0
        and not unit_bits[place] & AFTER_SIGN
        and (tags[place - 1] & _KNOWN or (unit_bits[place - 1] & GLUED and place > 1)) != 0
    )


@compiled
def is_of_another_language(tags: np.ndarray, first: int, end: int) -> bool:
    """Whether two words of some are known to be another language's, one more than a particle."""
    known, telling = 0, 0
    for place in range(first, end):
        if tags[place] & (OTHER | ABROAD):
            known += 1
            telling += not tags[place] & PARTICLE
    return known >= 2 and telling > 0


@compiled
def read_language(  # noqa: C901  # one pass, or it costs twice as much
    units: np.ndarray,
    unit_kinds: np.ndarray,
    unit_bits: np.ndarray,
    tags: np.ndarray,
    count: int,
    sentence_ends: np.ndarray,
    sentences: int,
) -> tuple[int, int, int, int, int, int, int, int, int, int]:
    """Count words outside quotations.

    Returns:
        Words; English function words; those of other languages; English ones that are not part of
        a name; English words of any kind in lower case; foreign words alone among English ones;
        sentences or clauses in another language; most lower-case words in a row that are not said
        to be a sign's; Han letters, and traditional ones, that are not either.
    """
    words, english, other, stray_stopwords, stray_english, abroad = 0, 0, 0, 0, 0, 0
    foreign_sentences, latin_run, stray_han, traditional = 0, 0, 0, 0
    introduced = -100
    sentence = 0
    parted = False
    own, sure, small_ones, theirs, said, run, longest, unknown, longest_unknown, lower = (0,) * 10
    clauses = 0
    for place in range(count):
        bits = unit_bits[place]
        kind = unit_kinds[place]
        tag = tags[place]
        if bits & AFTER_PAUSE:
            introduced = -100
            run, unknown = 0, 0
            parted |= said > 0
        if bits & IN_QUOTES:
            lower, run, unknown = 0, 0, 0
        elif kind == WORD:
            reach = _NEAR_WORDS
            if introduced >= 0 and unit_kinds[introduced] != WORD:
                reach = _NEAR_CHARACTERS
            near = place - introduced <= reach
            glued = bits & GLUED or (place + 1 < count and unit_bits[place + 1] & GLUED)
            small = not bits & CAPITAL
            particle = (
                (tag & PARTICLE) != 0
                and place > 0
                and (unit_bits[place - 1] & CAPITAL or tags[place - 1] & PARTICLE) != 0
                and in_a_name(unit_kinds, unit_bits, tags, count, place)
            )
            words += 1
            said += 1
            english += tag & ENGLISH
            # A name may begin a sentence with a particle: "El Capitan rises".
            first = place == 0 or bits & AFTER_PAUSE
            speaks = (tag & OTHER) != 0 and not particle and not glued and (small or first)
            if speaks and not small:
                # Letters and keys stand between two pauses: Q, W, E, R.
                speaks = place + 1 < count and not unit_bits[place + 1] & AFTER_PAUSE
            other += speaks
            own += (tag & _KNOWN) != 0
            sure += (tag & _KNOWN) != 0 and not tag & SHARED
            small_ones += small and not tag & _KNOWN
            stray_stopwords += (tag & ENGLISH) != 0 and not particle
            if (tag & PLAIN) != 0 and small and not near and not glued and not particle:
                stray_english += 1
            elif (tag & OPENER) != 0 and first and not near and place + 1 < count:
                # "Overall, 画面很安静": only where Chinese goes on.
                han_next = unit_kinds[place + 1] in (HAN_UNIT, TRADITIONAL_UNIT)
                stray_english += han_next and unit_bits[place + 1] & AFTER_PAUSE != 0
            if near and not tag & INTRODUCER:
                speaks = False
                introduced += not tag & _KNOWN
            elif not glued and alone_abroad(unit_bits, tags, count, place):
                abroad += 1
                speaks = True
            theirs += (
                speaks
                or (small and (tag & ABROAD) != 0)
                or ((bits & ACCENTED) != 0 and small and not near and not tag)
            )
            run = 0 if tag & _KNOWN else run + speaks
            longest = max(longest, run)
            strange = small and not near and not glued
            unknown = unknown + 1 if strange and not tag & _KNOWN else 0
            longest_unknown = max(longest_unknown, unknown)
            if unknown >= _CLAUSE_RUN:
                clauses += is_of_another_language(tags, place + 1 - unknown, place + 1)
            if strange and place > 0 and units[place] != units[place - 1]:
                # A particle joins: café au lait.
                lower = (lower if not bits & AFTER_SIGN else 0) + (tag & PARTICLE == 0)
            elif not strange:
                lower = 0
            latin_run = max(latin_run, lower)
        else:
            lower, unknown = 0, 0
            if kind in (HAN_UNIT, TRADITIONAL_UNIT):
                reach = _NEAR_WORDS
                if introduced >= 0 and unit_kinds[introduced] != WORD:
                    reach = _NEAR_CHARACTERS
                if place - introduced <= reach:
                    introduced = max(introduced, place - 1)
                else:
                    stray_han += 1
                    traditional += kind == TRADITIONAL_UNIT
        if tag & INTRODUCER and not bits & IN_QUOTES:
            # 三名工人 names nobody.
            counts = tag & MEASURE and place > 0 and tags[place - 1] & COUNTS
            introduced = introduced if counts else place
        if sentence < sentences and place + 1 == sentence_ends[sentence]:
            outnumbered = said >= _FEWEST_WORDS and theirs >= 2 and theirs > own
            # No word that only English has, and one of another language, or no English word at all.
            strangers = (
                small_ones >= 2
                and sure == 0
                and (
                    (theirs >= 1 and said >= _FEWEST_WORDS)
                    or (own == 0 and said > _FEWEST_WORDS and not parted)
                )
            )
            foreign_sentences += (
                outnumbered
                or strangers
                or longest >= _FOREIGN_RUN
                or longest_unknown >= _UNKNOWN_RUN
                or clauses > 0
            )
            own, sure, small_ones, theirs, said = 0, 0, 0, 0, 0
            parted = False
            run, longest, unknown, longest_unknown = 0, 0, 0, 0
            clauses = 0
            sentence += 1
    return (
        words,
        english,
        other,
        stray_stopwords,
        stray_english,
        abroad,
        foreign_sentences,
        latin_run,
        stray_han,
        traditional,
    )
