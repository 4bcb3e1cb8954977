"""What the lines of a stage's log say."""

import contextlib
import json
import re
from collections.abc import Sequence

from sa1b_captions.observing.log_lines import ERROR, PROGRESS

_URL = re.compile(r"""(https?://)(?:[^\s/@]+@)?([^\s?#"']+)(\?[^\s"']*)?""")
_TIME = re.compile(r"^\d\d:\d\d:\d\d ")
_PREFIX = re.compile(rf"^({ERROR}|{PROGRESS})")


def without_time(line: str) -> str:
    """A line without the time it begins with; one of JSON as it is."""
    return _TIME.sub("", line)


def told(line: str) -> str:
    """A line without its time; of one of JSON its message."""
    if line.startswith("{"):
        with contextlib.suppress(ValueError):
            content = json.loads(line)
            if isinstance(content.get("message"), str):
                return str(content["message"])
    return without_time(line)


def message_of(line: str) -> str:
    """A line without its time and what tells errors and progress from other lines."""
    return _PREFIX.sub("", told(line))


def progress_of(lines: Sequence[str]) -> str:
    """Message of the last line that tells progress, or else of the last one; empty of none."""
    filled = [line for line in lines if line.strip()]
    told = [line for line in filled if _tells_progress(line)]
    return message_of((told or filled or [""])[-1])


def _tells_progress(line: str) -> bool:
    return told(line).startswith(PROGRESS)


def redact(text: str) -> str:
    """Cut the query and login off every URL: signed links are credentials."""
    return _URL.sub(lambda url: f"{url[1]}{url[2]}{'?…' if url[3] else ''}", text)
