"""Chinese words that slip into Chinese captions in the letters of pinyin."""

import re
import unicodedata

from sa1b_captions.quality.lexicon.han_words import INTRODUCERS

_INITIALS = "(?:[bpmfdtnlgkhjqxrzcsyw]|zh|ch|sh)?"
_FINALS = (
    "(?:a|ai|an|ang|ao|e|ei|en|eng|er|i|ia|ian|iang|iao|ie|in|ing|iong|iu|o|ong|ou|u|ua|uai|uan|"
    "uang|ue|ui|un|uo|ü|üe|v|ve)"
)
_SYLLABLES = re.compile(rf"(?:{_INITIALS}{_FINALS} )+{_INITIALS}{_FINALS}")
_TONED = re.compile(rf"(?:(?:{_INITIALS}{_FINALS})+[ '’]?)+")

_TONES = re.compile("[\u0300\u0301\u0304\u030c]")
_OWN_TONES = re.compile("[\u0304\u030c]")
"""Macron and caron, which no language that captions borrow from writes over small vowels."""

RUNS = (
    # What a sign says or a thing is called comes first, so that its letters are not found again;
    # 三名 calls nothing anything.
    r"[一二两三四五六七八九十几数多]名|"
    rf"[{''.join(sorted(INTRODUCERS))}][^，。；！？：]{{0,8}}?[a-z][A-Za-z0-9 ._@/'’&+-]*|"
    r"[A-Za-z0-9À-ɏ._@/'’&+-][A-Za-z0-9À-ɏ ._@/'’&+-]*"
)
"""Runs of Latin letters and digits with their spaces, and what announces some."""


def is_pinyin(run: str) -> bool:
    """Whether a match of `RUNS` is nothing but two or more syllables: bai cai, or has their tones.

    An acute or a grave tells little alone: café, déjà vu.
    """
    said = run.strip()
    if not said.isascii():
        parts = unicodedata.normalize("NFD", said)
        toned = sum(_TONES.search(word) is not None for word in parts.split())
        plain = unicodedata.normalize("NFC", _TONES.sub("", parts))
        if toned > 1 or _OWN_TONES.search(parts):
            return _TONED.fullmatch(plain) is not None
    return bool(_SYLLABLES.fullmatch(said)) and min(map(len, said.split())) > 1
