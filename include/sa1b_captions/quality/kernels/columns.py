"""Everything that is counted of captions, over the byte buffers of Arrow strings.

A text is decoded once; every other loop reads its code points, their kinds, or its units.
"""

import numpy as np

from sa1b_captions.quality.kernels.clauses import (
    OPENING_UNITS,
    SENTENCE_UNITS,
    START_CHARACTERS,
    STARTS_REPEATS,
    count_repeated_clauses,
    count_repeated_openings,
    count_repeated_starts,
)
from sa1b_captions.quality.kernels.comma_echoes import count_comma_echoes, list_again
from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.counts import count_signs, longest_run, tally_letters
from sa1b_captions.quality.kernels.echoes import (
    ECHO_UNITS,
    LOOP_UNITS,
    count_stutters,
    longest_echo,
)
from sa1b_captions.quality.kernels.encoding import count_lost
from sa1b_captions.quality.kernels.endings import ends_well
from sa1b_captions.quality.kernels.foreign_words import introduces_all
from sa1b_captions.quality.kernels.language import read_language
from sa1b_captions.quality.kernels.markdown import count_markdown
from sa1b_captions.quality.kernels.quotations import mark_quotations
from sa1b_captions.quality.kernels.repetition import count_repeats
from sa1b_captions.quality.kernels.said_again import count_said_again
from sa1b_captions.quality.kernels.tags import look_up
from sa1b_captions.quality.kernels.talk import count_talks
from sa1b_captions.quality.kernels.templates import find_starts, follow_template
from sa1b_captions.quality.kernels.text import decode
from sa1b_captions.quality.kernels.words import split_units

COLUMNS = (
    "caption_chars",
    "units",
    "letters",
    "foreign",
    "stray_letters",
    "bare_han",
    "stray_foreign",
    "stray_words",
    "stopwords",
    "other_stopwords",
    "stray_stopwords",
    "stray_english",
    "foreign_words",
    "foreign_sentences",
    "latin_run",
    "stray_han",
    "stray_traditional",
    "stutters",
    "line_breaks",
    "brackets",
    "colons",
    "wide_marks",
    "markdown_marks",
    "sentences",
    "repeated_sentences",
    "repeated_clauses",
    "repeats2",
    "local_repeats",
    "repeats10",
    "repeated_run",
    "echo_units",
    "loop_units",
    "character_run",
    "lost_characters",
    "ends_sentence",
    "talks",
)
"""What `measure` counts, in the order of its result's columns."""


@compiled
def measure(
    data: np.ndarray,
    offsets: np.ndarray,
    table: np.ndarray,
    gbk: np.ndarray,
    words: np.ndarray,
    longest: int,
    counts: np.ndarray,
) -> None:
    """Fill `counts` (texts, len(COLUMNS)) int32.

    Args:
        data: UTF-8 bytes of all texts, uint8.
        offsets: where each text begins, and where the last ends, int64.
        table: kind and traits of each code point, as `characters.table` has them, uint16.
        gbk: the bytes that GBK writes it with, uint16.
        words: what is known of words, as `tags.find_tag` reads it, a power of two of slots, uint64.
        longest: bytes of the longest text.
        counts: the result.
    """
    size = 16
    while size < 2 * (longest + 1):
        size *= 2
    keys = np.empty(size, np.uint64)
    stamps = np.zeros(size, np.int64)
    codes = np.empty(longest + 1, np.int32)
    kinds = np.empty(longest + 1, np.uint8)
    traits = np.empty(longest + 1, np.uint16)
    quoted = np.empty(longest + 1, np.uint8)
    places = np.empty(longest + 1, np.int64)
    units = np.empty(longest + 1, np.uint64)
    unit_kinds = np.empty(longest + 1, np.uint8)
    unit_bits = np.empty(longest + 1, np.uint8)
    tags = np.empty(longest + 1, np.uint32)
    again = np.empty(longest + 1, np.uint8)
    ends = np.empty(longest + 1, np.int64)
    starts = np.empty(longest + 2, np.int64)
    for text in range(counts.shape[0]):
        length, found = decode(
            data, offsets[text], offsets[text + 1], table, codes, kinds, traits, places
        )
        signs = places[:found]
        mark_quotations(codes, kinds, traits, length, signs, quoted)
        count, sentences, doubled = split_units(
            codes, kinds, traits, quoted, length, units, unit_kinds, unit_bits, ends
        )
        of_any = look_up(units, unit_kinds, count, words, tags)
        letters, foreign, stray, bare_han, stray_foreign = tally_letters(
            codes, kinds, quoted, length
        )
        if stray_foreign and introduces_all(unit_kinds, unit_bits, tags, count):
            stray_foreign = 0
        language = read_language(units, unit_kinds, unit_bits, tags, count, ends, sentences)
        line_breaks, brackets, colons, wide = count_signs(
            codes, kinds, traits, quoted, length, signs
        )
        stamp = 3 * text + 1
        repeats2, row, local = count_repeats(units, count, 2, keys, stamps, stamp, again)
        # What comes again as a whole comes again two by two: most texts need no closer look.
        repeats10, run, sentences2, clauses2 = 0, 0, 0, 0
        if row >= SENTENCE_UNITS - 1:
            sentences2, clauses2 = count_repeated_clauses(
                units, unit_kinds, unit_bits, tags, count, ends, keys, stamps, stamp + 1
            )
        if row >= START_CHARACTERS - 1 and repeats2 >= STARTS_REPEATS:
            clauses2 += count_repeated_starts(units, unit_kinds, unit_bits, tags, count)
        if row >= OPENING_UNITS - 1:
            clauses2 += count_repeated_openings(
                units, unit_kinds, unit_bits, tags, count, ends, sentences
            )
        clauses2 += count_said_again(units, unit_kinds, unit_bits, tags, count, row, again)
        clauses = find_starts(unit_bits, count, starts)
        templates = follow_template(
            units, unit_kinds, unit_bits, tags, clauses, again, row, repeats2
        )
        if row >= 9:
            repeats10, run, _ = count_repeats(units, count, 10, keys, stamps, stamp + 2, again)
        # A phrase that comes twice at once is as long as the row of pairs that come again.
        periods = row + 1
        echo = longest_echo(units, unit_kinds, unit_bits, tags, count, 1, min(ECHO_UNITS, periods))
        loop = longest_echo(
            units, unit_kinds, unit_bits, tags, count, ECHO_UNITS + 1, min(LOOP_UNITS, periods)
        )
        if loop or echo > 2 * ECHO_UNITS:
            clauses2 = sentences2  # the loop says the rest
        talks = count_talks(units, unit_kinds, unit_bits, tags, count, ends, words, of_any)
        stutters = count_stutters(units, unit_kinds, unit_bits, tags, count, words)
        stutters += count_comma_echoes(units, unit_kinds, unit_bits, tags, clauses, words)
        listed = list_again(units, unit_kinds, unit_bits, tags, clauses, repeats2)
        local = max(local, listed, templates)
        values = (
            length,
            count,
            letters,
            foreign,
            stray,
            bare_han,
            stray_foreign,
            *language,
            stutters + doubled,
            line_breaks,
            brackets,
            colons,
            wide,
            count_markdown(codes, kinds, traits, quoted, length, signs),
            sentences,
            sentences2,
            clauses2,
            repeats2,
            local,
            repeats10,
            run,
            echo,
            loop,
            longest_run(codes, kinds, traits, quoted, length),
            count_lost(codes, kinds, length, signs, gbk),
            np.int64(ends_well(codes, kinds, traits, length)),
            talks,
        )
        for column in range(len(values)):
            counts[text, column] = values[column]
