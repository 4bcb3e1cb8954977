"""The runbook's table of lost prefixes, followed: each is deleted, and its commands are run."""

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sa1b_captions.cli import app
from sa1b_captions.release.manifest import read_manifest
from sa1b_captions.storage import FileStore
from tests.support import builders

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
ELSEWHERE = {"shards/", "marks/", "recipe.lock", "summary.json"}
"""Rows that need a server, a person, a model, or a large campaign."""


def lost_prefixes():
    """Prefix and commands of each row."""
    section = re.search(r"^## The store lost a prefix\n(.*?)(?=^## )", RUNBOOK, re.M | re.S)[1]
    rows = re.findall(r"^\| (`[^|]+) \|[^|]+\|([^|]*)\|$", section, re.M)
    found = {re.findall(r"`([^`]+)`", row[0])[0]: re.findall(r"`([^`]+)`", row[1]) for row in rows}
    assert len(found) == 11
    return {name: commands for name, commands in found.items() if name not in ELSEWHERE}


def run(*arguments):
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, f"{arguments}: {done.output[-500:]}"
    return json.loads(done.stdout.splitlines()[-1])


def command(text):
    words = text.split()
    shards = ["--shards", "0-1"] if words[0] in ("caption", "curate", "validate") else []
    return run(*words, *(shards if "--release" not in words else []))


def settings(environ, root, recipe):
    environ.setenv("CAPTIONS_ROOT", root.as_uri())
    environ.setenv("CAPTIONS_CAMPAIGN", "c")
    environ.setenv("CAPTIONS_RECIPE", str(recipe))
    environ.setenv("CAPTIONS_ENGINE", "preview")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A campaign from archives to release, and its recipe."""
    folder = tmp_path_factory.mktemp("whole")
    recipe = folder / "recipe.toml"
    demo = (ROOT / "tests" / "support" / "two_shards.toml").read_text()
    recipe.write_text(demo.replace("min_rows = 5", "min_rows = 1"))
    store = FileStore(folder / "store")
    for number in (0, 1):
        images = {20 * number + n: builders.make_jpeg(20 * number + n) for n in range(1, 7)}
        builders.put_shard(store, f"sa_00000{number}", images)
    with pytest.MonkeyPatch.context() as environ:
        settings(environ, store.root, recipe)
        for text in ("caption", "curate", "validate", "dedup", "validate --release"):
            command(text)
        run("export", "--version", "v1", "--allow-warnings")
    return store.root, recipe


@pytest.fixture
def store(whole, tmp_path, monkeypatch):
    shutil.copytree(whole[0], tmp_path / "store")
    settings(monkeypatch, tmp_path / "store", whole[1])
    return FileStore(tmp_path / "store")


@pytest.mark.parametrize("name", lost_prefixes())
def test_what_was_lost_is_made_again_by_the_commands_of_the_runbook(store, name):
    before = read_manifest(store, "v1")
    prefix = name if name.startswith("releases/") else f"campaigns/c/{name}"
    lost = [key for key in store.list("") if key.startswith(prefix)]
    assert lost
    for key in lost:
        store.delete(key)
    for text in lost_prefixes()[name]:
        command(f"{text} --allow-warnings" if text.startswith("export") else text)
    assert run("status", "--require-done")["latest_release"] == "v1"
    assert run("verify", "--version", "v1")["differences"] == 0
    version = run("export", "--version", "again", "--allow-warnings")["version"]
    assert read_manifest(store, version).rows == before.rows


def test_a_shard_whose_captions_are_gone_asks_for_captions(store):
    for key in list(store.list("campaigns/c/captions/single_en/")):
        store.delete(key)
    told = CliRunner().invoke(app, ["status"]).stdout
    assert "the captions they were made from are gone; run sa1b-captions caption --shards" in told
