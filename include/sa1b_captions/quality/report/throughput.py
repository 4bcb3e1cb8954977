"""Throughput: whether engines waited for photographs, as caption receipts tell, for the reports.

Nothing is wrong with captions that were written slowly, so what is found here is a remark and
changes no verdict.
"""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.efficiency import ENOUGH, Efficiency, read_efficiency
from sa1b_captions.quality.checks import Check
from sa1b_captions.receipts import read_receipt

LOWEST_SHARDS = 10

ByTrack = Mapping[str, Efficiency]
"""What each track's receipt says."""


@dataclass(frozen=True, slots=True)
class ReleaseThroughput:
    """Efficiency over the shards of a release."""

    shards: int
    """Those that have a number."""
    low: int
    """Those among them whose engine waited."""
    median: float | None
    lowest: list[tuple[str, Efficiency]]
    """Shards, the least efficient first; those whose number says little only where all do."""


def read_throughput(campaign: Campaign, shard: str, tracks: Iterable[str]) -> dict[str, Efficiency]:
    """What the caption receipts of a shard's tracks say; nothing of a track without one."""
    found = {
        track: read_receipt(campaign.store, layout.caption_receipt_key(campaign.name, track, shard))
        for track in tracks
    }
    return {track: read_efficiency(receipt) for track, receipt in found.items() if receipt}


def throughput_rows(found: ByTrack) -> list[tuple[list[str], Efficiency]]:
    """Each number once, with the tracks that were captioned together."""
    rows: dict[Efficiency, list[str]] = {}
    for track, efficiency in found.items():
        rows.setdefault(efficiency, []).append(track)
    return [(tracks, efficiency) for efficiency, tracks in rows.items()]


def check_shard(found: ByTrack) -> dict[str, list[Check]]:
    """A remark for each number that is worth one, with the first of its tracks."""
    return {
        tracks[0]: [_check(not one.efficiency_low, f"{one.efficiency:.2f}")]
        for tracks, one in throughput_rows(found)
        if _tells(one)
    }


def sum_up(by_shard: Mapping[str, ByTrack]) -> ReleaseThroughput:
    """Put the shards of a release beside each other, each by the number of most samples."""
    numbers = [
        (shard, max(measured, key=lambda one: one.efficiency_samples))
        for shard, found in by_shard.items()
        if (measured := [one for one in found.values() if one.efficiency is not None])
    ]
    telling = [(shard, one) for shard, one in numbers if _tells(one)] or numbers
    lowest = sorted(telling, key=lambda pair: (pair[1].efficiency or 0, pair[0]))
    return ReleaseThroughput(
        shards=len(telling),
        low=sum(one.efficiency_low for _, one in telling),
        median=statistics.median(one.efficiency or 0 for _, one in telling) if telling else None,
        lowest=lowest[:LOWEST_SHARDS],
    )


def check_release(found: ReleaseThroughput) -> list[Check]:
    """A remark on the release; none where no number is worth one."""
    if not any(_tells(one) for _, one in found.lowest):
        return []
    return [_check(not found.low, f"{found.shards - found.low:,} of {found.shards:,} shards")]


def _tells(one: Efficiency) -> bool:
    return one.efficiency is not None and one.efficiency_note is None


def _check(success: bool, observed: str) -> Check:
    return Check(
        name="engine_fed",
        description=f"The engine never waited for photographs (efficiency of {ENOUGH:g} or more)",
        severity="info",
        success=success,
        crashed=False,
        observed=observed,
    )
