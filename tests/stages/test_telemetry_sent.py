"""What stages send, at a real UDP listener."""

from collections import Counter

import pytest
from typer.testing import CliRunner

from sa1b_captions.caption.engines.base import Reply
from sa1b_captions.cli import app
from sa1b_captions.observing import telemetry
from sa1b_captions.records import CaptionStatus
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.engines import ScriptedEngine, honest_reply
from tests.support.statsd_listener import listening

SHARD = "sa_000000"


@pytest.fixture
def listener():
    with listening() as found:
        telemetry.send_to(found.address)
        yield found
        telemetry.send_to(None)


@pytest.fixture
def campaign(tmp_path):
    store = FileStore(tmp_path / "store")
    builders.put_shard(store, SHARD, {n: builders.make_jpeg(n) for n in range(1, 25)})
    return builders.demo_campaign(store, builders.demo_recipe(shards="0-0"))


def totals(lines):
    """Sums of counters by metric and labels."""
    found = Counter()
    for line in lines:
        name, _, rest = line.partition(":")
        value, kind, *labels = rest.split("|")
        if kind == "c":
            found[name, labels[0].removeprefix("#") if labels else ""] += float(value)
    return found


def test_a_captioned_shard_sends_images_tokens_retries_failures_and_its_occupancy(
    listener, campaign
):
    def script(request):
        if request.sample_id.endswith("/7") and request.track.name == "single_en":
            return Reply(CaptionStatus.ERROR, error_code="out of memory", error="no room")
        if request.sample_id.endswith("/8") and request.attempt == 1:
            return Reply(CaptionStatus.EMPTY)
        return honest_reply(request)

    caption_shards(campaign, [SHARD], lambda: ScriptedEngine(script, delay_s=0.005))
    curate_shard(campaign, SHARD)
    lines = listener.lines()
    found = totals(lines)
    assert found["sa1b.caption.images", "track:single_en"] == 24
    assert found["sa1b.caption.samples", "track:single_en,status:ok,engine:scripted"] == 23
    assert found["sa1b.caption.tokens", "track:single_en"] == 23 * 5
    assert found["sa1b.caption.failures", "track:single_en,reason:out_of_memory"] == 1
    assert found["sa1b.caption.retries", "track:single_en"] >= 3
    assert found["sa1b.curate.rejected", "track:single_en"] >= 1
    judged = found["sa1b.curate.rejected", "track:single_en"]
    judged += found["sa1b.curate.accepted", "track:single_en"]
    assert judged == 24
    assert any(line.startswith("sa1b.caption.occupancy:") for line in lines)
    assert sum(line.startswith("sa1b.model.load_seconds:") for line in lines) == 1
    assert sum("sa1b.caption.seconds:" in line for line in lines) == 24 + 9


def long_reply(request):
    """A caption that passes all rules of the test's recipe."""
    words = " ".join(f"word{request.sample_id[-5:]}x{n}" for n in range(40))
    return Reply(CaptionStatus.OK, words, "stop", prompt_tokens=10, completion_tokens=80)


def test_a_command_sends_how_it_ended_and_what_is_projected(monkeypatch, campaign):
    caption_shards(campaign, [SHARD], lambda: ScriptedEngine(long_reply))
    curate_shard(campaign, SHARD)
    monkeypatch.setenv("CAPTIONS_ROOT", campaign.store.url)
    monkeypatch.setenv("CAPTIONS_CAMPAIGN", campaign.name)
    monkeypatch.setattr("sa1b_captions.cli.common.load_recipe", lambda _: campaign.recipe)
    with listening() as listener:
        monkeypatch.setenv("CAPTIONS_STATSD", listener.address)
        assert CliRunner().invoke(app, ["validate", "--shards", "0"]).exit_code == 0
        assert CliRunner().invoke(app, ["validate", "--shards", "7"]).exit_code == 65
        telemetry.send_to(None)
        lines = listener.lines()
    found = totals(lines)
    assert found["sa1b.stage.ended", "stage:validate,ending:done"] == 1
    assert found["sa1b.stage.ended", "stage:validate,ending:permanent"] == 1
    assert "sa1b.projected.captions:24|g|#track:single_en" in lines
    assert "sa1b.projected.high:24|g|#track:single_en" in lines
    assert any(line.startswith("sa1b.stage.seconds:") for line in lines)
