"""Which language words and sentences are of, by what is known of each word."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.foreign_words import (
    alone_abroad,
    between_han,
    in_a_name,
    is_of_another_language,
    joins_english,
)
from sa1b_captions.quality.kernels.tags import (
    ABROAD,
    ARTICLE,
    COUNTS,
    ENGLISH,
    GERMAN,
    INTRODUCER,
    KNOWN,
    MEASURE,
    OPENER,
    OTHER,
    PARTICLE,
    PLAIN,
    SHARED,
    USUAL,
)
from sa1b_captions.quality.kernels.words import (
    ACCENTED,
    AFTER_PAUSE,
    AFTER_SIGN,
    CAPITAL,
    GLUED,
    HAN_UNIT,
    IN_QUOTES,
    TRADITIONAL_UNIT,
    WORD,
)

_NEAR_WORDS, _NEAR_CHARACTERS = 3, 8
"""How far behind "a sign reads" its words may begin, in units."""

_NAME_PARTICLES = 3
"""How far behind a capitalised word `in_a_name` looks for particles, in units."""

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
def reach_of(unit_kinds: np.ndarray, introduced: int) -> int:
    """How far behind a word that introduces some those may begin, in units."""
    return _NEAR_WORDS if unit_kinds[introduced] == WORD else _NEAR_CHARACTERS


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
    introduced, reach, capital = -100, 0, -100
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
            near = introduced >= 0 and place - introduced <= reach
            glued = bits & GLUED or (place + 1 < count and unit_bits[place + 1] & GLUED)
            small = not bits & CAPITAL
            # A call costs more than a look, here and below.
            particle = (
                (tag & PARTICLE) != 0
                and place - capital <= _NAME_PARTICLES
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
            own += (tag & KNOWN) != 0
            sure += (tag & KNOWN) != 0 and not tag & SHARED
            small_ones += small and not (tag & KNOWN or near or glued)
            stray_stopwords += (tag & ENGLISH) != 0 and not particle
            if (tag & (PLAIN | USUAL)) != 0 and small and not near and not glued and not particle:
                stray_english += 1
            elif (tag & OPENER) != 0 and first and not near and place + 1 < count:
                # "Overall, 画面很安静": only where Chinese goes on.
                han_next = unit_kinds[place + 1] in (HAN_UNIT, TRADITIONAL_UNIT)
                stray_english += han_next and unit_bits[place + 1] & AFTER_PAUSE != 0
            if (
                tag & GERMAN
                and not (small or near)
                and between_han(unit_kinds, unit_bits, count, place)
            ):
                stray_english += 1  # 远处的Schloss露出塔尖
            if near and not tag & INTRODUCER:
                speaks = False
                if not tag & KNOWN:
                    introduced += 1
                    reach = reach_of(unit_kinds, introduced)
            elif (
                not glued
                and tag & (ABROAD | ARTICLE)
                and alone_abroad(unit_kinds, unit_bits, tags, count, place)
            ):
                abroad += 1
                speaks = True
            elif speaks and small and joins_english(unit_kinds, unit_bits, tags, count, place):
                abroad += 1
            theirs += (
                speaks
                or (small and (tag & ABROAD) != 0)
                or ((bits & ACCENTED) != 0 and small and not near and not tag)
            )
            run = 0 if tag & KNOWN else run + speaks
            longest = max(longest, run)
            strange = small and not near and not glued
            unknown = unknown + 1 if strange and not tag & KNOWN else 0
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
                if introduced >= 0 and place - introduced <= reach:
                    introduced = max(introduced, place - 1)
                    reach = reach_of(unit_kinds, introduced)
                else:
                    stray_han += 1
                    traditional += kind == TRADITIONAL_UNIT
        if tag & INTRODUCER and not bits & IN_QUOTES:
            # 三名工人 names nobody.
            counts = tag & MEASURE and place > 0 and tags[place - 1] & COUNTS
            if not counts:
                introduced, reach = place, reach_of(unit_kinds, place)
        capital = place if bits & CAPITAL else capital
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
