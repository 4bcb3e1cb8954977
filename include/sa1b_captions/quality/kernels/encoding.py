"""What reading a text in the wrong encoding leaves."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.counts import beside_han
from sa1b_captions.quality.kernels.text import FOREIGN, HAN, LATIN, LOST, MARK, OTHER, TRADITIONAL

_TAB = 0x09
_JOINERS = (0x200C, 0x200D)
_QUOTING = (0x2018, 0x2019, 0x201C, 0x201D, 0x2013, 0x2014, 0x2026, 0xBB)
"""What may follow an accented letter, though cp1252 has it where UTF-8 goes on: café”."""
_CP1252 = (
    *(0x20AC, 0x201A, 0x192, 0x201E, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160, 0x2039, 0x152, 0x17D),
    *(0x2022, 0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x17E, 0x178),
)
"""Its other characters of 0x80 to 0x9F."""


_UNSET = (0x70EB, 0x5C6F, 0x847A)  # 烫 屯 葺
_SIGNS = (0x3F, 0x25, 0x3D)  # ? % =


@compiled
def continues(code: int) -> int:
    """Whether a code point is a byte inside a character of UTF-8 read as Latin-1 or cp1252.

    Returns:
        0 if not, 1 if it may also follow a letter in good text, 2 if not that.
    """
    if code in _QUOTING:
        return 1
    return 2 if 0x80 <= code <= 0xBF or code in _CP1252 else 0


@compiled
def is_utf8_as_western(codes: np.ndarray, count: int, place: int) -> bool:
    """Whether a character of UTF-8 begins here that was read as Latin-1 or cp1252."""
    lead = codes[place]
    if not 0xC2 <= lead <= 0xF4 or place + 1 >= count:
        return False
    first = continues(codes[place + 1])
    if lead < 0xE0:
        return first == 2 and (lead <= 0xC3 or 0xCE <= lead <= 0xD1)
    if lead == 0xE2 and codes[place + 1] == 0x20AC:
        return True
    if lead == 0xF0 and codes[place + 1] == 0x178:
        return True
    if not first or place + 2 >= count:
        return False
    second = continues(codes[place + 2])
    return second != 0 and first + second > 2


@compiled
def is_broken_han(codes: np.ndarray, kinds: np.ndarray, count: int, place: int) -> bool:
    """Whether two of the three bytes of a Han letter stand among Han letters: 菜å• for 菜单.

    cp1252 lacks five bytes, which readers drop. In André·马尔罗 a Latin letter comes before.
    """
    if not 0xE3 <= codes[place] <= 0xE9 or place + 1 >= count:
        return False
    if place > 0 and kinds[place - 1] == LATIN:
        return False
    if continues(codes[place + 1]) != 2:
        return False
    return beside_han(kinds, count, place) or beside_han(kinds, count, place + 1)


@compiled
def is_utf8_as_gbk(codes: np.ndarray, count: int, place: int, gbk: np.ndarray) -> bool:
    """Whether three Han letters are the bytes of two common ones, UTF-8 read as GBK."""
    if place + 2 >= count or max(codes[place], codes[place + 1], codes[place + 2]) > 0xFFFF:
        return False
    first, second, third = gbk[codes[place]], gbk[codes[place + 1]], gbk[codes[place + 2]]
    lead = first >> 8
    if not (0xE3 <= lead <= 0xE9 or lead == 0xEF) or not 0x80 <= first & 0xFF <= 0xBF:
        return False
    if not 0x80 <= second >> 8 <= 0xBF or not 0xE3 <= second & 0xFF <= 0xEF:
        return False
    if not 0x80 <= third >> 8 <= 0xBF or not 0x80 <= third & 0xFF <= 0xBF:
        return False
    one = (lead & 0xF) << 12 | (first & 0x3F) << 6 | (second >> 8 & 0x3F)
    other = (second & 0xF) << 12 | (third >> 8 & 0x3F) << 6 | (third & 0x3F)
    return is_common(one, gbk) and is_common(other, gbk)


@compiled
def is_common(code: int, gbk: np.ndarray) -> bool:
    """Whether a code point is a frequent Han letter, or punctuation of Chinese."""
    written = gbk[code] >> 8
    sign = 0xA1 <= written <= 0xA3
    return bool(sign or (0xB0 <= written <= 0xD7 and gbk[code] & 0xFF >= 0xA1))


@compiled
def is_unset_memory(codes: np.ndarray, count: int, place: int) -> bool:
    """Whether bytes of memory that nobody wrote were read as GBK: 烫烫烫, 屯屯, 葺葺, 锘."""
    code = codes[place]
    if code == 0x9518:  # the mark in front of UTF-8
        return True
    if code not in _UNSET or place + 1 >= count:
        return False
    if codes[place + 1] != code:
        return False
    return code != 0x70EB or (place > 0 and codes[place - 1] == code)


@compiled
def is_hexadecimal(code: int) -> bool:
    """Whether a code point is a digit from 0 to 9 or from A to F."""
    return 0x30 <= code <= 0x39 or 0x41 <= code <= 0x46 or 0x61 <= code <= 0x66


@compiled
def is_lost_sign(codes: np.ndarray, kinds: np.ndarray, count: int, place: int) -> bool:
    """Whether a letter was lost here: st?res, ??的门, %E9%97, =C3=A7; not in an address."""
    code = codes[place]
    if place + 1 >= count:
        return False
    if code == 0x3F:
        if codes[place + 1] == 0x3F:
            after = kinds[place + 2] if place + 2 < count else 0
            return after >= LATIN and after != MARK
        if place == 0 or kinds[place - 1] != LATIN or not 0x61 <= codes[place + 1] <= 0x7A:
            return False
    elif not (
        place + 3 < count
        and codes[place + 3] == code
        and 0x43 <= codes[place + 1] <= 0x46  # of a first byte
        and is_hexadecimal(codes[place + 2])
    ):
        return False
    before = place - 1
    while before >= 0 and 0x21 <= codes[before] < 0x7F:
        if codes[before] in (0x2E, 0x2F, 0x40):
            return False
        before -= 1
    return True


@compiled
def count_lost(  # noqa: C901  # one kind of damage after the other
    codes: np.ndarray, kinds: np.ndarray, count: int, signs: np.ndarray, gbk: np.ndarray
) -> int:
    """Characters that stand for none or cannot be seen, and pairs that wrong decoding leaves.

    `signs` are the places that `decode` found.
    """
    lost = 0
    accents, letters = 0, 0
    before_it = -1
    for place in signs:
        if place != before_it + 1:
            accents, letters = 0, 0
        before_it = place
        kind = kinds[place]
        code = codes[place]
        if 0x20 <= code < 0x7F:
            if kind == OTHER and code in _SIGNS:
                lost += is_lost_sign(codes, kinds, count, place)
            accents, letters = 0, 0
            continue
        if kind == LOST:
            before = kinds[place - 1] if place else 0
            emoji = place > 0 and (codes[place - 1] >= 0x1F000 or codes[place - 1] == 0xFE0F)
            lost += code not in _JOINERS or not (before == FOREIGN or emoji)
        elif kind in (HAN, TRADITIONAL):
            lost += is_utf8_as_gbk(codes, count, place, gbk)
            # What two replacement characters become: 锟斤拷.
            lost += code == 0x951F and place + 1 < count and codes[place + 1] == 0x65A4
            lost += is_unset_memory(codes, count, place)
        elif code == _TAB:
            lost += 1
        elif code == 0x120 or code == 0x10A:  # the space and line break of byte-level tokens
            lost += place > 0 and kinds[place - 1] == LATIN
        elif code == 0x201A or code == 0x221A:  # UTF-8 read as Mac OS Roman
            lost += place + 1 < count and codes[place + 1] in (0xC4, 0xA9, 0xAE, 0xB1)
        elif 0x334 <= code <= 0x338:  # strokes through letters
            lost += 1
        elif 0x2310 <= code <= 0x25A1:  # UTF-8 read as cp437, and boxes for missing glyphs
            beside = place > 0 and (kinds[place - 1] == LATIN or codes[place - 1] == code)
            frame = 0x2500 <= code <= 0x257F or code == 0x2310
            lost += beside and (
                frame or (code == 0x25A1 and place > 1 and codes[place - 2] == code)
            )
        elif 0xFF41 <= code <= 0xFF5A:  # three letters as wide as Han ones
            lost += place > 1 and 0xFF41 <= min(codes[place - 1], codes[place - 2]) <= 0xFF5A
        elif is_utf8_as_western(codes, count, place) or is_broken_han(codes, kinds, count, place):
            lost += 1
        # GBK read as Latin-1: no language has four such letters and signs in a row.
        if 0xA1 <= code <= 0xFF:
            accents += 1
            letters += kind == LATIN
            lost += accents >= 4 and letters >= 2
            lost += accents == 2 and letters == 2 and beside_han(kinds, count, place)
        else:
            accents, letters = 0, 0
    return lost
