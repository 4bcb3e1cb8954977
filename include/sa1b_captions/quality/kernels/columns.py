"""Everything that is counted of captions, over the byte buffers of Arrow strings.

A text is decoded once; every other loop reads its code points, their kinds, or its units.
"""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.counts import (
    count_codes,
    count_lost,
    count_stopwords,
    longest_run,
    tally_letters,
)
from sa1b_captions.quality.kernels.markdown import count_markdown
from sa1b_captions.quality.kernels.quotations import mark_quotations
from sa1b_captions.quality.kernels.repetition import (
    count_repeated_sentences,
    count_repeats,
    longest_echo,
)
from sa1b_captions.quality.kernels.text import classify, decode, ends_well
from sa1b_captions.quality.kernels.words import split_units

COLUMNS = (
    "caption_chars",
    "units",
    "letters",
    "han",
    "foreign",
    "stray_han",
    "stray_foreign",
    "words",
    "stopwords",
    "other_stopwords",
    "stray_stopwords",
    "stutters",
    "line_breaks",
    "markdown_marks",
    "brackets",
    "sentences",
    "repeated_sentences",
    "repeats2",
    "repeats10",
    "echo_units",
    "character_run",
    "lost_characters",
    "ends_sentence",
)
"""What `measure` counts, in the order of its result's columns."""


@compiled
def measure(
    data: np.ndarray,
    offsets: np.ndarray,
    table: np.ndarray,
    stopword_keys: np.ndarray,
    stopword_tags: np.ndarray,
    longest: int,
    counts: np.ndarray,
) -> None:
    """Fill `counts` (texts, len(COLUMNS)) int32.

    Args:
        data: UTF-8 bytes of all texts, uint8.
        offsets: where each text begins, and where the last ends, int64.
        table: kind of each code point, uint8.
        stopword_keys: a set of unit hashes, a power of two of slots, uint64.
        stopword_tags: of each slot, uint8: 0 empty, 1 English, 2 another language, 3 English and
            never twice in a row.
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
    quoted = np.empty(longest + 1, np.uint8)
    units = np.empty(longest + 1, np.uint64)
    unit_kinds = np.empty(longest + 1, np.uint8)
    unit_bits = np.empty(longest + 1, np.uint8)
    ends = np.empty(longest + 1, np.int64)
    for text in range(counts.shape[0]):
        length = decode(data, offsets[text], offsets[text + 1], codes)
        classify(codes, length, table, kinds)
        mark_quotations(codes, kinds, length, quoted)
        count, sentences = split_units(
            codes, kinds, quoted, length, units, unit_kinds, unit_bits, ends
        )
        letters, han, foreign, stray_han, stray_foreign = tally_letters(kinds, quoted, length)
        words, english, other, stray_stopwords, stutters = count_stopwords(
            units, unit_kinds, unit_bits, count, stopword_keys, stopword_tags
        )
        line_breaks, brackets = count_codes(codes, kinds, length)
        stamp = 3 * text + 1
        values = (
            length,
            count,
            letters,
            han,
            foreign,
            stray_han,
            stray_foreign,
            words,
            english,
            other,
            stray_stopwords,
            stutters,
            line_breaks,
            count_markdown(codes, kinds, length),
            brackets,
            sentences,
            count_repeated_sentences(units, ends, sentences, keys, stamps, stamp),
            count_repeats(units, count, 2, keys, stamps, stamp + 1),
            count_repeats(units, count, 10, keys, stamps, stamp + 2),
            longest_echo(units, unit_kinds, unit_bits, count),
            longest_run(codes, kinds, length),
            count_lost(codes, kinds, length),
            np.int64(ends_well(codes, length)),
        )
        for column in range(len(values)):
            counts[text, column] = values[column]
