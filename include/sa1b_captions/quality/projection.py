"""How many captions a track will release, told from the shards that are curated so far.

Shards are taken for a random sample of all. What dedup leaves out across shards is not known
before it runs, and comes off: the projection is what the rules accept.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from sa1b_captions.plurals import counted
from sa1b_captions.receipts.findings import Check
from sa1b_captions.recipe import Track

MIN_SHARDS = 5
"""Fewest shards whose spread says how far the others may stray."""

DEVIATIONS = 3.0
"""Standard deviations between the projection and either end of its interval."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Captions that a track will have when all its shards are curated."""

    track: str
    target: int | None
    """Captions that the recipe asks for."""
    curated: int
    """Shards that this is told from."""
    shards: int
    """Of so many."""
    rows: int
    """Captions accepted if the other shards are like these."""
    low: int
    """Three standard deviations fewer; 0 where too few shards are curated to say."""
    high: int | None
    """Three more; None where too few shards are curated to say."""

    @property
    def falls_short(self) -> bool:
        """Whether the target is out of reach, chance allowed for."""
        return self.target is not None and self.high is not None and self.high < self.target

    @property
    def in_doubt(self) -> bool:
        """Whether the target may be missed, and may be reached."""
        return self.target is not None and not self.falls_short and self.low < self.target

    def describe(self) -> str:
        """One line for people."""
        curated = counted(self.curated, "shard")
        many = f"{self.track}: {counted(self.rows, 'caption')} projected from {curated}"
        if self.high is not None and self.low < self.high:
            many += f" ({self.low:,} to {self.high:,})"
        if self.target is None:
            return many
        word = "short of" if self.falls_short else "perhaps short of" if self.in_doubt else "for"
        return f"{many}, {word} a target of {self.target:,}"


def project(track: Track, accepted: Sequence[int], shards: int) -> Projection | None:
    """Project a track's captions; None where no shard is curated.

    Args:
        accepted: captions accepted of each curated shard, in any order.
        shards: how many the recipe has, at least as many.
    """
    if not accepted:
        return None
    done, left = len(accepted), shards - len(accepted)
    rows = sum(accepted) + left * statistics.fmean(accepted)
    low, high = 0, None
    if not left:
        low = high = sum(accepted)
    elif done >= MIN_SHARDS:
        # Of the others' sum, beside a mean that is itself measured on so many.
        error = statistics.stdev(accepted) * (left + left * left / done) ** 0.5
        low = max(sum(accepted), round(rows - DEVIATIONS * error))
        high = round(rows + DEVIATIONS * error)
    return Projection(track.name, track.target, done, shards, round(rows), low, high)


def check_projection(projection: Projection | None) -> list[Check]:
    """A warning beside a shard's checks: at this rate, does its track reach the target?

    Nothing where the recipe names no target or too few shards are curated.
    """
    if projection is None or projection.target is None or projection.high is None:
        return []
    track, others = projection.track, projection.curated - 1
    return [
        Check(
            name="target_in_reach",
            description=(
                f"With shards like this and the {others} nearest, {track} reaches its target of "
                f"{counted(projection.target, 'caption')}, chance allowed for"
            ),
            severity="warning",
            success=not projection.falls_short,
            crashed=False,
            observed=f"{projection.rows:,} ({projection.low:,} to {projection.high:,})",
        )
    ]
