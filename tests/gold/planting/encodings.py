"""Text that was written in one encoding and read in another, and characters nobody sees."""

import random

from tests.gold.planting.base import Base, Plant, defect, inner_places

_SIDE: tuple[str, ...] = (
    "wrong_language",
    "foreign_script",
    "missing_end",
    "too_long",
    "character_run",
    "word_echo",
)
_SIDE += ("ngram_repetition", "line_break", "too_short")


def _typographic(rng: random.Random, text: str) -> str:
    """English with typographic quotation marks around two words and a dash."""
    words = text.split(" ")
    for place in rng.sample(inner_places(words), 2):
        words[place] = f"“{words[place]}”"
    words.insert(rng.choice(inner_places(words)), "–")
    return " ".join(words)


def _misread(rng: random.Random, base: Base, written: str, read: str) -> str:
    """The whole caption, or one sentence of it, written in one encoding and read in another."""
    text = _typographic(rng, base.text) if base.language == "en" else base.text
    whole = base.language == "en" or rng.random() < 0.5
    if whole:
        return text.encode(written).decode(read, "replace")
    sentences = base.sentences
    place = rng.randrange(len(sentences))
    sentences[place] = sentences[place].encode(written).decode(read, "replace")
    return base.join(sentences)


@defect("replacement_character", *_SIDE)
def utf8_read_as_cp1252(rng: random.Random, base: Base) -> str:
    """As â€œ stands for “; now and then as Latin-1, which leaves control characters."""
    return _misread(rng, base, "utf-8", rng.choice(["cp1252", "cp1252", "latin-1"]))


@defect("replacement_character", *_SIDE)
def utf8_read_as_gbk(rng: random.Random, base: Base) -> str:
    """As 鈥 stands for a quotation mark, and 鐨 for half of 的."""
    return _misread(rng, base, "utf-8", "gbk")


@defect("replacement_character", *_SIDE)
def read_as_utf8(rng: random.Random, base: Base) -> str:
    """Bytes of cp1252 (GBK in Chinese) read as UTF-8, which turns them into U+FFFD."""
    return _misread(rng, base, "cp1252" if base.language == "en" else "gb18030", "utf-8")


@defect("replacement_character", *_SIDE, languages=("zh",))
def gbk_read_as_latin(rng: random.Random, base: Base) -> str:
    """As µÄ stands for 的."""
    return _misread(rng, base, "gb18030", rng.choice(["latin-1", "cp1252"]))


def _scatter(rng: random.Random, base: Base, signs: str, count: int) -> str:
    """The caption with characters put in at random places, none at either end."""
    text = base.text
    for _ in range(count):
        place = rng.randrange(1, len(text) - 1)
        text = text[:place] + rng.choice(signs) + text[place:]
    return text


def _scattered(signs: str, least: int, most: int) -> Plant:
    return lambda rng, base: _scatter(rng, base, signs, rng.randint(least, most))


@defect("replacement_character", *_SIDE)
def kun_jin_kao(rng: random.Random, base: Base) -> str:
    """U+FFFD once more read as GBK: 锟斤拷."""
    place = rng.randrange(1, len(base.text) - 1)
    return base.text[:place] + "锟斤拷" * rng.randint(1, 4) + base.text[place:]


@defect("replacement_character", *_SIDE)
def replacement_characters(rng: random.Random, base: Base) -> str:
    """U+FFFD itself, one to four times."""
    return _scattered("\ufffd", 1, 4)(rng, base)


@defect("replacement_character", *_SIDE)
def control_characters(rng: random.Random, base: Base) -> str:
    """Control characters that break no line."""
    return _scattered("\x00\x01\x07\x08\x1b\x7f\x90\x9d", 1, 3)(rng, base)


@defect("replacement_character", *_SIDE)
def private_use(rng: random.Random, base: Base) -> str:
    """Characters of the private use area."""
    return _scattered("\ue000\ue5e5\uf0b7\uf8ff", 1, 3)(rng, base)


@defect("replacement_character", *_SIDE)
def zero_width(rng: random.Random, base: Base) -> str:
    """Characters without width: spaces, joiners, byte-order and direction marks."""
    return _scattered("\u200b\u200b\ufeff\u2060\u200e\u202e", 2, 6)(rng, base)


DEFECTS = (
    utf8_read_as_cp1252,
    utf8_read_as_gbk,
    read_as_utf8,
    gbk_read_as_latin,
    kun_jin_kao,
    replacement_characters,
    control_characters,
    private_use,
    zero_width,
)
