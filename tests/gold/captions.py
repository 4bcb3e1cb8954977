"""The gold captions: written by hand, or made by planting one defect into one that was.

tests/gold/{en,zh}.jsonl and anybody's own file hold one object a line:
    id        unique; `-fit-` and `-plain-` mark the plain fit ones of this set
    language  `en` or `zh`
    text      the caption
    expected  every reason that a person would give for rejecting it; empty for a fit one
    optional  reasons that one person would give and another not; counted neither way
    split     only where it was fixed before the hash did it; see `split_of`
    note      what the caption is there for; not read
"""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xxhash

from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.rules import MEANINGS

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "zh")
SPLITS = ("tune", "test")


@dataclass(frozen=True, slots=True)
class Gold:
    """One labelled caption."""

    id: str
    language: str
    text: str
    expected: frozenset[str]
    optional: frozenset[str] = frozenset()
    split: str = "test"
    """`tune` (rules may be tuned on it) or `test` (only the score command reads it)."""
    kind: str = "by hand"
    """Of a planted defect; `plain` or `hard` for a fit caption of this set."""


def split_of(caption_id: str) -> str:
    """The half a caption belongs to for good: its id decides, nobody's choice."""
    return SPLITS[xxhash.xxh3_64_intdigest(caption_id.encode()) % 2]


@functools.cache
def load_gold(language: str) -> tuple[Gold, ...]:
    """All captions of a language that were written by hand, in the order of the file."""
    return tuple(row for row in read_gold(FOLDER / f"{language}.jsonl"))


def read_gold(path: Path) -> list[Gold]:
    """Read a file of labelled captions, in its order; empty lines are passed over.

    Raises:
        PermanentError: naming file and line, at the first line that is no labelled caption.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise PermanentError(f"{path} cannot be read: {error.strerror}") from None
    rows = list(_rows(path, lines))
    if not rows:
        raise PermanentError(f"{path} holds no caption; write one JSON object a line")
    return rows


def _rows(path: Path, lines: list[bytes]) -> Iterator[Gold]:
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = _parse(line)
            if row.id in seen:
                raise ValueError(f"id {row.id!r} is also on line {seen[row.id]}")
        except ValueError as error:
            raise PermanentError(f"{path}, line {number}: {error}") from None
        seen[row.id] = number
        yield row


def _parse(line: bytes) -> Gold:
    """One labelled caption; ValueError says in a few words what is wrong with it."""
    try:
        fields = json.loads(line)
    except ValueError:
        raise ValueError("not JSON in UTF-8; write one object a line") from None
    if not isinstance(fields, dict):
        raise ValueError("not a JSON object")
    caption_id, language, text = (_text(fields, key) for key in ("id", "language", "text"))
    expected = _reasons(fields, "expected")
    optional = _reasons({"optional": []} | fields, "optional")
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r} is unknown; write {' or '.join(LANGUAGES)}")
    if both := expected & optional:
        raise ValueError(f"{', '.join(sorted(both))} is both expected and optional")
    split = fields.get("split") or split_of(caption_id)
    if split not in SPLITS:
        raise ValueError(f"split {split!r} is unknown; write {' or '.join(SPLITS)}, or leave it")
    kind = "by hand"
    if not expected:
        kind = "plain" if {"fit", "plain"} & set(caption_id.split("-")) else "hard"
    return Gold(caption_id, language, text, expected, optional, split, kind)


def _text(fields: dict[str, Any], key: str) -> str:
    if key not in fields:
        raise ValueError(f"lacks {key!r}")
    value = fields[key]
    if not isinstance(value, str) or (key == "id" and not value):
        raise ValueError(f"{key!r} must be a string" + (" with a letter" if key == "id" else ""))
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{key!r} holds half a character (a lone surrogate)") from None
    return value


def _reasons(fields: dict[str, Any], key: str) -> frozenset[str]:
    if key not in fields:
        raise ValueError(f"lacks {key!r}; write [] for a fit caption")
    value = fields[key]
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"{key!r} must be a list of rule names")
    for name in value:
        if name not in MEANINGS:
            raise ValueError(
                f"{key!r} names no rule with {name!r}; {', '.join(MEANINGS)} are rules"
            )
    return frozenset(value)
