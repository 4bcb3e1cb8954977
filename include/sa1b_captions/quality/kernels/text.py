"""Code points of a text, what kind of character each is, and the marks that loops look for."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled

# Kinds of characters, as in characters.Kind.
OTHER, LATIN, DIGIT, MARK, FOREIGN, HAN, KANA, LOST, TRADITIONAL = 0, 1, 2, 3, 4, 5, 6, 7, 8

# Their traits, as in characters.Trait.
SPACE, LINE_BREAK, STOP, WIDE_STOP, PAUSE, QUOTE, CLOSER, WIDE, SIGN = (
    *(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
BLANK = SPACE | LINE_BREAK

# What `quotations` writes of each character.
BARE, BRACKETED, QUOTED = 0, 1, 2


@compiled
def decode(
    data: np.ndarray,
    start: int,
    end: int,
    table: np.ndarray,
    codes: np.ndarray,
    kinds: np.ndarray,
    traits: np.ndarray,
    places: np.ndarray,
) -> tuple[int, int]:
    """Write the code points of data[start:end], their kinds and traits, and where signs stand.

    Signs are all but letters and digits of ASCII and spaces: few in English, so that what looks for
    one of them need not read the others.

    Returns:
        Code points, and signs.
    """
    last = table.shape[0] - 1
    count, found = 0, 0
    place = start
    while place < end:
        code = np.int32(data[place])
        # Written always and kept where wanted: no branch for the processor to guess.
        places[found] = count
        if code < 0x80:
            entry = table[code]
            place += 1
            kind = entry & 15
            found += not ((kind == LATIN) | (kind == DIGIT) | (code == 0x20))
        else:
            found += 1
            if code < 0xE0:
                width, code = 2, code & 0x1F
            elif code < 0xF0:
                width, code = 3, code & 0x0F
            else:
                width, code = 4, code & 0x07
            for following in range(place + 1, min(place + width, end)):
                code = (code << 6) | np.int32(data[following] & 0x3F)
            entry = table[min(code, last)]
            place += width
        codes[count] = code
        kinds[count] = entry & 15
        traits[count] = entry >> 4
        count += 1
    return count, found


@compiled
def joins(kind: int) -> bool:
    """Whether a character of this kind is part of a word."""
    return LATIN <= kind <= FOREIGN


@compiled
def ends_a_sentence(traits: np.ndarray, count: int, place: int) -> bool:
    """Whether a sentence ends here: a decimal point has a digit behind it, a stop a space."""
    trait = traits[place]
    if trait & (WIDE_STOP | LINE_BREAK):
        return True
    if not trait & STOP:
        return False
    return place + 1 == count or (traits[place + 1] & (BLANK | CLOSER)) != 0


@compiled
def last_place(traits: np.ndarray, count: int) -> int:
    """Place of the last character that is no space; -1 without one."""
    place = count - 1
    while place >= 0 and traits[place] & BLANK:
        place -= 1
    return place
