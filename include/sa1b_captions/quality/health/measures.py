"""Shard health: whether one track of a shard looks like the reference, and like its neighbours.

A model that degraded on one node writes captions that pass every row rule: shorter ones, or loops
for a hundredth of the images. That shows in distributions. Each measure has two limits, and what
chance explains in so few rows is allowed for, so the same limits judge 79 captions and 11,000.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from sa1b_captions.quality.health.distributions import (
    Counts,
    ks_distance,
    ks_limit,
    median_and_mad,
    psi,
    psi_limit,
    share_limit,
    spread_limit,
)
from sa1b_captions.quality.health.reference import TrackReference, describe_track
from sa1b_captions.receipts.faithfulness import Faithfulness
from sa1b_captions.receipts.findings import Measure
from sa1b_captions.recipe.limits import HealthLimits

_LEAST_MAD = 1e-3
"""Stands for the spread of captions of one length, whose logarithm there is not."""

_SAME_LENGTH = 0.02
"""Difference of median log lengths, 2 %, that is never held against a neighbour."""

SHAPES = {
    "psi": "Lengths are spread as usual (population stability index)",
    "ks_distance": "Lengths are spread as usual (Kolmogorov-Smirnov distance)",
    "spread": "Lengths vary as much as usual (ratio of their MADs, as a logarithm)",
    "tail_share": "No more than the usual share of captions is far too short or too long",
    "common_tokens_share": "No token count is suddenly frequent, as when captions are cut",
    "rejected": "No more captions are rejected than usual",
    "unsupported": "No more sentences than usual are not found in the images",
}
"""What the measures other than single reasons say when they hold."""

ShardMetrics = Mapping[str, Any]
"""`metrics.json` of one track of a shard."""


def measure_health(
    shard: ShardMetrics,
    reference: TrackReference | None,
    neighbours: Sequence[ShardMetrics],
    limits: HealthLimits,
) -> list[Measure]:
    """Measure one track of a shard.

    Args:
        reference: the pinned one, if any.
        neighbours: metrics of the same track of other shards, the nearest first.

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
        typical = describe_track(_typical(near, limits), limits.tail_mads)
        if typical is not None and typical.mad_log_chars:
            near_measures = _compare(shard, lengths, typical, limits, "neighbours")
            found += [replace(measure, critical=None) for measure in near_measures]
    return found


def measure_audit(
    audited: Faithfulness, reference: TrackReference | None, limits: tuple[float, float]
) -> list[Measure]:
    """Measure a track's audit; none where the reference has no audit by the same judge.

    Args:
        reference: the pinned one, if any.
        limits: share of refused sentences above the reference's that warns, and that fails.
    """
    expected = reference.unsupported if reference is not None else None
    if expected is None or expected.judges != audited.judges or not audited.refused.of:
        return []
    # Sentences of a caption are alike, so chance explains more.
    rows = max(1, int(min(audited.refused.effective, expected.effective)))
    warning, critical = (share_limit(expected.share + limit, rows) for limit in limits)
    return [
        Measure(
            "unsupported", "reference", audited.refused.value, expected.share, warning, critical
        )
    ]


def _typical(near: Sequence[ShardMetrics], limits: HealthLimits) -> list[ShardMetrics]:
    """Neighbours whose median length is like the others': a broken one must not be the measure."""
    medians = [
        math.log(Counts.pool([one["captioned"]["chars"]]).quantiles([0.5])[0]) for one in near
    ]
    middle, mad = median_and_mad(medians)
    distance = max(_SAME_LENGTH, limits.reason_mads * mad)
    return [
        one for one, median in zip(near, medians, strict=True) if abs(median - middle) <= distance
    ]


def _compare(
    shard: ShardMetrics,
    lengths: Counts,
    reference: TrackReference,
    limits: HealthLimits,
    against: str,
) -> Iterator[Measure]:
    rows = lengths.total
    yield Measure(
        "psi",
        against,
        psi(lengths.bin(reference.edges), reference.shares),
        0.0,
        *(psi_limit(limit, rows, reference.rows) for limit in limits.psi),
    )
    yield Measure(
        "ks_distance",
        against,
        ks_distance(lengths, reference.quantiles),
        0.0,
        *(ks_limit(limit, rows, reference.rows) for limit in limits.ks_distance),
    )
    _, mad = lengths.log_median_and_mad()
    yield Measure(
        "spread",
        against,
        abs(math.log(max(mad, _LEAST_MAD) / reference.mad_log_chars)),
        0.0,
        *(spread_limit(limit, rows, reference.rows) for limit in limits.spread),
    )
    distance = limits.tail_mads * reference.mad_log_chars
    yield Measure(
        "tail_share",
        against,
        lengths.share_beyond(reference.median_log_chars, distance),
        reference.tail_share,
        *(share_limit(reference.tail_share + limit, rows) for limit in limits.tail_share),
    )
    tokens = Counts.pool([shard["captioned"]["tokens"]])
    if tokens.total:
        common = reference.common_tokens_share
        yield Measure(
            "common_tokens_share",
            against,
            tokens.most_common_share,
            common,
            *(share_limit(common + limit, tokens.total) for limit in limits.common_tokens_share),
        )
    planned = shard["planned"]
    rates = {"rejected": (shard["rejected"] / planned, reference.rejected)}
    for name in sorted({*shard["reasons"], *reference.reasons}):
        rates[name] = (shard["reasons"].get(name, 0) / planned, reference.reason(name))
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


def health_table(measures: Sequence[Measure]) -> pa.Table:
    """One row, a column per measure named `<measure>_<against>`; reasons counted, not listed.

    `reasons_<severity>_<against>` are how many reasons are over that limit.
    """
    row: dict[str, float] = {}
    for measure in measures:
        if measure.name in SHAPES:
            row[f"{measure.name}_{measure.against}"] = measure.value
            continue
        for severity, limit in (("warning", measure.warning), ("critical", measure.critical)):
            if limit is None:
                continue
            column = f"reasons_{severity}_{measure.against}"
            row[column] = row.get(column, 0) + (measure.value > limit)
    return pa.table({name: np.array([value], np.float64) for name, value in row.items()})
