import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions.quality.health.distributions import Counts, ks_distance, psi
from sa1b_captions.quality.health.measures import measure_health, nearest
from sa1b_captions.quality.health.reference import describe_track
from sa1b_captions.recipe.limits import HealthLimits

LIMITS = HealthLimits()
ROWS = 11_000


def metrics(rng, rows=ROWS, *, length=1.0, spread=1.0, cut_tokens=None, loops=0.0, reasons=None):
    """One track of a shard: log-normal lengths, as InternVL2's are; faults by keyword."""
    chars = np.exp(rng.normal(np.log(800 * length), 0.22 * spread, rows)).astype(int)
    broken = rng.random(rows) < loops
    chars[broken] = rng.choice([40, 5000], broken.sum())
    tokens = (chars / 4.5).astype(int)
    if cut_tokens:
        tokens = np.minimum(tokens, cut_tokens)
        chars = np.minimum(chars, int(cut_tokens * 4.5))
    counts = {
        name: int(rng.binomial(rows, share))
        for name, share in (reasons or {"missing_end": 0.005}).items()
    }
    return {
        "planned": rows,
        "rejected": sum(counts.values()),
        "reasons": counts,
        "captioned": {
            "rows": rows,
            "chars": pairs(chars),
            "tokens": pairs(tokens),
            "speculating": 0,
        },
    }


def pairs(values):
    counts = np.bincount(values)
    found = np.flatnonzero(counts)
    return np.stack([found, counts[found]], axis=1).tolist()


@pytest.fixture(scope="module")
def reference():
    rng = np.random.default_rng(1)
    return describe_track([metrics(rng) for _ in range(10)], LIMITS.tail_mads)


def found(shard, reference=None, neighbours=()):
    measures = measure_health(shard, reference, neighbours, LIMITS)
    return {m.name: m.severity for m in measures if m.severity}


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ({"length": 0.8}, {"psi": "critical", "ks_distance": "critical"}),
        ({"length": 1.05}, {"ks_distance": "warning"}),
        ({"spread": 1.2}, {"spread": "warning"}),
        ({"spread": 1.4}, {"psi": "warning", "spread": "critical"}),
        ({"cut_tokens": 256}, {"common_tokens_share": "warning"}),
        ({"cut_tokens": 200}, {"common_tokens_share": "critical"}),
        ({"loops": 0.012}, {"tail_share": "warning"}),
        ({"loops": 0.03}, {"tail_share": "critical"}),
        ({"reasons": {"missing_end": 0.08}}, {"missing_end": "critical", "rejected": "critical"}),
        ({"reasons": {"refusal": 0.02}}, {"refusal": "warning"}),
    ],
)
def test_a_degraded_model_is_seen(reference, fault, seen):
    shard = metrics(np.random.default_rng(2), **fault)
    assert seen.items() <= found(shard, reference).items()
    healthy = [metrics(np.random.default_rng(n + 10)) for n in range(8)]
    against_neighbours = found(shard, neighbours=healthy)
    assert seen.keys() <= against_neighbours.keys()
    # They may be the broken ones, so they make no shard fail.
    assert set(against_neighbours.values()) == {"warning"}


@pytest.mark.parametrize("rows", [ROWS, 1030, 79])
def test_a_hundred_healthy_shards_raise_no_alarm(rows):
    """Measured once: no alarm in 800 shards of 11,000, none in 2,000 of 1,030, 6 in 2,000 of 79."""
    rng = np.random.default_rng(3)
    shards = [metrics(rng, rows) for _ in range(100)]
    reference = describe_track([metrics(rng, rows) for _ in range(20)], LIMITS.tail_mads)
    alarms = [found(shard, reference) for shard in shards]
    assert not any("critical" in alarm.values() for alarm in alarms)
    assert sum(bool(alarm) for alarm in alarms) <= 1


def test_a_tenth_of_the_neighbours_may_be_broken_too():
    rng = np.random.default_rng(4)
    near = [metrics(rng, length=0.8 if n == 3 else 1.0) for n in range(20)]
    assert not found(metrics(rng), neighbours=near)
    assert found(metrics(rng, length=0.8), neighbours=near)["ks_distance"] == "warning"
    bad = [metrics(rng, reasons={"missing_end": 0.2 if n < 2 else 0.005}) for n in range(20)]
    assert not found(metrics(rng), neighbours=bad)
    assert found(metrics(rng, reasons={"missing_end": 0.2}), neighbours=bad)


def test_without_reference_and_neighbours_nothing_is_judged():
    rng = np.random.default_rng(5)
    few = [metrics(rng) for _ in range(LIMITS.min_neighbours - 1)]
    assert measure_health(metrics(rng), None, few, LIMITS) == []


def test_a_shard_without_captions_is_not_judged(reference):
    empty = metrics(np.random.default_rng(6))
    empty["captioned"] |= {"rows": 0, "chars": [], "tokens": []}
    assert measure_health(empty, reference, [], LIMITS) == []


def test_neighbours_are_the_nearest():
    assert nearest(5, [0, 3, 4, 5, 6, 9], 3) == [4, 6, 3]


lengths = st.lists(st.integers(1, 5000), min_size=1, max_size=60)


@settings(max_examples=50)
@given(lengths)
def test_pooled_counts_are_those_of_the_values(values):
    counts = Counts.pool([pairs(values[: len(values) // 2]), pairs(values[len(values) // 2 :])])
    assert counts.total == len(values)
    assert counts.quantiles([0, 0.5, 1]).tolist() == [
        min(values),
        sorted(values)[-(-len(values) // 2) - 1],
        max(values),
    ]


@settings(max_examples=50)
@given(lengths, lengths)
def test_distances_lie_in_their_ranges_and_vanish_between_equals(one, two):
    a, b = Counts.pool([pairs(one)]), Counts.pool([pairs(two)])
    quantiles = b.quantiles(np.linspace(0, 1, 1001)).tolist()
    assert 0 <= ks_distance(a, quantiles) <= 1
    own = a.quantiles(np.linspace(0, 1, 1001)).tolist()
    assert ks_distance(a, own) <= 0.002 + 1e-9
    edges = np.unique(b.quantiles([0.25, 0.5, 0.75]))
    shares = (b.bin(edges) / b.total).tolist()
    assert psi(b.bin(edges) * 1000, shares) < 0.01
