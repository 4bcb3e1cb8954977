"""What the lines of a stage's log say."""

import re
from collections.abc import Sequence

from sa1b_captions.log_lines import ERROR, PROGRESS

_URL = re.compile(r"""(https?://)(?:[^\s/@]+@)?([^\s?#"']+)(\?[^\s"']*)?""")
_TIME = re.compile(r"^\d\d:\d\d:\d\d ")
_PREFIX = re.compile(rf"^\d\d:\d\d:\d\d ({ERROR}|{PROGRESS})?")


def without_time(line: str) -> str:
    """A line without the time it begins with."""
    return _TIME.sub("", line)


def message_of(line: str) -> str:
    """A line without its time and what tells errors and progress from other lines."""
    return _PREFIX.sub("", line)


def progress_of(lines: Sequence[str]) -> str:
    """Message of the last line that tells progress, or else of the last one; empty of none."""
    filled = [line for line in lines if line.strip()]
    told = [line for line in filled if _tells_progress(line)]
    return message_of((told or filled or [""])[-1])


def _tells_progress(line: str) -> bool:
    found = _PREFIX.match(line)
    return bool(found and found[1] == PROGRESS)


def redact(text: str) -> str:
    """Cut the query and login off every URL: signed links are credentials."""
    return _URL.sub(lambda url: f"{url[1]}{url[2]}{'?…' if url[3] else ''}", text)
