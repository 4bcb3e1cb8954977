"""What is known of words, for the kernels: each with the tags that loops ask for."""

import enum

from sa1b_captions.quality.lexicon import (
    abroad,
    english_words,
    han_words,
    pictured,
    talk_words,
    usual,
)
from sa1b_captions.quality.lexicon.slips import SLIPS
from sa1b_captions.quality.lexicon.stopwords import ENGLISH, FOREIGN, STUTTERS


class Tag(enum.IntFlag):
    """What is known of a word, as `kernels.tags` has it."""

    ENGLISH = 1
    OTHER = 2
    STUTTER = 4
    COMMON = 8
    ABROAD = 16
    GERMAN = 32
    SUBJECT = 64
    FINITE = 128
    INTRODUCER = 256
    CONJUNCTION = 512
    ADVERBIAL = 1024
    ONE = 2048  # 一, which reduplicates: 一朵一朵
    PLAIN = 4096  # never in Chinese but by a slip
    PARTICLE = 8192  # inside a name: Place de la Concorde
    SHARED = 16384  # an English one that other languages spell alike
    OPENER = 32768  # before a comma, a sentence's first word: Overall,
    TWICE = 65536  # may come twice: that that, tuk tuk, 研究研究
    COUNTS = 131072  # may come twice with what it counts: 一朵一朵, 大片大片
    JOINS = 262144  # between a word and itself: row after row
    SCRIPT = 524288  # names a script, before a word in it: the Greek word ΝΑΙ
    TALK = 1048576  # times 1 to 3: how much it tells of talk
    TALKS = 4194304  # first letter of a pair that does
    ACROSS = 8388608  # a word whose letter may meet its like in the next one: 目的的
    MEASURE = 16777216  # between a number and what it counts: 两位
    ARTICLE = 33554432  # of another language, before a noun: une dame
    NOUN = 67108864  # with a capital letter, German behind an article
    SERIES = 134217728  # may come twice in a list: red, red and white
    HALTS = 268435456  # never comes twice, a comma between: wearing, wearing
    SINGLE = 536870912  # measures one thing: 一个
    USUAL = 1073741824  # English, and in Chinese only by a slip


def tags() -> dict[str, int]:
    """What is known of each word, in lower case."""
    found: dict[str, int] = {}
    common = english_words.COMMON
    slips = ENGLISH | STUTTERS | common | SLIPS | pictured.ENGLISH
    slips |= abroad.ABROAD | abroad.STRONG | _plurals()
    for tag, words in (
        (Tag.ENGLISH, ENGLISH | STUTTERS),
        (Tag.OTHER, FOREIGN),
        (Tag.STUTTER, STUTTERS | han_words.STUTTERS),
        (Tag.COMMON, common),
        (Tag.ABROAD, abroad.ABROAD | abroad.STRONG),
        (Tag.GERMAN, abroad.GERMAN),
        (Tag.SUBJECT, english_words.SUBJECTS),
        (Tag.FINITE, english_words.FINITE),
        (Tag.INTRODUCER, english_words.INTRODUCERS | han_words.INTRODUCERS),
        (Tag.CONJUNCTION, english_words.CONJUNCTIONS | han_words.CONJUNCTIONS),
        (Tag.ADVERBIAL, han_words.ADVERBIALS),
        (Tag.ONE, frozenset("一")),
        (Tag.PARTICLE, english_words.PARTICLES),
        (Tag.SHARED, english_words.SHARED),
        (Tag.OPENER, english_words.OPENERS),
        (Tag.PLAIN, slips - english_words.AMONG_CHINESE),
        (Tag.SCRIPT, english_words.SCRIPTS | han_words.SCRIPTS),
        (Tag.ARTICLE, abroad.ARTICLES),
        (Tag.NOUN, usual.GERMAN),
        (Tag.SERIES, english_words.SERIES | han_words.SERIES),
        (Tag.HALTS, english_words.HALTS | _participles() | han_words.HALTS),
        (Tag.TALKS, frozenset(pair[0] for pair in talk_words.PAIR_WEIGHTS)),
        (Tag.TWICE, english_words.TWICE),
        (Tag.COUNTS, han_words.COUNTS),
        (Tag.JOINS, english_words.JOINS | frozenset("地")),
        (Tag.MEASURE, han_words.MEASURES),
        (Tag.SINGLE, han_words.SINGLE),
        (Tag.USUAL, usual.ENGLISH - english_words.AMONG_CHINESE),
    ):
        for word in words:
            found[word] = found.get(word, 0) | tag
    for word, weight in talk_words.WEIGHTS.items():
        found[word] = found.get(word, 0) | weight * Tag.TALK
    return found


def _plurals() -> set[str]:
    """English words with an s behind them, less brands that read so."""
    return {f"{word}s" for word in usual.ENGLISH if word[-1] != "s"} - english_words.BRANDS


def _participles() -> set[str]:
    """English verbs in -ing, less what also tells how something looks."""
    words = english_words.COMMON | usual.ENGLISH
    return {word for word in words if word.endswith("ing")} - english_words.LOOKS


def pair_tags() -> dict[str, int]:
    """What is known of pairs of Han letters."""
    found: dict[str, int] = dict.fromkeys(han_words.PAIRS, Tag.TWICE)
    for pair in han_words.ACROSS:
        found[pair] = found.get(pair, 0) | Tag.ACROSS
    for pair in han_words.CONJUNCTION_PAIRS:
        found[pair] = found.get(pair, 0) | Tag.CONJUNCTION
    for pair, weight in talk_words.PAIR_WEIGHTS.items():
        found[pair] = found.get(pair, 0) | weight * Tag.TALK
    return found
