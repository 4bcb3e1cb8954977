"""How lines of a stage's log are written: as text for people, or as JSON objects.

Either names the shard, track and sample that the line is about: as its message does, or as the
block of code does that `naming` surrounds.
"""

import contextlib
import datetime as dt
import json
import logging
import re
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from sa1b_captions.recipe import TRACKS

TIME_FORMAT = "%H:%M:%S"

_subject: ContextVar[str] = ContextVar("subject", default="")

_SHARD = r"(?P<shard>sa_[0-9]{6})"
_SUBJECTS = (
    re.compile(
        rf"\b(?P<sample>(?P<track>{'|'.join(TRACKS)})/{_SHARD}/(?P<images>[0-9]+(?:-[0-9]+)*))\b"
    ),
    re.compile(rf"\b(?P<track>{'|'.join(TRACKS)})/{_SHARD}\b"),
    re.compile(rf"\b{_SHARD}\b"),
)
"""What a line may name, the most telling first."""


@contextlib.contextmanager
def naming(subject: str) -> Iterator[None]:
    """Let lines that are logged meanwhile in this thread name a sample, unless they do so."""
    token = _subject.set(subject)
    try:
        yield
    finally:
        _subject.reset(token)


class TextFormatter(logging.Formatter):
    """Time and message, and the sample in parentheses where the message lacks it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", TIME_FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # logging's name
        """The line without its traceback."""
        line, subject = super().formatMessage(record), _subject.get()
        return f"{line} ({subject})" if subject and subject not in line else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, stage: str) -> None:
        """Name the stage in every line."""
        super().__init__()
        self._stage = stage

    def format(self, record: logging.LogRecord) -> str:
        """The object as text."""
        message = record.getMessage()
        content: dict[str, Any] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname.lower(),
            "logger": record.name,
            "stage": self._stage,
            **named(_subject.get() or message),
            "message": message,
        }
        if record.exc_info:
            content["traceback"] = self.formatException(record.exc_info)
        return json.dumps(content, ensure_ascii=False)


def named(text: str) -> dict[str, str]:
    """Shard, track and sample that a text names first, as far as it does."""
    for pattern in _SUBJECTS:
        if found := pattern.search(text):
            parts = found.groupdict()
            return {name: parts[name] for name in ("shard", "track", "sample") if name in parts}
    return {}
