"""Numbers of captioned shards together, and how they went over time."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sa1b_captions.stages.status.outlook import finished, hours_of
from sa1b_captions.stages.status.shard_figures import TrackFigures
from sa1b_captions.stages.status.status import ShardStatus

MOST_SPANS = 48
"""Spans of time that a campaign is cut into at most."""

_MINUTE, _HOUR, _DAY = (dt.timedelta(seconds=seconds) for seconds in (60, 3600, 86_400))
_WIDTHS = (
    *(count * _MINUTE for count in (1, 5, 15)),
    *(count * _HOUR for count in (1, 3, 6, 12)),
    *(count * _DAY for count in (1, 2, 7, 14, 28, 91, 364)),
)


@dataclass(slots=True)
class Totals:
    """Some shards together; a number that none of them tells is None."""

    shards: int = 0
    """As are the hours and tokens beside them, captioned in all tracks."""
    _tokens: int = 0
    _hours: float = 0.0
    _occupied: list[tuple[float, int]] = field(default_factory=list)
    _rejected: list[tuple[int, int]] = field(default_factory=list)
    _chars: list[tuple[int, int]] = field(default_factory=list)

    def add_shard(self, shard: ShardStatus) -> None:
        """Count a shard that is captioned in all tracks."""
        self.shards += 1
        hours = hours_of(shard)
        tokens = [figures.tokens for figures in shard.figures.values()]
        if hours and all(one is not None for one in tokens):
            self._hours += hours
            self._tokens += sum(one or 0 for one in tokens)

    def add_track(self, figures: TrackFigures) -> None:
        """Count what is told of a track of a shard."""
        if figures.occupancy is not None:
            self._occupied.append((figures.occupancy, figures.planned))
        if figures.rejected is not None:
            self._rejected.append((figures.rejected, figures.planned))
        if figures.chars is not None and figures.captions is not None:
            self._chars.append((figures.chars, figures.captions))

    @property
    def tokens_per_s(self) -> float | None:
        """Tokens of a shard's captions over the time between its first and its last caption."""
        return self._tokens / (self._hours * 3600) if self._hours else None

    @property
    def occupancy(self) -> float | None:
        """Mean window occupancy, every sample counting alike."""
        return _ratio((share * planned, planned) for share, planned in self._occupied)

    @property
    def reject_share(self) -> float | None:
        """Rejected part of the planned samples."""
        return _ratio(self._rejected)

    @property
    def mean_chars(self) -> float | None:
        """Mean length of the captions, in characters."""
        return _ratio(self._chars)

    @property
    def told_by(self) -> int:
        """Tracks of shards whose occupancy tells whether the engine waited."""
        return len(self._occupied)


def _ratio(parts: Iterable[tuple[float, int]]) -> float | None:
    pairs = list(parts)
    whole = sum(pair[1] for pair in pairs)
    return sum(pair[0] for pair in pairs) / whole if whole else None


def sum_up(shards: Iterable[ShardStatus], track: str) -> Totals:
    """Numbers of shards together; occupancy, rejected and lengths of one track."""
    found = Totals()
    for shard in shards:
        if finished(shard) is not None:
            found.add_shard(shard)
        if (figures := shard.figures.get(track)) is not None:
            found.add_track(figures)
    return found


@dataclass(frozen=True, slots=True)
class OverTime:
    """Spans of equal length, from the first shard that was captioned to the last."""

    width: dt.timedelta
    begins: list[dt.datetime]
    totals: list[Totals]
    """Of what was captioned in each span."""

    def values(self, number: Callable[[Totals], float | None]) -> list[float | None]:
        """One number of each span."""
        return [number(one) for one in self.totals]


def over_time(shards: Sequence[ShardStatus], track: str) -> OverTime:
    """Sum up shards by when they were captioned, as `sum_up`; no spans where nobody knows."""
    ends = [(at, shard) for shard in shards if (at := finished(shard)) is not None]
    tracks = [
        (at, figures)
        for shard in shards
        if (figures := shard.figures.get(track)) is not None and (at := figures.finished)
    ]
    times = [*(at for at, _ in ends), *(at for at, _ in tracks)]
    if not times:
        return OverTime(_WIDTHS[0], [], [])
    width = next(
        (one for one in _WIDTHS if (max(times) - min(times)) / one < MOST_SPANS - 1), _WIDTHS[-1]
    )
    first = _start(min(times), width)
    count = int((max(times) - first) / width) + 1
    totals = [Totals() for _ in range(count)]
    for at, shard in ends:
        totals[int((at - first) / width)].add_shard(shard)
    for at, figures in tracks:
        totals[int((at - first) / width)].add_track(figures)
    return OverTime(width, [first + place * width for place in range(count)], totals)


def _start(at: dt.datetime, width: dt.timedelta) -> dt.datetime:
    """Begin of a span: a full minute, hour or day, as the width is."""
    midnight = at.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (at - midnight) // width * width
