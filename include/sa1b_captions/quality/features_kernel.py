"""Compiled loops that measure captions, over the byte buffers of Arrow strings.

A text is decoded once; every other loop reads its code points, their kinds, or its units: words,
and characters that are a word by themselves. Constants stand in this file and nowhere else: numba
freezes them into its on-disk cache, and the cache follows this file's time and size only.
"""

import numpy as np
from numba import uint64

from sa1b_captions.quality.compiled import compiled

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

QUOTED_CHARS = 200
"""Characters up to the end of a quotation; an opening mark without an end near quotes nothing."""

TRIPLE_UNITS = 8
"""Units of the longest phrase that is an echo when it comes three times in a row."""

DOUBLE_UNITS = 4
"""The same of a phrase that comes twice, with no punctuation in between."""

SENTENCE_UNITS = 4
"""Units a sentence must have for its repetition to count: "Yes." may come twice."""

# Kinds of characters, as in characters.Kind.
_OTHER, _LATIN, _DIGIT, _MARK, _FOREIGN, _HAN, _KANA, _LOST = 0, 1, 2, 3, 4, 5, 6, 7

# Kinds of units.
_NUMBER, _WORD, _CHARACTER = 0, 1, 2

# What else is known of a unit, as bits.
_AFTER_STOP, _QUOTED = 1, 2

# Tags of stopwords; a stutter is an English one that never comes twice in a row.
_ENGLISH, _OTHER_LANGUAGE, _STUTTER = 1, 2, 3

_SEED = uint64(0xCBF29CE484222325)
_PRIME = uint64(0x100000001B3)
_GOLDEN = uint64(0x9E3779B97F4A7C15)

_SPACES = (0x20, 0x09, 0xA0, 0x3000)
_LINE_BREAKS = (0x0A, 0x0D, 0x0B, 0x0C, 0x85, 0x2028, 0x2029)
_STOPS = (0x2E, 0x21, 0x3F, 0x2026)  # . ! ? and the ellipsis
_WIDE_STOPS = (0x3002, 0xFF01, 0xFF1F, 0xFF0E, 0xFF61)  # the same, full width
_OPENERS = (0x22, 0x27, 0x28, 0x5B, 0xAB, 0x2018, 0x201C, 0x300A, 0x300C, 0x300E, 0x3010, 0xFF08)
_CLOSED_BY = (0x22, 0x27, 0x29, 0x5D, 0xBB, 0x2019, 0x201D, 0x300B, 0x300D, 0x300F, 0x3011, 0xFF09)
"""Marks around what a sign says, or how a name is spelled, and the mark that ends each."""
_APOSTROPHES = (0x27, 0x2019)
_CLOSERS = (0x22, 0x27, 0x29, 0x5D, 0xBB, 0x2019, 0x201D, 0x300B, 0x300D, 0x300F, 0x3011, 0xFF09)
"""Quotation marks and brackets that may follow the end of a sentence, or be it."""


@compiled
def decode(data: np.ndarray, start: int, end: int, codes: np.ndarray) -> int:
    """Write the code points of data[start:end] and count them."""
    count = 0
    place = start
    while place < end:
        lead = np.int32(data[place])
        if lead < 0x80:
            width, code = 1, lead
        elif lead < 0xE0:
            width, code = 2, lead & 0x1F
        elif lead < 0xF0:
            width, code = 3, lead & 0x0F
        else:
            width, code = 4, lead & 0x07
        for following in range(place + 1, min(place + width, end)):
            code = (code << 6) | np.int32(data[following] & 0x3F)
        codes[count] = code
        count += 1
        place += width
    return count


@compiled
def classify(codes: np.ndarray, count: int, table: np.ndarray, kinds: np.ndarray) -> None:
    """Write the kind of each code point."""
    for place in range(count):
        code = codes[place]
        kinds[place] = table[code] if code < table.shape[0] else _LOST


@compiled
def joins(kind: int) -> bool:
    """Whether a character of this kind is part of a word."""
    return _LATIN <= kind <= _FOREIGN


@compiled
def mark_quotations(codes: np.ndarray, kinds: np.ndarray, count: int, quoted: np.ndarray) -> None:
    """Write whether each character stands in quotation marks or brackets."""
    quoted[:count] = 0
    place = 0
    while place < count:
        if kinds[place] != _OTHER:
            place += 1
            continue
        closer = 0
        for mark in range(len(_OPENERS)):
            if codes[place] == _OPENERS[mark]:
                closer = _CLOSED_BY[mark]
        if closer in _APOSTROPHES and place > 0 and joins(kinds[place - 1]):
            closer = 0  # of a genitive
        if closer:
            for end in range(place + 1, min(count, place + QUOTED_CHARS)):
                inside_word = closer in _APOSTROPHES and end + 1 < count and joins(kinds[end + 1])
                if codes[end] == closer and not inside_word:
                    quoted[place : end + 1] = 1
                    place = end
                    break
        place += 1


@compiled
def fold(code):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Lower-case a letter of ASCII or Latin-1."""
    if 0x41 <= code <= 0x5A or (0xC0 <= code <= 0xDE and code != 0xD7):
        return code + 0x20
    return code


@compiled
def scramble(value):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Spread a hash over all its bits, so that the lowest may choose a slot."""
    value = (value ^ (value >> uint64(32))) * _GOLDEN
    return value ^ (value >> uint64(29))


@compiled
def ends_a_sentence(codes: np.ndarray, count: int, place: int) -> bool:
    """Whether a sentence ends here: a decimal point has a digit behind it, a stop a space."""
    code = codes[place]
    if code in _WIDE_STOPS or code in _LINE_BREAKS:
        return True
    if code not in _STOPS:
        return False
    if place + 1 == count:
        return True
    following = codes[place + 1]
    return following in _SPACES or following in _CLOSERS or following in _LINE_BREAKS


@compiled
def split_units(
    codes: np.ndarray,
    kinds: np.ndarray,
    quoted: np.ndarray,
    count: int,
    units: np.ndarray,
    unit_kinds: np.ndarray,
    unit_bits: np.ndarray,
    sentence_ends: np.ndarray,
) -> tuple[int, int]:
    """Write a hash, a kind and bits per unit, and the units before each sentence's end."""
    unit = 0
    sentence = 0
    ended = 0
    value = _SEED
    inside = False
    kind_of_word = _NUMBER
    stop = 0
    for place in range(count + 1):
        kind = kinds[place] if place < count else 0
        if joins(kind) and (inside or kind != _MARK):
            value = (value ^ uint64(fold(codes[place]))) * _PRIME
            inside = True
            if kind in (_LATIN, _FOREIGN):
                kind_of_word = _WORD
            continue
        if inside:
            units[unit] = scramble(value)
            unit_kinds[unit] = kind_of_word
            unit_bits[unit] = stop | (_QUOTED if quoted[place - 1] else 0)
            unit += 1
            value = _SEED
            inside = False
            kind_of_word = _NUMBER
            stop = 0
        if kind in (_HAN, _KANA):
            units[unit] = scramble((_SEED ^ uint64(codes[place])) * _PRIME)
            unit_kinds[unit] = _CHARACTER
            unit_bits[unit] = stop | (_QUOTED if quoted[place] else 0)
            unit += 1
            stop = 0
            continue
        if place < count and codes[place] not in _SPACES:
            stop = _AFTER_STOP
        if unit > ended and (place == count or ends_a_sentence(codes, count, place)):
            sentence_ends[sentence] = unit
            sentence += 1
            ended = unit
    return unit, sentence


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
        leaving *= _GOLDEN
    repeats = 0
    value = uint64(0)
    for place in range(count):
        value = value * _GOLDEN + units[place]
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
            value = value * _GOLDEN + units[place]
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
                stopped = period > DOUBLE_UNITS or (unit_bits[place] & _AFTER_STOP) != 0
            run += 1
            counted += unit_kinds[place] != _NUMBER
            if counted > longest and run >= (2 * period if stopped else period):
                longest = counted
    return longest


@compiled
def longest_run(codes: np.ndarray, kinds: np.ndarray, count: int) -> int:
    """Most equal characters in a row, or most signs of a pattern as in =-=-=-; spaces apart."""
    longest = 0
    run = 0
    signs = 0
    previous = np.int32(-1)
    before = np.int32(-1)
    for place in range(count):
        code = codes[place]
        if kinds[place] == _OTHER and code in _SPACES:
            continue
        run = run + 1 if code == previous else 1
        if kinds[place] != _OTHER:
            signs = 0
        elif code == before and signs >= 2:
            signs += 1
        else:
            signs = min(signs + 1, 2)
        before = previous
        previous = code
        longest = max(longest, run, signs)
    return longest


@compiled
def count_lost(codes: np.ndarray, kinds: np.ndarray, count: int) -> int:
    """Characters that stand for none, and pairs that UTF-8 read as Latin-1 or cp1252 leaves."""
    lost = 0
    for place in range(count):
        if kinds[place] == _LOST:
            lost += 1
        elif place:
            before, code = codes[place - 1], codes[place]
            latin = (before == 0xC2 or before == 0xC3) and 0xA0 <= code <= 0xBF
            quotes = before == 0xE2 and code == 0x20AC
            emoji = before == 0xF0 and code == 0x178
            lost += latin or quotes or emoji
    return lost


@compiled
def starts_block(codes: np.ndarray, count: int, place: int) -> bool:
    """Whether a line that begins here begins as a heading, list, quotation, table or object."""
    code = codes[place]
    if code == 0x7B or code == 0x7C:  # { |
        return True
    after = place + 1
    if code == 0x23:  # 1 to 6 signs of a heading
        while after < count and codes[after] == 0x23:
            after += 1
        if after - place > 6:
            return False
    elif 0x30 <= code <= 0x39:  # "1." or "12)"
        if after < count and 0x30 <= codes[after] <= 0x39:
            after += 1
        if after == count or (codes[after] != 0x2E and codes[after] != 0x29):
            return False
        after += 1
    elif code not in (0x2D, 0x2A, 0x2B, 0x3E, 0x2022):  # - * + > and the bullet
        return False
    return after < count and codes[after] in _SPACES


@compiled
def count_markdown(codes: np.ndarray, kinds: np.ndarray, count: int) -> int:
    """Marks of Markdown or JSON: starts of blocks, bold, fences, links."""
    marks = 0
    at_start = True
    for place in range(count):
        code = codes[place]
        if kinds[place] != _OTHER and not at_start:
            continue
        if code in _LINE_BREAKS:
            at_start = True
            continue
        if code in _SPACES:
            continue
        if at_start:
            marks += starts_block(codes, count, place)
            at_start = False
        if place + 2 >= count:
            continue
        following, third = codes[place + 1], codes[place + 2]
        if code == 0x2A and following == 0x2A:  # ** before a word, not inside one
            inside = place > 0 and (kinds[place - 1] == _LATIN or codes[place - 1] == 0x2A)
            marks += not inside and third != 0x2A and third not in _SPACES
        marks += code == 0x60 and following == 0x60 and third == 0x60  # ```
        marks += code == 0x5D and following == 0x28 and third not in _SPACES  # ](
    return marks


@compiled
def ends_well(codes: np.ndarray, count: int) -> bool:
    """Whether the last character that is no space can end a sentence or a quotation."""
    place = count - 1
    while place >= 0 and (codes[place] in _SPACES or codes[place] in _LINE_BREAKS):
        place -= 1
    if place < 0:
        return False
    code = codes[place]
    return code in _STOPS or code in _WIDE_STOPS or code in _CLOSERS


@compiled
def count_stopwords(
    units: np.ndarray,
    unit_kinds: np.ndarray,
    unit_bits: np.ndarray,
    count: int,
    keys: np.ndarray,
    tags: np.ndarray,
) -> tuple[int, int, int, int, int]:
    """Words; English function words, those of other languages, English unquoted, stutters."""
    words = 0
    english = 0
    other = 0
    stray = 0
    stutters = 0
    last = keys.shape[0] - 1
    for place in range(count):
        if unit_kinds[place] != _WORD:
            continue
        words += 1
        slot = np.int64(units[place] & uint64(last))
        while tags[slot] and keys[slot] != units[place]:
            slot = (slot + 1) & last
        tag = tags[slot]
        other += tag == _OTHER_LANGUAGE
        if tag in (_ENGLISH, _STUTTER):
            english += 1
            stray += (unit_bits[place] & _QUOTED) == 0
        if tag == _STUTTER and place > 0 and unit_bits[place] == 0:
            stutters += units[place] == units[place - 1]
    return words, english, other, stray, stutters


@compiled
def tally_letters(
    kinds: np.ndarray, quoted: np.ndarray, count: int
) -> tuple[int, int, int, int, int]:
    """Letters; Han and foreign ones, and how many of each stand in no quotation."""
    latin = 0
    han = 0
    foreign = 0
    stray_han = 0
    stray_foreign = 0
    for place in range(count):
        kind = kinds[place]
        latin += kind == _LATIN
        if kind == _HAN:
            han += 1
            stray_han += quoted[place] == 0
        elif kind in (_FOREIGN, _KANA):
            foreign += 1
            stray_foreign += quoted[place] == 0
    return latin + han + foreign, han, foreign, stray_han, stray_foreign


@compiled
def count_codes(codes: np.ndarray, kinds: np.ndarray, count: int) -> tuple[int, int]:
    """Line breaks, and brackets that may open a tag."""
    line_breaks = 0
    brackets = 0
    for place in range(count):
        if kinds[place] == _OTHER:
            line_breaks += codes[place] in _LINE_BREAKS
            brackets += codes[place] in (0x3C, 0x5B)
    return line_breaks, brackets


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
