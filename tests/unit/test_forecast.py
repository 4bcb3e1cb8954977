import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sa1b_captions.costs.forecast import Seen, Terms, forecast, variants
from sa1b_captions.costs.sourced import KINDS, Number, Numbers
from sa1b_captions.costs.work import Mix
from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe import load_recipe
from sa1b_captions.settings.profiles import load_profile, profile_names
from tests.support import builders

RECIPE = load_recipe("internvl")
ALL = Seen(shards=100)


def terms(**changes):
    return Terms(**{"profile": "h100x4", "nodes": 8, "price_per_gpu_hour": 2.5, **changes})


def given_number(value, unit="min"):
    return Number(value, unit, "given", "a test")


@settings(max_examples=20)
@given(
    nodes=st.integers(1, 50),
    price=st.floats(0, 20),
    spot=st.booleans(),
    months=st.floats(0, 12),
    drops=st.booleans(),
    shards=st.integers(1, 60),
)
def test_the_cost_is_the_sum_of_its_parts(nodes, price, spot, months, drops, shards):
    asked = terms(
        nodes=nodes, price_per_gpu_hour=price, spot=spot, months=months, drops_archives=drops
    )
    found = forecast(RECIPE, asked, Seen(shards=shards))
    parts = found.bill.parts
    assert found.bill.total == pytest.approx(sum(parts.values()))
    assert min(parts.values()) >= 0
    gpu_hours = found.estimate.total_gpu_hours
    assert sum(parts.values()) - parts["storage"] - parts["requests"] == pytest.approx(
        price * gpu_hours
    )


@settings(max_examples=20)
@given(nodes=st.integers(1, 100), more=st.integers(1, 100), spot=st.booleans())
def test_more_nodes_never_raise_the_wall_clock(nodes, more, spot):
    few, many = (
        forecast(RECIPE, terms(nodes=count, spot=spot), Seen(shards=100))
        for count in (nodes, nodes + more)
    )
    assert many.estimate.wall_hours <= few.estimate.wall_hours + 1e-9


def test_formula_and_simulation_of_a_campaign_without_chance_agree_within_5_percent():
    never = {name: given_number(0, "share") for name in ("retried_pods", "stragglers")}
    found = forecast(RECIPE, terms(), ALL, never)
    assert found.played.gpu_hours == pytest.approx(found.estimate.total_gpu_hours, rel=0.05)
    assert found.played.wall_hours == pytest.approx(found.estimate.wall_hours, rel=0.05)


@pytest.mark.parametrize("profile", [n for n in profile_names() if load_profile(n).gpus])
def test_every_profile_with_gpus_has_a_forecast(profile):
    recipe = {"awq-1gpu": "internvl2-76b-awq", "h100x2": "internvl3_5-38b"}.get(profile)
    if recipe is None:
        recipe = "internvl" if load_profile(profile).gpus > 1 else "internvl2-8b"
    found = forecast(load_recipe(recipe), terms(profile=profile, nodes=2), Seen(shards=3))
    assert found.speed.kind == "estimate"
    # As pod_profiles.toml says.
    assert found.work.shard_s * 2 < load_profile(profile).active_deadline_s


def test_measured_shards_take_the_place_of_the_computed_speed():
    seconds = (4000.0, 4100.0, 3900.0, 4050.0, 3950.0)
    found = forecast(RECIPE, terms(), dataclasses.replace(ALL, seconds=seconds))
    assert found.speed.kind == "measured"
    assert found.speed.source == "5 shards that pods of h100x4 captioned"
    assert found.work.captioning_s + found.work.retried_s == pytest.approx(4000)
    low, high = found.wall_hours
    assert high / low < 1.1
    few = forecast(RECIPE, terms(), dataclasses.replace(ALL, seconds=seconds[:2]))
    assert few.wall_hours[1] / few.wall_hours[0] == pytest.approx(1.2 / 0.8, rel=0.05)


def test_photographs_of_more_tiles_take_longer():
    seen = dataclasses.replace(ALL, mix=Mix(11186, 13, 7))
    slow, usual = forecast(RECIPE, terms(), seen), forecast(RECIPE, terms(), ALL)
    assert slow.work.images_per_s < 0.8 * usual.work.images_per_s


def test_an_audit_loads_the_model_once_more():
    audited = builders.demo_recipe(audit={})
    audited = dataclasses.replace(RECIPE, audit=audited.audit)
    found = forecast(audited, terms(), ALL).estimate.gpu_hours
    plain = forecast(RECIPE, terms(), ALL).estimate.gpu_hours
    assert found["loading the model"] == 2 * plain["loading the model"]
    assert found["audit"] == pytest.approx(0.036 * plain["captioning"])


def test_what_is_given_takes_the_place_of_a_packaged_number():
    found = forecast(RECIPE, terms(), ALL, {"load_min": given_number(10)})
    assert found.estimate.gpu_hours["loading the model"] == pytest.approx(100 * 10 / 60 * 4)
    assert found.numbers.source("load_min").kind == "given"


def test_quota_and_pool_hold_pods_back():
    assert forecast(RECIPE, terms(), ALL).fleet.places == 8
    assert forecast(RECIPE, terms(gpus_per_node=8), ALL).fleet.places == 16
    assert forecast(RECIPE, terms(pool=3), ALL).fleet.places == 3
    assert forecast(RECIPE, terms(quota_gpus=11), ALL).fleet.places == 2


def test_gpus_that_no_pod_of_a_node_takes_are_paid_for():
    pods_of_4 = forecast(RECIPE, terms(), ALL).estimate.total_gpu_hours
    assert forecast(RECIPE, terms(gpus_per_node=6), ALL).estimate.total_gpu_hours == (
        pytest.approx(pods_of_4 * 6 / 4)
    )
    # Three pods stand on two nodes of eight.
    held = forecast(RECIPE, terms(gpus_per_node=8, pool=3), ALL).fleet
    assert held.gpus * held.places == 16


def test_there_are_no_more_pods_than_shards_for_them():
    found = forecast(RECIPE, terms(nodes=500, shards_per_pod=10), ALL)
    assert found.fleet.places == 10
    assert "pool of 20" not in dict(variants(found))


def test_what_no_run_would_take_is_refused():
    with pytest.raises(PermanentError, match="--shards-per-pod is 11; it must be from 1 to 10"):
        terms(shards_per_pod=11)
    rate = {"preemptions_per_hour": given_number(1, "a pod and hour")}
    with pytest.raises(PermanentError, match="--preemptions-per-hour .* give --spot as well"):
        forecast(RECIPE, terms(), ALL, rate)


def test_spot_nodes_cost_more_time_and_dropped_archives_less_storage():
    calm, spot = (forecast(RECIPE, terms(spot=spot), ALL) for spot in (False, True))
    assert spot.estimate.total_gpu_hours > calm.estimate.total_gpu_hours
    assert calm.estimate.gpu_hours["preemptions"] == 0
    dropped = forecast(RECIPE, terms(drops_archives=True), ALL)
    assert dropped.bill.parts["storage"] < 0.3 * calm.bill.parts["storage"]


def test_variants_change_one_thing_each():
    found = dict(variants(forecast(RECIPE, terms(spot=True), Seen(shards=80))))
    names = list(found)
    assert names[0] == "as planned"
    assert "pool of 4" in names
    assert "pool of 16" in names
    assert "10 shards a pod" in names
    assert found["10 shards a pod"].pods < found["as planned"].pods


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"profile": "h100x5"}, r"no profile 'h100x5' \(did you mean h100x4\?\); there are: h100"),
        ({"nodes": 0}, "--nodes is 0; it must be 1 or more"),
        ({"price_per_gpu_hour": -1.0}, "--price-per-gpu-hour is -1; it must be 0 or more"),
        ({"price_per_gpu_hour": float("nan")}, "--price-per-gpu-hour is nan"),
        ({"shards_per_pod": 0}, "--shards-per-pod is 0"),
        ({"pool": 0}, "--pool is 0"),
        ({"quota_gpus": 3}, "a pod takes 4 GPUs and the quota allows 3"),
        ({"gpus_per_node": 2}, "a pod takes 4 GPUs and a node has 2"),
        ({"profile": "cpu-preview"}, "profile cpu-preview has no GPU"),
        ({"profile": "l4x1"}, "the model does not fit 1 GPUs of 24"),
    ],
)
def test_terms_that_cannot_be_are_refused_in_a_sentence(changes, sentence):
    with pytest.raises(PermanentError, match=sentence):
        forecast(RECIPE, terms(**changes), ALL)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("load_min", -3, "--load-min is -3; it must be 0 or more"),
        ("stragglers", 1.5, "--stragglers is 1.5; it must be from 0 to 1"),
        ("download_mb_per_s", 0, "--download-mb-per-s is 0; it must be 0.001 or more"),
        ("preemptions_per_hour", 100, "spends 100% of its time on starting again"),
    ],
)
def test_given_numbers_out_of_range_are_refused(name, value, sentence):
    number = Number(value, Numbers().source(name).unit, "given", "a test")
    with pytest.raises(PermanentError, match=sentence):
        forecast(RECIPE, terms(spot=True), ALL, {name: number})


def test_an_unknown_model_needs_receipts():
    other = builders.demo_recipe()
    with pytest.raises(PermanentError, match="the sizes of preview are not known"):
        forecast(other, terms(), ALL)
    assert forecast(other, terms(), dataclasses.replace(ALL, seconds=(60.0,))).played.pods >= 100


def test_every_number_has_a_source_and_every_name_is_known():
    for name, number in Numbers().sources().items():
        assert number["kind"] in KINDS
        assert len(number["source"]) > 20, name
    with pytest.raises(ValueError, match="no number colour"):
        Numbers({"colour": given_number(1)})
