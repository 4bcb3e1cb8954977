"""Captioned shards that are unlike the others: the slowest, and those with odd numbers.

A number is odd by how many times the usual deviation it lies from the median of its track's shards;
both are taken so that the odd ones themselves hardly move them.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sa1b_captions.quality.projection import MIN_SHARDS
from sa1b_captions.stages.status.outlook import hours_of
from sa1b_captions.stages.status.shard_figures import TrackFigures
from sa1b_captions.stages.status.status import ShardStatus

ODD_FROM = 4.0
"""Deviations from which on a shard is odd: of a thousand even ones, fewer than one is."""

_NORMAL = 1.4826
"""Deviations of a normal distribution in one median absolute deviation."""
_FLAT = 0.01
"""Least deviation, as a part of the median: shards that are all alike make nothing odd."""


def reject_share(figures: TrackFigures) -> float | None:
    """Rejected part of the planned samples; None until the track is curated."""
    if figures.rejected is None or not figures.planned:
        return None
    return figures.rejected / figures.planned


def mean_chars(figures: TrackFigures) -> float | None:
    """Mean length of the captions, in characters."""
    return _ratio(figures.chars, figures.captions)


def _ratio(part: int | None, whole: int | None) -> float | None:
    return part / whole if part is not None and whole else None


MEASURES: Mapping[str, Callable[[TrackFigures], float | None]] = {
    "rejected": reject_share,
    "characters": mean_chars,
    "occupancy": lambda figures: figures.occupancy,
}
"""Numbers of a track by name; a share of the samples, a mean length, and `Occupancy.share`."""


@dataclass(frozen=True, slots=True)
class Outlier:
    """One odd number of a shard."""

    shard: str
    track: str
    measure: str
    """One of `MEASURES`."""
    value: float
    median: float
    """Of all shards of the track."""
    deviations: float
    """How far off; negative below the median."""


def find_outliers(shards: Sequence[ShardStatus]) -> list[Outlier]:
    """Odd numbers of captioned shards, the oddest first; none where a track has too few."""
    found = []
    for track in dict.fromkeys(track for shard in shards for track in shard.figures):
        of_track = {shard.shard: shard.figures[track] for shard in shards if track in shard.figures}
        for name, measure in MEASURES.items():
            values = {
                shard: value
                for shard, figures in of_track.items()
                if (value := measure(figures)) is not None
            }
            found += _odd(track, name, values, of_track)
    return sorted(found, key=lambda one: (-abs(one.deviations), one.shard))


def _odd(
    track: str, name: str, values: Mapping[str, float], figures: Mapping[str, TrackFigures]
) -> list[Outlier]:
    if len(values) < MIN_SHARDS:
        return []
    median = statistics.median(values.values())
    spread = statistics.median(abs(value - median) for value in values.values())
    deviation = max(spread * _NORMAL, abs(median) * _FLAT, 1e-6)
    odd = []
    for shard, value in values.items():
        # Of a few samples, chance alone rejects one more or less.
        samples = max(figures[shard].planned, 1)
        chance = math.sqrt(max(median, 1 / samples) / samples) if name == "rejected" else 0.0
        deviations = (value - median) / max(deviation, chance)
        if abs(deviations) > ODD_FROM:
            odd.append(Outlier(shard, track, name, value, median, deviations))
    return odd


def slowest(shards: Sequence[ShardStatus], most: int) -> list[tuple[str, float]]:
    """Shards that took longest from the first caption to the last, and their hours."""
    timed = [(shard.shard, hours) for shard in shards if (hours := hours_of(shard)) is not None]
    return sorted(timed, key=lambda one: (-one[1], one[0]))[:most]
