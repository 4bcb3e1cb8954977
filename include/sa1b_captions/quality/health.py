"""Shard health: whether one track of a shard looks like the reference, and like its neighbours.

A model that degraded on one node writes captions that pass every row rule: shorter ones, or loops
for a hundredth of the images. That shows in distributions. Each measure has two limits, and what
chance explains in so few rows is allowed for, so the same limits judge 79 captions and 11,000.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sa1b_captions.limits import HealthLimits
from sa1b_captions.quality.distributions import (
    Counts,
    ks_distance,
    ks_limit,
    median_and_mad,
    psi,
    psi_limit,
    share_limit,
)
from sa1b_captions.quality.reference import TrackReference, describe_track

ShardMetrics = Mapping[str, Any]
"""`metrics.json` of one track of a shard."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One number about a shard, and what it may be."""

    name: str
    """`psi`, `ks_distance`, `tail_share`, `common_tokens_share`, `rejected` or a reason."""
    against: str
    """`reference` or `neighbours`: what says which value is usual."""
    value: float
    usual: float
    warning: float
    """The value above which it warns, chance allowed for."""
    critical: float

    @property
    def severity(self) -> str | None:
        """`critical`, `warning`, or None where nothing is wrong."""
        if self.value > self.critical:
            return "critical"
        return "warning" if self.value > self.warning else None


def measure_health(
    shard: ShardMetrics,
    reference: TrackReference | None,
    neighbours: Sequence[ShardMetrics],
    limits: HealthLimits,
) -> list[Measure]:
    """Measure one track of a shard.

    Args:
        shard: its metrics.
        reference: the pinned one, if any.
        neighbours: metrics of the same track of other shards, the nearest first.
        limits: the recipe's.

    Returns:
        Measures against the reference, then against the neighbours; none where there is neither, or
        where the shard has no caption.
    """
    lengths = Counts.pool([shard["captioned"]["chars"]])
    if not lengths.total:
        return []
    found: list[Measure] = []
    if reference is not None:
        found += _compare(shard, lengths, reference, limits, "reference")
    near = [one for one in neighbours if one["captioned"]["rows"]][: limits.neighbours]
    if len(near) >= limits.min_neighbours:
        usual = describe_track(near, limits.tail_mads)
        if usual is not None and usual.mad_log_chars:
            found += _compare(shard, lengths, usual, limits, "neighbours")
    return found


def _compare(
    shard: ShardMetrics,
    lengths: Counts,
    usual: TrackReference,
    limits: HealthLimits,
    against: str,
) -> Iterator[Measure]:
    rows = lengths.total
    yield Measure(
        "psi",
        against,
        psi(lengths.bin(usual.edges), usual.shares),
        0.0,
        *(psi_limit(limit, rows, usual.rows) for limit in limits.psi),
    )
    yield Measure(
        "ks_distance",
        against,
        ks_distance(lengths, usual.quantiles),
        0.0,
        *(ks_limit(limit, rows, usual.rows) for limit in limits.ks_distance),
    )
    distance = limits.tail_mads * usual.mad_log_chars
    yield Measure(
        "tail_share",
        against,
        lengths.share_beyond(usual.median_log_chars, distance),
        usual.tail_share,
        *(share_limit(usual.tail_share + limit, rows) for limit in limits.tail_share),
    )
    tokens = Counts.pool([shard["captioned"]["tokens"]])
    if tokens.total:
        common = usual.common_tokens_share
        yield Measure(
            "common_tokens_share",
            against,
            tokens.most_common_share,
            common,
            *(share_limit(common + limit, tokens.total) for limit in limits.common_tokens_share),
        )
    planned = shard["planned"]
    rates = {"rejected": (shard["rejected"] / planned, usual.rejected)}
    for name in sorted({*shard["reasons"], *usual.reasons}):
        rates[name] = (shard["reasons"].get(name, 0) / planned, usual.reason(name))
    for name, (value, rate) in rates.items():
        spread = limits.reason_mads * rate.mad
        allowed = (rate.median + max(limit, spread) for limit in limits.reason_share)
        yield Measure(
            name, against, value, rate.median, *(share_limit(limit, planned) for limit in allowed)
        )


def nearest(shard_number: int, others: Sequence[int], count: int) -> list[int]:
    """So many shard numbers around one, the nearest first, itself left out; lower wins a tie."""
    apart = [number for number in others if number != shard_number]
    return sorted(apart, key=lambda number: (abs(number - shard_number), number))[:count]


def band(values: Sequence[float], limits: HealthLimits) -> tuple[float, float]:
    """Values between which a share is usual: median and its robust distance to either side."""
    median, mad = median_and_mad(values)
    distance = max(limits.reason_share[0], limits.reason_mads * mad)
    return max(0.0, median - distance), min(1.0, median + distance)
