"""What two pages compare: the sides that an address names, aligned, and remembered for a moment."""

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.browse.bounded import Bounded
from sa1b_captions.recipe import TRACKS
from sa1b_captions.release.comparing.difference import KINDS
from sa1b_captions.release.comparing.judged import Marks, collect_marks
from sa1b_captions.release.comparing.sides import ReleaseSide, Side
from sa1b_captions.shards import SHARD_PATTERN
from sa1b_captions.stages.compare_shard import Compared, compare_shard, open_shard_side
from sa1b_captions.stages.diff import CAMPAIGN
from sa1b_console.common import NotThere

_FRESH_S = 20.0
"""Seconds for which what was aligned counts: captions may be made again."""
_MOST_SAMPLES = 60_000
_FRESH_MARKS_S = 3.0
_NAME = re.compile(r"[\w.:-]{1,90}", re.ASCII)

_releases: Bounded[tuple[str, str], ReleaseSide] = Bounded(3)
_aligned: Bounded[tuple[str, ...], Compared] = Bounded(
    _MOST_SAMPLES, lambda one: sum(rows.height for rows in one.rows.values())
)
_marks: Bounded[tuple[str, ...], tuple[float, Marks]] = Bounded(4)
_reading = threading.Lock()


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for."""

    before: str
    after: str
    track: str
    shard: str
    kind: str = "changed"
    """One of `difference.KINDS`."""
    after_key: str = ""
    """Of a page: rows behind it are shown."""
    seed: int = 0
    """Draws the order of blind pairs."""

    def query(self, **changes: str) -> str:
        """As part of an address, with some values changed."""
        values = {name: getattr(self, name) for name in ("before", "after", "track", "shard")}
        values |= {"kind": self.kind, "seed": str(self.seed)} | changes
        return urlencode({name: value for name, value in values.items() if value})

    def require_names(self) -> None:
        """Refuse names that could lie outside the store.

        Raises PermanentError: which of them, and how it is written.
        """
        for name in (self.before, self.after):
            if not _NAME.fullmatch(name):
                raise PermanentError(
                    f"{name[:40]!r} names nothing to compare; write a release as in v1, "
                    "campaign:NAME or generation:NAME"
                )
        if self.track not in TRACKS:
            raise PermanentError(f"there is no track {self.track[:40]!r}")
        if not re.fullmatch(SHARD_PATTERN, self.shard):
            raise PermanentError("a shard is named like sa_000017")


def parse_asked(campaign: Campaign, values: Mapping[str, str]) -> Asked:
    """What an address asks for, with the campaign's own captions and first shard to begin with.

    Raises NotThere: a value is none.
    """
    seed, kind = values.get("seed", ""), values.get("kind") or "changed"
    if kind not in KINDS or not re.fullmatch(r"-?[0-9]{0,9}", seed, re.ASCII) or seed == "-":
        raise NotThere("there is no such kind of change, or the seed is no whole number")
    shard = values.get("shard") or campaign.recipe.shards[0]
    return Asked(
        before=values.get("before", "").strip(),
        after=values.get("after", "").strip() or f"{CAMPAIGN}{campaign.name}",
        track=values.get("track") or TRACKS[0],
        shard=f"sa_{int(shard):06d}" if re.fullmatch("[0-9]{1,6}", shard, re.ASCII) else shard,
        kind=kind,
        after_key=values.get("after_key", ""),
        seed=int(seed or 0),
    )


def align(campaign: Campaign, asked: Asked) -> Compared:
    """Both sides of a shard's track. Raises PermanentError: a side is missing or cannot be read."""
    asked.require_names()
    span = str(int(time.monotonic() / _FRESH_S))
    key = (
        *(campaign.store.url, campaign.name, campaign.quality_fingerprint, span),
        *(asked.before, asked.after, asked.track, asked.shard),
    )

    def read() -> Compared:
        before, after = (_open(campaign, asked.shard, one) for one in (asked.before, asked.after))
        with _reading:  # a release's side holds one row group, for one reader
            return compare_shard(before, after, asked.track, asked.shard)

    return _aligned.get(key, read)


def marks_of_pair(campaign: Campaign, compared: Compared, *, fresh: bool = False) -> Marks:
    """Marks of captions and pairs in the campaigns of both sides, a few seconds old at most.

    Raises PermanentError: a stored mark is damaged.
    """
    names = (compared.before.campaign, compared.after.campaign)
    key = (campaign.store.url, *names)
    at, marks = _marks.get(key, lambda: (time.monotonic(), collect_marks(campaign.store, names)))
    if fresh or time.monotonic() - at > _FRESH_MARKS_S:
        _marks.drop(key)
        _, marks = _marks.get(key, lambda: (time.monotonic(), collect_marks(campaign.store, names)))
    return marks


def _open(campaign: Campaign, shard: str, name: str) -> Side:
    known = (campaign.store.url, name)
    if ":" in name:
        return open_shard_side(campaign, shard, name)

    def open_release() -> ReleaseSide:
        side = open_shard_side(campaign, shard, name)
        if not isinstance(side, ReleaseSide):
            raise PermanentError(f"{name} is no release")
        return side

    return _releases.get(known, open_release)  # a release never changes
