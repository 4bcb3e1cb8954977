"""When a campaign's captions will be there and what they cost, told from the shards there are.

Rates are of shards that are captioned in all tracks. Their ends are taken for things that happen by
chance at an even rate, which gives the rate its interval; hours of a shard, for a random sample of
all shards' hours.
"""

import datetime as dt
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from sa1b_captions.plurals import counted
from sa1b_captions.quality.projection import DEVIATIONS, MIN_SHARDS
from sa1b_captions.settings import Settings
from sa1b_captions.settings.profiles import load_profile
from sa1b_captions.stages.status.shard_figures import instant
from sa1b_captions.stages.status.status import CampaignStatus, ShardStatus

LAST_SHARDS = 60
"""Shards captioned last whose times say how fast the campaign is."""

WHOLE = 0.9
"""Part of a shard's samples that one run must have captioned for its time to be the shard's."""

_Z = 1.96
"""Of the rate's interval, which holds in 95 of 100 cases."""
_DAY_S, _HOUR_S = 86_400.0, 3600.0
_FAR_DAYS = 36_500.0


@dataclass(frozen=True, slots=True)
class Interval:
    """A number that is told from few others."""

    value: float
    low: float | None
    """None, as `high`, where it is told from fewer shards than say how far the others may stray."""
    high: float | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """How fast a campaign goes, and what is left of it."""

    shards: int
    captioned: int
    """Captioned in all tracks, and not stale."""
    left: float
    """Shards to caption; of one that is begun, the part that is left."""
    timed: int
    """Captioned shards of which it is known how long they took (`hours_of`)."""
    window: int
    """Shards whose ends the rate is told from."""
    since: str | None
    """When the first of them ended. Times are ISO 8601, UTC."""
    shards_per_day: Interval | None
    ends_at: str | None
    """When the last shard is captioned at this rate; None without a rate, or in no lifetime."""
    ends_early: str | None
    ends_late: str | None
    spent_h: float
    """Hours that captioning the timed shards took together: waiting for a pod and loading the model
    are not in it; of a shard that took several runs, what passed between them is."""
    to_go_h: Interval | None
    """The same for what is left, if the other shards are like these."""

    def describe(self) -> str:
        """One line for people."""
        line = f"{self.captioned:,} of {counted(self.shards, 'shard')} captioned in all tracks"
        if self.shards_per_day is None:
            return f"{line}; no rate from fewer than {counted(MIN_SHARDS, 'shard')}"
        rate = self.shards_per_day
        value, low, high = (_number(one) for one in (rate.value, rate.low, rate.high))
        line += f", {value} a day ({low} to {high})"
        if self.left and self.ends_at is not None:
            early, late = (_day(at) for at in (self.ends_early, self.ends_late))
            line += f"; the last about {_day(self.ends_at)} ({early} to {late})"
        return line


def _number(value: float | None) -> str:
    """Three digits, or all before the point."""
    value = value or 0
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def outlook(status: CampaignStatus, now: dt.datetime) -> Outlook:
    """Tell it from how all shards stand.

    Args:
        status: of all the recipe's shards.
        now: the rate falls while no shard ends; once all have ended it stays.
    """
    shards = status.shards
    whole = [shard for shard in shards if captioned(shard)]
    ends = sorted(at for shard in whole if (at := finished(shard)) is not None)[-LAST_SHARDS:]
    left = sum(1 - share for share in shares_done(shards))
    rate = _rate(ends, now if left or not ends else ends[-1])
    early, late = (None, None) if rate is None else (rate.high, rate.low)
    hours = [spent for shard in whole if (spent := hours_of(shard)) is not None]
    return Outlook(
        shards=len(shards),
        captioned=len(whole),
        left=left,
        timed=len(hours),
        window=len(ends),
        since=ends[0].isoformat(timespec="seconds") if ends else None,
        shards_per_day=rate,
        ends_at=_end(now, left, rate.value if rate else None),
        ends_early=_end(now, left, early),
        ends_late=_end(now, left, late),
        spent_h=sum(hours),
        to_go_h=_to_go(hours, left),
    )


def _rate(ends: Sequence[dt.datetime], now: dt.datetime) -> Interval | None:
    """Shards a day from the times when some ended; the first one opens the time that is counted."""
    if len(ends) < MIN_SHARDS:
        return None
    days = max((now - ends[0]).total_seconds(), 1.0) / _DAY_S
    count = len(ends) - 1
    # Wilson and Hilferty's ends of the exact interval of a count.
    low = count * (1 - 1 / (9 * count) - _Z / (3 * math.sqrt(count))) ** 3
    above = count + 1
    high = above * (1 - 1 / (9 * above) + _Z / (3 * math.sqrt(above))) ** 3
    return Interval(count / days, max(low, 0.0) / days, high / days)


def _end(now: dt.datetime, left: float, per_day: float | None) -> str | None:
    if not per_day or left / per_day > _FAR_DAYS:
        return None
    return (now + dt.timedelta(days=left / per_day)).isoformat(timespec="seconds")


def _to_go(hours: Sequence[float], left: float) -> Interval | None:
    if not hours:
        return None
    mean = statistics.fmean(hours)
    if len(hours) < MIN_SHARDS:
        return Interval(mean * left, None, None)
    # The mean of those that are captioned strays, and so does each that is not.
    error = statistics.stdev(hours) * math.sqrt(left**2 / len(hours) + left)
    low, high = (max(0.0, mean * left + sign * DEVIATIONS * error) for sign in (-1, 1))
    return Interval(mean * left, low, high)


def captioned(shard: ShardStatus) -> bool:
    """Whether every track is captioned, and none is stale."""
    return all(shard.tracks.values())


def finished(shard: ShardStatus) -> dt.datetime | None:
    """When the last caption of a shard came; None where one of its tracks does not tell."""
    ends = [found.finished for found in shard.figures.values()]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(shard.tracks) else None


def hours_of(shard: ShardStatus) -> float | None:
    """Hours that captioning a shard took; None where its tracks do not tell.

    As the run says that captioned it; of several runs, from the first caption to the last.
    """
    if len(shard.figures) < len(shard.tracks):
        return None
    figures = list(shard.figures.values())
    planned = sum(found.planned for found in figures)
    runs = {(found.run_s, found.run_samples) for found in figures}
    if len(runs) == 1:
        seconds, samples = runs.pop()
        if seconds is not None and samples and samples >= WHOLE * planned:
            return seconds * planned / samples / _HOUR_S
    times = [instant(at) for found in figures for at in (found.began_at, found.ended_at)]
    known = [at for at in times if at is not None]
    if len(known) < len(times):
        return None
    return (max(known) - min(known)).total_seconds() / _HOUR_S


def shares_done(shards: Sequence[ShardStatus]) -> list[float]:
    """Of each shard the part of its samples that is captioned, in whole tracks.

    A track that is not captioned is as long as that track usually is.
    """
    tracks = list(dict.fromkeys(track for shard in shards for track in shard.tracks))
    planned = {
        track: [one.planned for shard in shards if (one := shard.figures.get(track)) is not None]
        for track in tracks
    }
    medians = {track: statistics.median(found) if found else 1 for track, found in planned.items()}
    shares = []
    for shard in shards:
        sizes = {
            track: one.planned if (one := shard.figures.get(track)) else medians[track]
            for track in shard.tracks
        }
        done = sum(sizes[track] for track, step in shard.tracks.items() if step)
        whole = sum(sizes.values())
        shares.append(1.0 if captioned(shard) else done / whole if whole else 0.0)
    return shares


def gpus_of_worker(settings: Settings) -> int | None:
    """GPUs that caption one shard; None where this deployment's settings do not say."""
    if settings.runtime == "pod":
        return load_profile(settings.gpu_profile).gpus
    return settings.tensor_parallel if settings.engine == "lmdeploy" else None


def _day(at: str | None) -> str:
    return "no end in sight" if at is None else at[:10]
