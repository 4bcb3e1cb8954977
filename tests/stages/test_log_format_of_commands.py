"""The log of a real command, as JSON."""

import json
import os
import subprocess
import sys

from sa1b_captions.storage import FileStore
from tests.support import builders

SHARD = "sa_000000"


def run(*arguments, **settings):
    return subprocess.run(
        [sys.executable, "-m", "sa1b_captions", *arguments],
        env={**os.environ, "CAPTIONS_LOG_FORMAT": "json", **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_line_of_a_captioning_log_is_an_object_that_names_its_shard(tmp_path):
    store = FileStore(tmp_path)
    jpegs = {n: builders.make_jpeg(n) for n in range(1, 9)}
    builders.put_shard(store, SHARD, jpegs | {9: builders.make_jpeg(9)[:300]})
    builders.demo_campaign(store, builders.demo_recipe(shards="0-0"))
    done = run(
        *("caption", "--shards", "0"),
        CAPTIONS_ROOT=store.url,
        CAPTIONS_CAMPAIGN="test",
        CAPTIONS_ENGINE="preview",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stage"] == "caption"
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {line["stage"] for line in lines} == {"caption"}
    assert {line["shard"] for line in lines if SHARD in line["message"]} == {SHARD}
    assert any(line["message"].startswith("progress: sa_000000 ") for line in lines)


def test_a_refusal_is_an_object_too(tmp_path):
    refused = run("status", CAPTIONS_ROOT=tmp_path.as_uri())
    assert refused.returncode == 65
    (line,) = map(json.loads, refused.stderr.splitlines())
    assert line["level"] == "error"
    assert line["message"].startswith("error: campaign ")


def test_a_format_that_is_none_is_refused_in_plain_text(tmp_path):
    refused = run("status", CAPTIONS_ROOT=tmp_path.as_uri(), CAPTIONS_LOG_FORMAT="xml")
    assert refused.returncode == 65
    assert "CAPTIONS_LOG_FORMAT='xml' is not usable: expected text or json" in refused.stderr
