"""Sentences of a caption, English or Chinese: where each begins and ends.

Every character that is no space lies in exactly one sentence, so what is said of sentences adds up
to what is said of the caption. Where a stop may be part of an abbreviation, two sentences stay one:
half a sentence cannot be judged, two at once can.
"""

import re
from dataclasses import dataclass

SPLIT_VERSION = 1
"""Raise it when a caption is split otherwise: answers are about numbered sentences."""

_WIDE_STOPS = "。！？｡"
_STOPS = _WIDE_STOPS + ".!?…"
_CLOSERS = "\"'”’»」』）)】]》〉*"
_GOES_ON = ",;:，、；：）)】」』”’》〉—"
"""What follows the end of a quotation or bracket inside a sentence."""
_PAIRS = ("“”", "‘’", "「」", "『』", "《》", "()", "（）", "[]", "【】", '""')
_LONGEST_ASIDE = 200
"""Characters within which a quotation or bracket must close to hold its sentence together."""
_END = re.compile(rf"[{re.escape(_STOPS)}]+[{re.escape(_CLOSERS)}]*")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LAST_WORD = re.compile(r"[^\s(\[“‘\"'（]*$")
_INITIALS = re.compile(r"(?:[A-Za-z]\.)*[A-Za-z]")
"""A letter by itself, or letters with stops between them: J, U.S, p.m."""
_FIRST_WORD = re.compile(r"[A-Za-z]+")
_SHORTENED = """
mr mrs ms dr st mt ft jr sr prof gen col sgt capt lt rev hon no nos vs etc al fig figs vol approx
ca cf eds ed est inc ltd co corp bros dept dist ave blvd rd hwy sq dia cm mm km kg lb lbs oz
jan feb mar apr jun jul aug sep sept oct nov dec
"""
_OPENING = """
a an the in on at by to of it its this that these those there here he she they we his her their
behind beside above below beyond near around under over between across along among both each one
two three four several many some all most other another while as with from and but overall
surrounding adjacent additionally further toward towards next inside outside visible scattered
"""
_ABBREVIATIONS = frozenset(_SHORTENED.split())
"""Words that a stop shortens; some are whole words, too, and what follows them decides."""
_NEVER_LAST = frozenset({"mr", "mrs", "ms", "prof", "gen", "sgt", "capt", "rev", "hon", "vs", "cf"})
"""Of these, those that another word must follow."""
_OPENERS = frozenset(_OPENING.split())
"""Words that open a sentence, and follow an abbreviation only in lower case."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a caption."""

    text: str
    start: int
    """Place of its first character in the caption."""
    end: int
    """Place behind its last character."""


def split_sentences(caption: str) -> list[Sentence]:
    """A caption's sentences in their order; none of a caption without letters or digits.

    Marks, spaces and line breaks between two sentences belong to the first or to neither.
    """
    spans: list[tuple[int, int]] = []
    begin = 0
    for found in _END.finditer(caption):
        if _ends_here(caption, begin, found.start(), found.end()):
            spans.append((begin, found.end()))
            begin = found.end()
    spans.append((begin, len(caption)))
    return [
        Sentence(caption[start:end], start, end)
        for start, end in _joined([_stripped(caption, *span) for span in spans], caption)
    ]


def _ends_here(caption: str, begin: int, stop: int, after: int) -> bool:
    """Whether the stop at a place ends a sentence that began at another.

    Args:
        stop: place of the stop, the first of several.
        after: place behind the stops and what closes quotations and brackets.
    """
    rest = caption[after:].lstrip()
    if not rest:
        return True
    if rest[0] in _GOES_ON or rest[0].islower() or _is_inside(caption, begin, after):
        return False
    marks = caption[stop:after]
    if any(mark in marks for mark in _WIDE_STOPS):
        return True
    if after < len(caption) and not caption[after].isspace():
        # No space behind it: a decimal point, an address; or Chinese with marks of English.
        chinese = _HAN.match(rest) and _HAN.match(caption[stop - 1 : stop])
        return bool(chinese) and marks[0] != "…"
    if marks[0] != "." or marks.startswith(".."):
        return True
    return not _shortens(caption[begin:stop], rest)


def _is_inside(caption: str, begin: int, after: int) -> bool:
    """Whether a quotation or bracket that the sentence opened closes soon behind a place."""
    so_far, coming = caption[begin:after], caption[after : after + _LONGEST_ASIDE]
    for pair in _PAIRS:
        opener, closer = pair[0], pair[1]
        if opener == closer:
            is_open = so_far.count(opener) % 2 == 1
        else:
            is_open = so_far.count(opener) > so_far.count(closer)
        if is_open and closer in coming:
            return True
    return False


def _shortens(before: str, rest: str) -> bool:
    """Whether a stop between two texts belongs to an abbreviation or a number in a list."""
    last = _LAST_WORD.search(before)
    word = last.group() if last else ""
    if word.isdigit() and not before[: -len(word)].strip():
        return True  # the number of an item
    follower = _FIRST_WORD.match(rest)
    opens = follower is not None and follower.group().lower() in _OPENERS
    if word.lower() in _NEVER_LAST:
        return True
    if _INITIALS.fullmatch(word) and word.lower() not in ("i", "a.m", "p.m"):
        return not opens
    return word.lower() in _ABBREVIATIONS and not opens


def _stripped(caption: str, start: int, end: int) -> tuple[int, int]:
    text = caption[start:end]
    return start + len(text) - len(text.lstrip()), start + len(text.rstrip())


def _joined(spans: list[tuple[int, int]], caption: str) -> list[tuple[int, int]]:
    """Spans that say something; marks by themselves go with the one before, or the next one."""
    joined: list[tuple[int, int]] = []
    loose = -1
    for start, end in spans:
        if start >= end:
            continue
        if not any(character.isalnum() for character in caption[start:end]):
            if joined:
                joined[-1] = (joined[-1][0], end)
            elif loose < 0:
                loose = start
            continue
        joined.append((start if loose < 0 else loose, end))
        loose = -1
    return joined
