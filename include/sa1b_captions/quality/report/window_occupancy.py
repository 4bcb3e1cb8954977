"""Window occupancy in the reports: whether engines waited for images, as caption receipts tell.

Nothing is wrong with captions that were written slowly, so what is found here is a remark and
changes no verdict.
"""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from sa1b_captions.plurals import counted
from sa1b_captions.receipts import ENOUGH_OCCUPANCY, Occupancy
from sa1b_captions.receipts.findings import Check

LOWEST_SHARDS = 10

ByTrack = Mapping[str, Occupancy]
"""What each track's receipt says."""


@dataclass(frozen=True, slots=True)
class ReleaseOccupancy:
    """Window occupancy over the shards of a release."""

    shards: int
    """Shards that have a number."""
    low: int
    """Shards whose engine waited."""
    median: float | None
    lowest: list[tuple[str, Occupancy]]
    """Shards, the lowest first; those whose number says little only where all do."""


def occupancy_rows(found: ByTrack) -> list[tuple[list[str], Occupancy]]:
    """Each number once, with the tracks that were captioned together."""
    rows: dict[Occupancy, list[str]] = {}
    for track, occupancy in found.items():
        rows.setdefault(occupancy, []).append(track)
    return [(tracks, occupancy) for occupancy, tracks in rows.items()]


def check_shard(found: ByTrack) -> dict[str, list[Check]]:
    """A remark for each number that is worth one, with the first of its tracks."""
    return {
        tracks[0]: [_check(not one.low, f"{one.share:.2f}")]
        for tracks, one in occupancy_rows(found)
        if one.tells
    }


def sum_up(by_shard: Mapping[str, ByTrack]) -> ReleaseOccupancy:
    """Put the shards of a release beside each other, each by the number of most samples."""
    numbers = [
        (shard, max(measured, key=lambda one: one.samples))
        for shard, found in by_shard.items()
        if (measured := [one for one in found.values() if one.share is not None])
    ]
    telling = [(shard, one) for shard, one in numbers if one.tells] or numbers
    lowest = sorted(telling, key=lambda pair: (pair[1].share or 0, pair[0]))
    return ReleaseOccupancy(
        shards=len(telling),
        low=sum(one.low for _, one in telling),
        median=statistics.median(one.share or 0 for _, one in telling) if telling else None,
        lowest=lowest[:LOWEST_SHARDS],
    )


def check_release(found: ReleaseOccupancy) -> list[Check]:
    """A remark on the release; none where no number is worth one."""
    if not any(one.tells for _, one in found.lowest):
        return []
    return [
        _check(not found.low, f"{found.shards - found.low:,} of {counted(found.shards, 'shard')}")
    ]


def _check(success: bool, observed: str) -> Check:
    return Check(
        name="engine_fed",
        description=(
            "The engine never waited for photographs "
            f"(window occupancy of {ENOUGH_OCCUPANCY:g} or more)"
        ),
        severity="info",
        success=success,
        crashed=False,
        observed=observed,
    )
