"""Which words of a caption break a rule, found by the rule itself.

A sentence offends if the caption without it breaks the rule no more, and in such a sentence a word
does. So what is marked is what the rule saw, whatever the rule is; a rule about the whole text has
no such words.
"""

import re
from collections.abc import Callable, Sequence

import pyarrow as pa

from sa1b_captions.quality.features import measure
from sa1b_captions.quality.rules import RULES, LengthReference, Rule
from sa1b_captions.recipe.limits import LanguageQuality

MAX_CHARS = 6000
"""Of a longer text, nothing is marked but what lies beyond the limit."""

_MAX_PIECES = 80
_SENTENCES = re.compile(r"[^.!?。！？…\n]*(?:[.!?。！？…]+[\"'”’」』)\]]*\s*|\n+|$)")
_WORDS = re.compile(r"\s*[\u2e80-\u9fff\uf900-\ufaff]|\s*[^\s\u2e80-\u9fff\uf900-\ufaff]+|\s+")
_WHOLE = ("too_short", "length_outlier")

Span = tuple[int, int]
"""First character and the one behind the last."""


def find_offences(
    text: str, reason: str, limits: LanguageQuality, reference: LengthReference | None = None
) -> list[Span]:
    """Where in a text a rule is broken, in order and apart; empty where nothing can be pointed at.

    Args:
        reason: name of the rule.
        limits: of the caption's language.
        reference: lengths that the caption was judged beside.
    """
    if reason == "too_long":
        return [(limits.max_chars, len(text))] if len(text) > limits.max_chars else []
    rule = next((rule for rule in RULES if rule.name == reason), None)
    if rule is None or reason in _WHOLE or len(text) > MAX_CHARS:
        return []
    breaks = _breaks(rule, limits, reference)
    if not breaks([text])[0]:
        return []
    if reason == "missing_end":
        last = re.search(r"\S+\s*$", text)
        return [] if last is None else [last.span()]
    return _merge(_search(text, breaks))


def _breaks(
    rule: Rule, limits: LanguageQuality, reference: LengthReference | None
) -> Callable[[Sequence[str]], list[bool]]:
    def ask(texts: Sequence[str]) -> list[bool]:
        frame = measure(pa.array(texts, pa.string()))
        return frame.select(rule.breaks(limits, reference).alias("broken"))["broken"].to_list()

    return ask


def _search(text: str, breaks: Callable[[Sequence[str]], list[bool]]) -> list[Span]:
    sentences = [found.span() for found in _SENTENCES.finditer(text) if found.group()]
    sentences = sentences[:_MAX_PIECES]
    cured = _curing(text, sentences, breaks)
    if cured:
        spans = []
        for start, end in cured:
            words = [(start + a, start + b) for a, b in _words(text[start:end])]
            spans += _curing(text, words, breaks) or [(start, end)]
        return spans
    # Several sentences break it, each by itself.
    alone = breaks([text[start:end] for start, end in sentences])
    spans = []
    for (start, end), broken in zip(sentences, alone, strict=True):
        if broken:
            words = _curing(text[start:end], _words(text[start:end]), breaks)
            spans += [(start + a, start + b) for a, b in words] or [(start, end)]
    return spans


def _words(text: str) -> list[Span]:
    return [found.span() for found in _WORDS.finditer(text)][:_MAX_PIECES]


def _curing(
    text: str, pieces: Sequence[Span], breaks: Callable[[Sequence[str]], list[bool]]
) -> list[Span]:
    """Pieces without which a text does not break the rule."""
    left = [text[:start] + text[end:] for start, end in pieces]
    return [piece for piece, broken in zip(pieces, breaks(left), strict=True) if not broken]


def _merge(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
