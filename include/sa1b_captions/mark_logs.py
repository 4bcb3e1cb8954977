"""Where marks lie in the store: logs of JSON lines, each written by one process alone.

Stores cannot append, and two that rewrite one object lose what the other added. So every process
has a log of its own, of which it knows all lines, and which only grows. A log that is full stays as
it is for good.
"""

import datetime as dt
import json
import re
import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from sa1b_captions import checked_json, layout
from sa1b_captions.errors import PermanentError
from sa1b_captions.marks import KINDS, M, Mark
from sa1b_captions.storage import Store
from sa1b_captions.typed_json import build

FULL = 500
"""Marks of a log, after which its process begins another."""

MAX_NOTE_CHARS = 2000
_READERS = 16
_TEXT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]*")


class MarkLog:
    """Adds the marks that one process takes."""

    def __init__(self, store: Store, campaign: str) -> None:
        self._store, self._campaign = store, campaign
        self._lines: list[str] = []
        self._full = 0
        self._process = f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:12]}"
        self._lock = threading.Lock()

    def add(self, *marks: Mark) -> None:
        """Store marks; when this returns they are stored, and when it raises none of them counts.

        Raises:
            PermanentError: a note is too long, or a name is not one line of text.
            RetryableError: the store failed. The marks may be added again.
        """
        added = [_checked_line(mark) for mark in marks]
        with self._lock:
            if len(self._lines) >= FULL:
                self._lines, self._full = [], self._full + 1
            lines = [*self._lines, *added]
            text = "".join(f"{line}\n" for line in lines)
            name = f"{self._process}-{self._full:05d}"
            self._store.write(layout.marks_key(self._campaign, name), text.encode())
            self._lines = lines


def read_marks(store: Store, campaign: str, kind: type[M]) -> list[M]:
    """All marks of a kind that anybody made, the first one first.

    Marks of kinds that this version does not know are passed over.

    Raises PermanentError: a line is no mark.
    """
    keys = list(store.list(layout.marks_prefix(campaign)))
    with ThreadPoolExecutor(_READERS) as pool:
        logs = list(pool.map(store.read, keys))
    marks = [
        mark
        for key, data in zip(keys, logs, strict=True)
        for mark in _parse_log(data, store.locate(key))
        if isinstance(mark, kind)
    ]
    return sorted(marks, key=lambda mark: mark.at)  # of one instant, as their logs have them


def line_of(mark: Mark) -> str:
    """A mark as a line of JSON, as it is exported; stored it has a checksum as well."""
    return json.dumps({"kind": mark.KIND, **asdict(mark)}, ensure_ascii=False)


def _checked_line(mark: Mark) -> str:
    if len(mark.note) > MAX_NOTE_CHARS:
        raise PermanentError(
            f"the note has {len(mark.note):,} characters; at most {MAX_NOTE_CHARS:,} are kept"
        )
    if not mark.who or not _TEXT.fullmatch(mark.who + mark.note + mark.sample_id):
        raise PermanentError("a mark needs a login, and its note is one line of plain text")
    return checked_json.line({"kind": mark.KIND, **asdict(mark)})


def _parse_log(data: bytes, where: str) -> Sequence[Mark]:
    if not data:  # a process that took no mark wrote no log
        raise PermanentError(f"{where} is no log of marks: it is empty; restore it, or delete it")
    marks = []
    for number, line in enumerate(data.splitlines(), 1):
        try:
            content = checked_json.parse(line)
            kind = KINDS.get(content.get("kind", ""))
            if kind is not None:
                marks.append(build(kind, content))
        except (ValueError, TypeError) as error:
            raise PermanentError(
                f"line {number} of {where} is no mark: {error}; restore the object, or take the "
                "line out"
            ) from None
    return marks
