"""`sa1b-captions plan` with a store."""

import json

import pytest
from typer.testing import CliRunner

from sa1b_captions.cli import app
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.engines import ScriptedEngine

COMMAND = ("plan", "--profile", "h100x4", "--nodes", "2", "--price-per-gpu-hour", "2.5")


@pytest.fixture
def campaign(tmp_path, monkeypatch):
    recipe = builders.demo_recipe(shards="0-2")
    monkeypatch.setenv("CAPTIONS_ROOT", tmp_path.as_uri())
    monkeypatch.setenv("CAPTIONS_CAMPAIGN", "test")
    monkeypatch.setattr("sa1b_captions.cli.planning.load_recipe", lambda _: recipe)
    store = FileStore(tmp_path)
    for number in range(3):
        jpegs = {n: builders.make_jpeg(n) for n in range(100 * number + 1, 100 * number + 9)}
        builders.put_shard(store, f"sa_{number:06d}", jpegs)
    return builders.demo_campaign(store, recipe)


def plan():
    result = CliRunner().invoke(app, COMMAND)
    return result.exit_code, result.stdout.strip().splitlines()


def test_it_tells_of_the_shards_that_are_left_by_the_pace_of_those_that_are_not(campaign):
    caption_shards(campaign, ["sa_000000", "sa_000001"], ScriptedEngine, profile="h100x4")
    exit_code, lines = plan()
    assert exit_code == 0
    found = json.loads(lines[-1])
    assert found["shards"] == 1
    assert found["sources"]["images_per_s"]["kind"] == "measured"
    assert found["sources"]["load_min"]["kind"] == "measured"
    assert found["sources"]["megabytes_per_image"]["kind"] == "measured"
    assert lines[0] == "1 shard on 1 pod of h100x4 at once, 1 shard each, on demand"


def test_a_campaign_that_is_captioned_has_nothing_left_to_pay_for(campaign, caplog):
    caplog.set_level("INFO")
    caption_shards(campaign, list(campaign.recipe.shards), ScriptedEngine, profile="h100x4")
    assert plan()[0] == 99
    assert "every shard is captioned; nothing is left to pay for" in caplog.text
