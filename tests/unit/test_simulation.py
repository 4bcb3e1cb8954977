"""The simulation beside the formula, and what it shows that the formula cannot."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.costs.fleet import Fleet
from sa1b_captions.costs.formula import PARTS, estimate, interval
from sa1b_captions.costs.simulation import simulate
from sa1b_captions.costs.work import Work
from sa1b_captions.errors import PermanentError


def work(shards=1000, shard_s=4700.0, spread=0.0, **changes):
    return Work(
        **{
            **{"shards": shards, "images": 11186.0, "samples": 12400.0},
            **{"captioning_s": shard_s, "retried_s": 0.01 * shard_s, "audit_s": 0.0},
            **{"low": 0.8, "high": 1.3, "spread": spread},
            **changes,
        }
    )


def fleet(**changes):
    return Fleet(
        **{
            **{"gpus": 4, "places": 8, "shards_per_pod": 1, "node_start_s": 360.0},
            **{"node_release_s": 600.0, "pod_start_s": 30.0, "load_s": 180.0, "lost_s": 55.0},
            **{"ingest_s": 220.0, "downloads": 4, **changes},
        }
    )


FLEETS = st.builds(
    fleet,
    gpus=st.integers(1, 8),
    places=st.integers(1, 64),
    shards_per_pod=st.integers(1, 10),
    passes=st.integers(1, 2),
    node_start_s=st.floats(0, 900),
    node_release_s=st.floats(0, 1200),
    pod_start_s=st.floats(0, 120),
    load_s=st.floats(0, 2400),
    ingest_s=st.floats(0, 4000),
    downloads=st.integers(1, 16),
    preemptions_per_h=st.floats(0, 0.2),
    retried_pods=st.floats(0, 0.2),
    stragglers=st.just(0.0),
)
WORKS = st.builds(work, shards=st.integers(1, 300), shard_s=st.floats(600, 20_000))


@given(WORKS, FLEETS, st.integers(0, 1000))
def test_formula_and_simulation_agree_where_nothing_happens_by_chance(work, fleet, seed):
    calm = dataclasses.replace(fleet, preemptions_per_h=0.0, retried_pods=0.0, ingest_s=0.0)
    found, played = estimate(work, calm), simulate(work, calm, seed)
    assert played.gpu_hours == pytest.approx(found.total_gpu_hours, rel=0.05)
    assert played.wall_hours == pytest.approx(found.wall_hours, rel=0.05)


@pytest.mark.parametrize("shards_per_pod", [1, 4, 10])
@pytest.mark.parametrize("seed", range(3))
def test_they_agree_on_a_thousand_shards_with_preemptions_and_pods_made_again(shards_per_pod, seed):
    rough = fleet(shards_per_pod=shards_per_pod, preemptions_per_h=0.1, retried_pods=0.05)
    found, played = estimate(work(), rough), simulate(work(spread=0.05), rough, seed)
    assert played.preemptions > 50
    assert played.gpu_hours == pytest.approx(found.total_gpu_hours, rel=0.05)


@given(WORKS, FLEETS)
def test_waiting_for_archives_is_seen_by_both(work, fleet):
    slow = dataclasses.replace(
        fleet, preemptions_per_h=0.0, retried_pods=0.0, ingest_s=3 * work.shard_s, node_start_s=0.0
    )
    # A last pod of fewer shards, whose archives are in sooner, would overtake others when played.
    pods = -(-work.shards // fleet.shards_per_pod)
    full = dataclasses.replace(work, shards=pods * fleet.shards_per_pod)
    found, played = estimate(full, slow), simulate(full, slow)
    assert played.wall_hours == pytest.approx(found.wall_hours, rel=0.05)


@given(WORKS, FLEETS, st.integers(1, 8))
def test_more_places_never_take_longer(work, fleet, more):
    larger = dataclasses.replace(fleet, places=fleet.places + more)
    assert estimate(work, larger).wall_hours <= estimate(work, fleet).wall_hours + 1e-9


@given(WORKS, FLEETS)
def test_hours_are_the_sum_of_their_parts_and_none_is_negative(work, fleet):
    found = estimate(work, fleet)
    assert tuple(found.gpu_hours) == PARTS
    assert min(found.gpu_hours.values()) >= 0
    assert found.total_gpu_hours == pytest.approx(sum(found.gpu_hours.values()))


@given(WORKS, FLEETS)
def test_the_interval_holds_the_wall_clock(work, fleet):
    low, high = interval(work, fleet)
    assert low <= estimate(work, fleet).wall_hours <= high


def test_the_same_seed_plays_the_same_campaign():
    rough = fleet(preemptions_per_h=0.2, stragglers=0.1, straggler_times=3.0)
    assert simulate(work(50), rough, 7) == simulate(work(50), rough, 7)
    assert simulate(work(50), rough, 7) != simulate(work(50), rough, 8)


def test_one_slow_node_at_the_end_holds_up_the_campaign_and_pays_little():
    slow = fleet(places=64, stragglers=0.05, straggler_times=4.0)
    calm, played = simulate(work(64), fleet(places=64)), simulate(work(64), slow)
    assert played.wall_hours > 2.5 * calm.wall_hours
    assert played.gpu_hours < 1.5 * calm.gpu_hours


def test_a_pool_below_the_nodes_takes_longer_and_costs_no_more():
    half = simulate(work(100), fleet(places=4))
    whole = simulate(work(100), fleet(places=8))
    assert half.wall_hours > 1.8 * whole.wall_hours
    assert half.gpu_hours == pytest.approx(whole.gpu_hours, rel=0.02)


def test_more_shards_a_pod_save_loads():
    slow_storage = {"load_s": 2400.0}
    one, ten = (simulate(work(100), fleet(shards_per_pod=n, **slow_storage)) for n in (1, 10))
    assert one.gpu_hours - ten.gpu_hours == pytest.approx(90 * 2430 * 4 / 3600, rel=0.02)


def test_pods_that_are_made_again_cost_a_load_each():
    all_again = simulate(work(100), fleet(retried_pods=1.0))
    assert all_again.pods == 200
    assert all_again.gpu_hours - simulate(work(100), fleet()).gpu_hours == pytest.approx(
        100 * 265 * 4 / 3600, rel=0.01
    )


def test_pods_that_are_preempted_faster_than_they_load_are_refused():
    hopeless = fleet(preemptions_per_h=20.0)
    for run in (estimate, simulate):
        with pytest.raises(PermanentError, match=r"100% of its time on starting again; load"):
            run(work(10), hopeless)
