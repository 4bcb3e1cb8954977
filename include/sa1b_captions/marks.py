"""Marks: what people judge of captions.

A mark names the words that it judges by a digest of the caption, for captions of a sample may be
made again. Nothing is ever taken back: a person who judges the same again adds a mark, and the last
one counts.
"""

import datetime as dt
import enum
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

import xxhash


class Judgement(enum.StrEnum):
    """What somebody says of a caption."""

    GOOD = "good"  # fit for the dataset, whatever the rules say
    BAD = "bad"
    WITHDRAWN = "withdrawn"  # what the person said before does not count


class Fault(enum.StrEnum):
    """Why a caption, or what the rules did with it, is bad."""

    FALSE_STATEMENT = "false_statement"
    MISSING_THING = "missing_thing"
    LANGUAGE = "language"
    STYLE = "style"
    RULE_WAS_WRONG = "rule_was_wrong"  # a rule rejected it without cause, or should have


class Support(enum.StrEnum):
    """Whether the image shows what a sentence says."""

    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannot_tell"


class Better(enum.StrEnum):
    """Which of two captions is better."""

    LEFT = "left"
    RIGHT = "right"
    NEITHER = "neither"


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What all marks say."""

    KIND: ClassVar[str]
    sample_id: str
    who: str
    """Login of the person; of a judge that is a model, its name."""
    note: str = ""
    """The person's own words; untrusted text, as a caption is."""
    draw: str | None = None
    """Random sample that the person was going through; None of one who browsed. Only marks of a
    draw can tell of captions that nobody marked."""
    at: str = field(default_factory=_now)
    """ISO 8601, UTC, to the microsecond."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def subject(self) -> tuple[str, ...]:
        """What is judged; of two marks of a person about it the later one counts."""
        return (self.sample_id,)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionMark(Mark):
    """A judgement of a whole caption."""

    KIND = "caption"
    text_xxh3: str
    """`text_digest` of the caption that was judged."""
    judgement: Judgement
    fault: Fault | None = None
    rule: str | None = None
    """Rule that was wrong: one that rejected the caption, or one that should have."""
    reasons: tuple[str, ...] = ()
    """Of the rules, when it was judged; none of an accepted caption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceMark(Mark):
    """A judgement of one sentence of a caption."""

    KIND = "sentence"
    text_xxh3: str
    """`text_digest` of the whole caption."""
    sentence: int
    """Its place among the caption's sentences, 0 the first."""
    supported: Support

    @property
    def subject(self) -> tuple[str, ...]:
        """The sentence."""
        return (self.sample_id, self.text_xxh3, str(self.sentence))


@dataclass(frozen=True, slots=True, kw_only=True)
class PairMark(Mark):
    """A choice between two captions of a sample, made without knowing where they come from."""

    KIND = "pair"
    left: str
    """Where the caption on the left comes from: a generation, a campaign or a release."""
    right: str
    left_xxh3: str
    """`text_digest` of the caption on the left."""
    right_xxh3: str
    better: Better

    @property
    def subject(self) -> tuple[str, ...]:
        """The two captions, whichever was left."""
        return (self.sample_id, *sorted((self.left, self.right)))


KINDS: dict[str, type[Mark]] = {kind.KIND: kind for kind in (CaptionMark, SentenceMark, PairMark)}
"""Classes of marks by the name that is stored."""

M = TypeVar("M", bound=Mark)


def text_digest(caption: str) -> str:
    """32 hexadecimal digits over a caption's text (xxh3-128)."""
    return xxhash.xxh3_128_hexdigest(caption.encode())


def last_of_each(marks: Iterable[M]) -> list[M]:
    """The marks that count: of each person and subject the last one.

    Args:
        marks: of one kind, from the first to the last, as `mark_logs.read_marks` returns them.
    """
    last: dict[tuple[str, ...], M] = {}
    for mark in marks:
        key = (mark.who, *mark.subject)
        last.pop(key, None)  # the order is that of the marks that count
        last[key] = mark
    return list(last.values())
