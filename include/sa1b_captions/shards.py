"""Shard names, shard selections, and which shards a date stands for.

A shard is one SA-1B archive, named as Meta names it: `sa_000000` to `sa_000999`.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence

from sa1b_captions.errors import PermanentError

SHARD_PATTERN = r"sa_[0-9]{6}"
SELECTION_PATTERN = r"(sa_)?[0-9]{1,6}(-(sa_)?[0-9]{1,6})?"
"""One item of a selection: `17`, `0-9`, `sa_000017` or `sa_000000-sa_000009`."""

_MAX_SHARD = 999_999


def shard_name(number: int) -> str:
    """Name the shard with this number: 17 is `sa_000017`.

    Raises PermanentError: SA-1B numbers no shard so.
    """
    if not 0 <= number <= _MAX_SHARD:
        raise PermanentError(f"shard number {number} is outside 0-{_MAX_SHARD}")
    return f"sa_{number:06d}"


def shard_number(shard: str) -> int:
    """Number of a shard name: `sa_000017` is 17. Raises PermanentError if it is no shard name."""
    if not re.fullmatch(SHARD_PATTERN, shard):
        raise PermanentError(f"{shard!r} is not a shard name; expected the form sa_000017")
    return int(shard.removeprefix("sa_"))


def parse_selection(text: str) -> list[str]:
    """Expand `0-9,17,sa_000020` into shard names, ascending and without repeats.

    Raises PermanentError naming the part that selects no shards, or the text if it is empty.
    """
    numbers: set[int] = set()
    for item in (part.strip() for part in text.split(",")):
        if not item:
            continue
        if not re.fullmatch(SELECTION_PATTERN, item):
            raise PermanentError(
                f"{item!r} does not select shards; write numbers, ranges or names, "
                "for example 0-9,17 or sa_000020"
            )
        first, _, last = item.replace("sa_", "").partition("-")
        low, high = int(first), int(last or first)
        if high < low:
            raise PermanentError(f"{item!r} runs backwards; write {high}-{low}")
        numbers.update(range(low, high + 1))
    if not numbers:
        raise PermanentError("no shards selected; name some, for example 0-9,17")
    return [shard_name(number) for number in sorted(numbers)]


def format_selection(shards: Iterable[str]) -> str:
    """Shortest selection that `parse_selection` expands to these shards."""
    runs: list[list[int]] = []
    for number in sorted({shard_number(shard) for shard in shards}):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{low}" if low == high else f"{low}-{high}" for low, high in runs)


def pack(shards: Sequence[str], size: int) -> list[str]:
    """Selections of at most `size` shards each, in order; a lone shard goes by its own name."""
    groups = [shards[start : start + size] for start in range(0, len(shards), size)]
    return [group[0] if len(group) == 1 else format_selection(group) for group in groups]


def shards_of_date(
    date: dt.date, *, start_date: dt.date, shards: Sequence[str], shards_per_run: int
) -> list[str]:
    """Shards that the scheduled run of a date works on: day n takes [n*k, n*k + k).

    Empty before `start_date` and past the last shard.
    """
    day = (date - start_date).days
    if day < 0:
        return []
    return list(shards[day * shards_per_run : (day + 1) * shards_per_run])
