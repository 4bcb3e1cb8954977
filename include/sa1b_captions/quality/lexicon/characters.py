"""Which kind of character a code point is, as a table that compiled loops look up.

Kinds follow Unicode's blocks, not its character database: rules ask whether a text is of the
right script, not what exactly each rare character is.
"""

import enum

import numpy as np

from sa1b_captions.quality.lexicon.traditional import TRADITIONAL

TABLE_SIZE = 0x40000
"""Code points in the table: planes 0 to 3. Beyond lie only tags, variants and private use."""


class Kind(enum.IntEnum):
    """What rules tell apart. Latin, digit, foreign and mark characters join into words."""

    OTHER = 0  # punctuation, symbols, emoji, spaces
    LATIN = 1
    DIGIT = 2
    MARK = 3  # combining: part of a word, no letter by itself
    FOREIGN = 4  # letters of scripts that are neither Latin nor Han
    HAN = 5  # a word by itself
    KANA = 6  # foreign, and a word by itself
    LOST = 7  # replacement characters, controls, private use, what cannot be seen
    TRADITIONAL = 8  # a Han letter that Simplified Chinese writes otherwise


_RANGES = (
    (0x00, 0x08, Kind.LOST),  # controls, except those that are white space
    (0x0E, 0x1F, Kind.LOST),
    (0x30, 0x39, Kind.DIGIT),
    (0x41, 0x5A, Kind.LATIN),
    (0x61, 0x7A, Kind.LATIN),
    (0x7F, 0x9F, Kind.LOST),
    (0x85, 0x85, Kind.OTHER),  # a line break, which has a rule of its own
    (0xAA, 0xAA, Kind.LATIN),
    (0xAD, 0xAD, Kind.LOST),  # a hyphen that shows at line ends only
    (0xBA, 0xBA, Kind.LATIN),
    (0xC0, 0x2AF, Kind.LATIN),
    (0xD7, 0xD7, Kind.OTHER),  # the signs for times and division
    (0xF7, 0xF7, Kind.OTHER),
    (0x300, 0x36F, Kind.MARK),
    (0x370, 0x1FFF, Kind.FOREIGN),  # Greek, Cyrillic, Arabic, Devanagari, Thai, ...
    (0x1D00, 0x1D7F, Kind.LATIN),  # phonetic
    (0x1E00, 0x1EFF, Kind.LATIN),
    (0x200B, 0x200F, Kind.LOST),  # without width
    (0x202A, 0x202E, Kind.LOST),  # controls that turn the direction of writing
    (0x2060, 0x206F, Kind.LOST),
    (0x20D0, 0x20FF, Kind.MARK),
    (0x2581, 0x2581, Kind.LOST),  # the space of SentencePiece
    (0x2C00, 0x2DFF, Kind.FOREIGN),
    (0x2C60, 0x2C7F, Kind.LATIN),
    (0x2E80, 0x2FDF, Kind.HAN),
    (0x3005, 0x3007, Kind.HAN),  # the iteration mark, the closing mark and zero
    (0x3040, 0x30FF, Kind.KANA),
    (0x30FB, 0x30FC, Kind.OTHER),  # the middle dot, which Chinese uses in names, and its neighbour
    (0x3100, 0x31BF, Kind.FOREIGN),  # bopomofo, Hangul letters
    (0x31F0, 0x31FF, Kind.KANA),
    (0x3400, 0x4DBF, Kind.HAN),
    (0x4E00, 0x9FFF, Kind.HAN),
    (0xA000, 0xABFF, Kind.FOREIGN),
    (0xA720, 0xA7FF, Kind.LATIN),
    (0xAB30, 0xAB6F, Kind.LATIN),
    (0xAC00, 0xD7FF, Kind.FOREIGN),
    (0xD800, 0xF8FF, Kind.LOST),  # surrogates, private use
    (0xF900, 0xFAFF, Kind.HAN),
    (0xFB00, 0xFB06, Kind.LATIN),
    (0xFB13, 0xFDFF, Kind.FOREIGN),
    (0xFE20, 0xFE2F, Kind.MARK),
    (0xFE70, 0xFEFE, Kind.FOREIGN),
    (0xFEFF, 0xFEFF, Kind.LOST),
    (0xFF10, 0xFF19, Kind.DIGIT),
    (0xFF21, 0xFF3A, Kind.LATIN),
    (0xFF41, 0xFF5A, Kind.LATIN),
    (0xFF66, 0xFF9F, Kind.KANA),
    (0xFFA0, 0xFFDC, Kind.FOREIGN),
    (0xFFF0, 0xFFFF, Kind.LOST),
    (0x10000, 0x1BFFF, Kind.FOREIGN),
    (0x1D400, 0x1D7FF, Kind.FOREIGN),  # letters of formulas, used as ornament
    (0x1E000, 0x1EFFF, Kind.FOREIGN),
    (0x20000, 0x3FFFF, Kind.HAN),
)
"""First and last code point of each range, later ones over earlier; what is left is OTHER."""


class Trait(enum.IntFlag):
    """What else loops ask of a character of the first plane."""

    SPACE = 1
    LINE_BREAK = 2
    STOP = 4  # ends a sentence when a space follows
    WIDE_STOP = 8  # ends one anywhere
    PAUSE = 16  # parts clauses
    QUOTE = 32  # opens or closes a quotation or a bracket
    CLOSER = 64  # may follow the end of a sentence, or be it
    WIDE = 128  # punctuation of Chinese, as wide as a letter
    SIGN = 256  # may be a mark of Markdown, JSON, HTML or LaTeX


LINE_BREAKS = "\n\r\x0b\x0c\x85\u2028\u2029"
"""Every character that ends a line for some reader of JSONL."""

_TRAITS = (
    (Trait.SPACE, " \t\xa0\u3000"),
    (Trait.LINE_BREAK, LINE_BREAKS),
    (Trait.STOP, ".!?…"),
    (Trait.WIDE_STOP, "。！？．｡"),
    (Trait.PAUSE, ",;:，；：、–—"),
    (Trait.QUOTE, "\"'()[]«»‘’“”《》「」『』【】（）"),
    (Trait.CLOSER, "\"')]»’”›〉》」』】〕〗〞）］＂"),
    (Trait.WIDE, "，。！？；：、（）【】《》「」『』〈〉［］＂〔〕〖〗％＆～"),
    (Trait.SIGN, "{|#-*+>•`]_\\&$~.)）．、:：=[①②③④⑤⑥⑦⑧⑨●■◆▪▫◦▶➤►‣⁃✓✔"),
)


def kind_table() -> np.ndarray:
    """Kind of each code point below TABLE_SIZE, uint8."""
    table = np.full(TABLE_SIZE, Kind.OTHER, np.uint8)
    for first, last, kind in _RANGES:
        table[first : last + 1] = kind
    table[[ord(character) for character in TRADITIONAL]] = Kind.TRADITIONAL
    return table


def table() -> np.ndarray:
    """Kind, and above its four bits the traits, of each code point below TABLE_SIZE, uint16.

    The last entry stands for all code points beyond.
    """
    traits = np.zeros(TABLE_SIZE + 1, np.uint16)
    for trait, characters in _TRAITS:
        traits[[ord(character) for character in characters]] |= np.uint16(trait)
    kinds = np.append(kind_table(), np.uint8(Kind.LOST))
    found: np.ndarray = traits << np.uint16(4) | kinds
    return found


def gbk_table() -> np.ndarray:
    """The two bytes that GBK writes a code point of the first plane with, uint16; 0 without."""
    table = np.zeros(0x10000, np.uint16)
    for lead in range(0x81, 0xFF):
        for trail in (*range(0x40, 0x7F), *range(0x80, 0xFF)):
            character = bytes((lead, trail)).decode("gbk", "ignore")
            if len(character) == 1 and ord(character) < 0x10000:
                table[ord(character)] = lead << 8 | trail
    return table
