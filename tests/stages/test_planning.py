import json

import pytest
from typer.testing import CliRunner

from sa1b_captions.cli import app

COMMAND = ("plan", "--profile", "h100x4", "--nodes", "8", "--price-per-gpu-hour", "2.5", "--spot")


@pytest.fixture(autouse=True)
def _no_store(monkeypatch):
    monkeypatch.delenv("CAPTIONS_ROOT", raising=False)
    monkeypatch.setenv("CAPTIONS_RECIPE", "internvl")


def run(*arguments):
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout.strip().splitlines()


def test_plan_ends_with_the_promised_json():
    exit_code, lines = run(*COMMAND)
    assert exit_code == 0
    found = json.loads(lines[-1])
    assert {
        *("gpu_hours", "wall_hours", "cost", "images_per_s", "simulated_gpu_hours", "sources")
    } < set(found)
    assert found["shards"] == 1000
    assert found["simulated_gpu_hours"] == pytest.approx(found["gpu_hours"], rel=0.05)
    assert found["cost"] == pytest.approx(sum(found["cost_by_part"].values()), abs=0.1)
    assert found["sources"]["images_per_s"]["kind"] == "estimate"
    assert found["sources"]["load_min"]["source"]


def test_options_take_the_place_of_packaged_numbers():
    _, lines = run(*COMMAND, "--load-min", "40", "--shards-per-pod", "10", "--gpus-per-node", "8")
    found = json.loads(lines[-1])
    assert found["sources"]["load_min"] == {
        **{"value": 40, "unit": "min", "kind": "given", "source": "an option of the command"}
    }
    assert found["pods"] == 16
    assert any(line.startswith("loading the model") and "266.7" in line for line in lines)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (("--profile", "h100"), "there is no profile 'h100'"),
        (("--nodes", "0"), "--nodes is 0; it must be 1 or more"),
        (("--price-per-gpu-hour", "-1"), "--price-per-gpu-hour is -1"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(changed, sentence, caplog):
    exit_code, _ = run(*COMMAND, *changed)
    assert exit_code == 65
    assert sentence in caplog.text


def test_the_price_may_be_a_setting(monkeypatch, caplog):
    bare = ("plan", "--profile", "h100x4", "--nodes", "1")
    assert run(*bare)[0] == 65
    assert "no price: give --price-per-gpu-hour" in caplog.text
    monkeypatch.setenv("CAPTIONS_PRICE_PER_GPU_HOUR", "1")
    exit_code, lines = run(*bare)
    assert exit_code == 0
    found = json.loads(lines[-1])
    gpus = found["cost"] - found["cost_by_part"]["storage"] - found["cost_by_part"]["requests"]
    assert gpus == pytest.approx(found["gpu_hours"], rel=0.001)
