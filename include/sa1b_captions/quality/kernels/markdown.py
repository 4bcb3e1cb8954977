"""Marks of Markdown, JSON, templates, LaTeX, escapes, and what a spreadsheet runs."""

import numpy as np

from sa1b_captions.quality.kernels.compiled import compiled
from sa1b_captions.quality.kernels.lists import is_roman, list_number, starts_list
from sa1b_captions.quality.kernels.text import (
    BLANK,
    DIGIT,
    HAN,
    LATIN,
    LINE_BREAK,
    OTHER,
    QUOTED,
    SIGN,
    SPACE,
    STOP,
    joins,
)

_BLOCKS = (
    0x25CF,
    0x25A0,
    0x25C6,
    0x25AA,
    0x25AB,
    0x25E6,
    0x25B6,
    0x27A4,
    0x25BA,
    0x2023,
    0x2043,
    0x2713,
    0x2714,
)
"""Signs that only lists have two of, apart from each other."""
_CODE = (0x3C, 0x3E, 0x2A, 0x7B, 0x3D)  # < > * { =
_BULLETS = (0x2022, 0x2D, 0x2A, 0x2B, 0x3E)
_EMPHASIS_CHARS = 80
_FORMULA_CHARS = 40
_ENTITIES = (
    *(0x616D70, 0x6C74, 0x6774, 0x71756F, 0x61706F, 0x6E6273, 0x6D6461, 0x6E6461, 0x68656C),
    *(0x6C7371, 0x727371, 0x6C6471, 0x726471, 0x636F70, 0x726567, 0x747261, 0x646567, 0x656163),
    *(0x656772, 0x62756C, 0x6D6964, 0x656D73, 0x656E73, 0x746D65, 0x74696D, 0x6E6577, 0x746162),
)
"""amp lt gt quot apos nbsp mdash ndash hellip lsquo rsquo ldquo rdquo copy reg trade deg eacute
egrave bull middot emsp ensp tmes times new tab: at most three letters of each."""


@compiled
def starts_block(codes: np.ndarray, traits: np.ndarray, count: int, place: int) -> bool:
    """Whether a line that begins here begins as a heading, list, quotation, table or object.

    Or as what spreadsheets run: =, @, and a sign before a name.
    """
    code = codes[place]
    if code == 0x7B or code == 0x7C or code == 0x3D or code == 0x40:  # { | = @
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
    if after >= count:
        return False
    named = (code == 0x2D or code == 0x2B) and (codes[after] == 0x28 or codes[after] >= 0x41)
    return bool(traits[after] & SPACE != 0 or named)


@compiled
def opens_line(codes: np.ndarray, traits: np.ndarray, count: int, place: int) -> bool:
    """Whether a block starts a line that begins here, spaces apart."""
    while place < count and traits[place] & SPACE:
        place += 1
    if place == count or traits[place] & LINE_BREAK:
        return False
    return starts_block(codes, traits, count, place)


@compiled
def is_entity(codes: np.ndarray, count: int, place: int) -> bool:
    """Whether an HTML entity begins here: &amp; or &#39;."""
    packed = 0
    end = place + 1
    numeric = end < count and codes[end] == 0x23
    while end < min(count, place + 10) and codes[end] != 0x3B:
        code = codes[end] | 0x20
        if not numeric and not 0x61 <= code <= 0x7A:
            return False
        if end <= place + 3:
            packed = packed << 8 | code
        end += 1
    if end == count or end == place + 10 or end < place + 3:
        return False
    return numeric or packed in _ENTITIES


@compiled
def is_emphasis(
    codes: np.ndarray, kinds: np.ndarray, traits: np.ndarray, count: int, place: int
) -> bool:
    """Whether one sign around words begins here, as in _so_, *so* or `so`."""
    sign = codes[place]
    if place > 0 and (joins(kinds[place - 1]) or codes[place - 1] == sign):
        return False
    if place + 1 >= count or not (joins(kinds[place + 1]) or kinds[place + 1] >= HAN):
        return False
    for end in range(place + 2, min(count, place + _EMPHASIS_CHARS)):
        if traits[end] & LINE_BREAK:
            return False
        if codes[end] == sign and not traits[end - 1] & BLANK:
            return end + 1 == count or not joins(kinds[end + 1])
    return False


@compiled
def is_formula(codes: np.ndarray, count: int, place: int) -> bool:
    """Whether a formula of LaTeX stands between two signs of dollar."""
    raised = False
    for end in range(place + 1, min(count, place + _FORMULA_CHARS)):
        code = codes[end]
        if code == 0x24:
            return raised
        raised |= code == 0x5E or code == 0x5F or code == 0x7B or code == 0x5C
    return False


@compiled
def is_escape(codes: np.ndarray, count: int, place: int) -> bool:
    """Whether a backslash hides a sign or begins a command of LaTeX."""
    if place + 1 >= count:
        return False
    code = codes[place + 1]
    letter = 0x61 <= (code | 0x20) <= 0x7A
    return letter or code in (
        0x22,
        0x24,
        0x25,
        0x26,
        0x27,
        0x28,
        0x29,
        0x5B,
        0x5D,
        0x7B,
        0x5F,
        0x2A,
        0x23,
        0x5C,
        0x2F,
    )


@compiled
def is_name(codes: np.ndarray, quoted: np.ndarray, count: int, place: int) -> bool:
    """Whether a quotation here begins in words and has no other sign of code: Smith &amp; Sons."""
    first, last = place, place
    while first > 0 and quoted[first - 1] == QUOTED:
        first -= 1
    while last + 1 < count and quoted[last + 1] == QUOTED:
        last += 1
    for inside in range(first, last + 1):
        if codes[inside] in _CODE:
            return False
    return place > first + 1


@compiled
def count_markdown(  # noqa: C901  # one sign after the other
    codes: np.ndarray,
    kinds: np.ndarray,
    traits: np.ndarray,
    quoted: np.ndarray,
    count: int,
    signs: np.ndarray,
) -> int:
    """Marks of Markdown, JSON, templates, HTML entities, LaTeX and escapes.

    `signs` are the places that `decode` found.
    """
    marks = 0
    marks += opens_line(codes, traits, count, 0)
    pipes = 0
    bullets = 0
    expected, item = 0, 0
    blocks, block = 0, -2
    for place in signs:
        trait = traits[place]
        if trait & LINE_BREAK:
            marks += opens_line(codes, traits, count, place + 1)
            continue
        if not trait & SIGN:
            continue
        code = codes[place]
        following = codes[place + 1] if place + 1 < count else 0
        third = codes[place + 2] if place + 2 < count else 0
        blank = place + 2 >= count or traits[place + 2] & BLANK
        if quoted[place] == QUOTED:
            # A screen may show code, and a shop's name none.
            marks += (
                code == 0x26
                and is_entity(codes, count, place)
                and is_name(codes, quoted, count, place)
            )
            continue
        number = list_number(codes, kinds, traits, count, place)
        if number:
            # A. B. Miller has two initials.
            initial = code == 0x2E and kinds[place - 1] == LATIN and place - item < 5
            marks += number == expected and not initial
            if starts_list(codes, kinds, traits, count, place, number) or number == expected:
                expected = number + 1
                item = place
            continue
        if code == 0x5F and following == 0x5F:
            begins = place == 0 or not (joins(kinds[place - 1]) or codes[place - 1] == 0x5F)
            marks += begins and not blank and kinds[place + 2] != OTHER
        elif code == 0x5F or code == 0x60 or (code == 0x2A and following != 0x2A):  # _ ` *
            marks += is_emphasis(codes, kinds, traits, count, place)
        elif code == 0x29:
            marks += is_roman(codes, traits, place)
        elif code in _BLOCKS:
            blocks += place > block + 1
            block = place
            marks += blocks == 2
        elif code == 0x3D:  # == of a heading
            marks += following == 0x3D and blank and place > 0 and traits[place - 1] & BLANK != 0
        elif code == 0x5C:
            marks += is_escape(codes, count, place)
        elif code == 0x24:
            marks += is_formula(codes, count, place)
        elif code == 0x7B:  # {" and {' of JSON; {{, {%, ${ and #{ of a template
            named = place > 0 and codes[place - 1] in (0x23, 0x24)
            marks += named or (place > 0 and following in (0x22, 0x27, 0x201C, 0x7B, 0x25))
        elif code == 0x7E:  # ~~
            marks += following == 0x7E and kinds[place + 2] == LATIN and not blank
        elif code == 0x23:  # ## inside a line
            marks += following == 0x23 and blank and place > 0
        elif code == 0x7C:
            pipes += 1
            marks += pipes == 3
        elif code == 0x5D:  # [1], a reference
            marks += place > 1 and kinds[place - 1] == DIGIT and opens(codes, kinds, place)
        if code == 0x2D and following == 0x2D and third == 0x2D:  # --- of a rule
            marks += place > 1 and traits[place - 1] & BLANK and traits[place - 2] & STOP != 0
        if code in _BULLETS:  # inside a line
            spaced = place + 1 < count and traits[place + 1] & SPACE
            if spaced and (bullets or is_bullet(codes, traits, place)):
                bullets += 1
                marks += bullets == 2 or code == 0x3E
        if code == 0x26:
            marks += is_entity(codes, count, place)
        elif code == 0x2A and following == 0x2A:  # ** before a word, not inside one
            inside = place > 0 and (kinds[place - 1] == LATIN or codes[place - 1] == 0x2A)
            marks += not inside and third != 0x2A and not blank
        elif code == 0x60:  # ```
            marks += following == 0x60 and third == 0x60
        elif code == 0x5D:  # ](
            marks += following == 0x28 and not blank
    return marks


@compiled
def opens(codes: np.ndarray, kinds: np.ndarray, place: int) -> bool:
    """Whether a bracket, a number and the bracket here are all there is since a space or letter."""
    before = place - 1
    while before > 0 and kinds[before] == DIGIT:
        before -= 1
    return bool(codes[before] == 0x5B)


@compiled
def is_bullet(codes: np.ndarray, traits: np.ndarray, place: int) -> bool:
    """Whether a sign before a space begins an item: a bullet, or a dash behind a colon or stop."""
    if codes[place] == 0x2022:
        return True
    before = place - 1
    if before >= 0 and codes[before] in (0x3002, 0xFF1A, 0xFF1B):
        return True
    while before >= 0 and traits[before] & SPACE:
        before -= 1
    return (
        before >= 0 and before < place - 1 and codes[before] in (0x3A, 0x3B, 0x2E, 0xFF1A, 0x3002)
    )
