"""Chinese words that slip into Chinese captions in the letters of pinyin."""

import re

from sa1b_captions.quality.lexicon.han_words import INTRODUCERS

_INITIALS = "(?:[bpmfdtnlgkhjqxrzcsyw]|zh|ch|sh)?"
_FINALS = (
    "(?:a|ai|an|ang|ao|e|ei|en|eng|er|i|ia|ian|iang|iao|ie|in|ing|iong|iu|o|ong|ou|u|ua|uai|uan|"
    "uang|ue|ui|un|uo|ü|üe|v|ve)"
)
_SYLLABLES = re.compile(rf"(?:{_INITIALS}{_FINALS} )+{_INITIALS}{_FINALS}")

RUNS = (
    # What a sign says or a thing is called comes first, so that its letters are not found again;
    # 三名 calls nothing anything.
    r"[一二两三四五六七八九十几数多]名|"
    rf"[{''.join(sorted(INTRODUCERS))}][^，。；！？：]{{0,8}}?[a-z][A-Za-z0-9 ._@/'’&+-]*|"
    r"[A-Za-z0-9À-ɏ._@/'’&+-][A-Za-z0-9À-ɏ ._@/'’&+-]*"
)
"""Runs of Latin letters and digits with their spaces, and what announces some."""


def is_pinyin(run: str) -> bool:
    """Whether a match of `RUNS` is nothing but two or more syllables: bai cai."""
    said = run.strip()
    return bool(_SYLLABLES.fullmatch(said)) and min(map(len, said.split())) > 1
