import errno
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sa1b_captions import layout
from sa1b_captions.cli import app
from sa1b_captions.storage import FileStore
from tests.support import builders, receipts

SHARD = "sa_000000"
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("CAPTIONS_ROOT", (tmp_path / "store").as_uri())
    monkeypatch.setenv("CAPTIONS_CAMPAIGN", "demo")
    monkeypatch.setenv("CAPTIONS_RECIPE", str(REPOSITORY / "tests" / "support" / "two_shards.toml"))
    monkeypatch.setenv("CAPTIONS_ENGINE", "preview")
    monkeypatch.delenv("CAPTIONS_LINKS", raising=False)
    return FileStore(tmp_path / "store")


@pytest.fixture
def run(caplog):
    caplog.set_level(logging.INFO)

    def invoke(*arguments):
        caplog.clear()
        result = CliRunner().invoke(app, list(arguments))
        return result.exit_code, result.stdout.strip().splitlines(), caplog.text

    return invoke


def test_status_of_a_campaign_that_has_not_started_says_so_and_writes_nothing(store, run):
    code, lines, log = run("status")
    assert (code, lines) == (65, [])
    assert f"campaign demo has not started: nothing of it lies in {store.url}" in log
    assert not store.root.exists()


@pytest.mark.parametrize("options", [[], ["--generations"]])
def test_drop_in_a_campaign_that_has_not_started_says_so_and_writes_nothing(store, run, options):
    code, lines, log = run("drop", "--shards", "0", *options)
    assert (code, lines) == (65, [])
    assert f"campaign demo has not started: nothing of it lies in {store.url}" in log
    assert not store.root.exists()


def test_status_writes_nothing_and_refuses_shards_of_other_recipes(store, run):
    run("curate", "--shards", "0")  # stores the recipe, and has nothing to curate
    before = {key: store.read(key) for key in store.list("")}
    code, lines, _ = run("status")
    assert code == 0
    assert lines[0] == "2 more shards not started"
    assert json.loads(lines[-1])["done"] == 0
    assert json.loads(lines[-1])["projections"] == []  # no shard is curated
    code, _, log = run("status", "--shards", "7")
    assert code == 65
    assert (
        "sa_000007 is not a shard of recipe preview-sa1b-demo, which has sa_000000 to sa_000001"
        in log
    )
    assert {key: store.read(key) for key in store.list("")} == before


def test_captioning_prints_its_result_last_and_status_shows_it(store, run):
    builders.put_shard(store, SHARD, {n: builders.make_jpeg(n) for n in range(1, 9)})
    code, lines, log = run("caption", "--shards", "0", "--tracks", "single_en,single_zh")
    assert code == 0, log
    assert json.loads(lines[-1])["shards"][SHARD]["statuses"]["single_en"] == {"ok": 8}
    assert f"progress: {SHARD} 16/16 samples (single_en 8/8, single_zh 8/8), " in log
    _, lines, _ = run("status")
    assert lines[1].split() == [SHARD, "yes", "captioned", "captioned", "-", "-", "-"]


def test_captions_done_again_are_restored_and_freed_by_command(store, run):
    builders.put_shard(store, SHARD, {n: builders.make_jpeg(n) for n in range(1, 9)})
    caption = ("caption", "--shards", "0", "--tracks", "single_en")
    for option in ("--no-force", "--force"):
        code, _, log = run(*caption, option)
        assert code == 0, log
    code, lines, log = run(*caption, "--restore")
    switch = ["0002-preview", "0001"]
    assert json.loads(lines[-1])["restored"] == {SHARD: {"single_en": switch}}
    assert "single_en/sa_000000: generation 0002-preview counted, 0001 does again" in log
    code, lines, _ = run("drop", "--shards", "0", "--generations")
    assert json.loads(lines[-1])["freed"] == {SHARD: {"single_en": ["0002-preview"]}}
    code, lines, log = run("drop", "--shards", "0", "--generations")
    assert (code, lines) == (99, [])
    assert "nothing freed. No captions of 0 were superseded" in log
    code, _, log = run(*caption, "--restore")
    assert code == 65
    assert "no other captions counted before in single_en; nothing was changed" in log


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["caption", "--shards", "0", "--force", "--restore"], "either --force or --restore"),
        (["drop", "--shards", "0", "--unfinished"], "--unfinished goes with --generations"),
        (["caption", "--shards", "0", "--restore"], "captioning of single_en/sa_000000 has not"),
        (["caption", "--shards", "0"], "ingest of sa_000000 has not finished"),
        (["caption", "--shards", "0", "--tracks", "single_fr"], "no track single_fr"),
        (["caption", "--shards", "0", "--engine", "gpt"], "no engine 'gpt'; there are: preview"),
        (["caption", "--shards", "x"], "does not select shards"),
        (["validate"], "either --shards or --release"),
        (["ingest", "--shards", "0"], "no links file; set CAPTIONS_LINKS"),
        (["status", "--require-done"], "or run caption_shards"),
    ],
)
def test_what_cannot_work_exits_with_65_and_says_why(store, run, arguments, message):
    code, _, log = run(*arguments)
    assert code == 65
    assert message in log


def test_a_missing_setting_exits_with_65(monkeypatch, run):
    monkeypatch.delenv("CAPTIONS_ROOT", raising=False)
    code, _, log = run("status")
    assert code == 65
    assert "CAPTIONS_ROOT is not set" in log


def test_a_store_that_does_not_answer_exits_with_75(monkeypatch, run):
    monkeypatch.setenv("CAPTIONS_ROOT", "s3://bucket/x")
    monkeypatch.setenv("CAPTIONS_S3_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setattr("sa1b_captions.storage.s3.MAX_ATTEMPTS", 1)
    code, _, log = run("status")
    assert code == 75
    assert "s3://bucket/x" in log


def test_a_command_that_did_nothing_of_what_it_was_asked_says_so(store, run):
    code, lines, log = run("validate", "--shards", "0-1")
    assert (code, lines) == (65, [])
    assert "error: nothing validated: 0-1 must be curated first (sa_000000, single_en: not " in log
    assert "; run sa1b-captions ingest --shards 0-1, then caption, then curate" in log
    code, _, log = run("validate", "--shards", "0-1", "--run-id", "r")
    assert code == 99  # the stage that failed in this run has the error
    assert "nothing validated: no stage of this run has curated 0-1" in log
    code, _, log = run("drop", "--shards", "0")
    assert code == 99
    assert "nothing dropped. sa_000000: it is not captioned" in log


def test_captions_of_other_images_are_captioned_and_not_curated_before_validation(store, run):
    caption = ("caption", "--shards", "0", "--tracks", "single_en")
    builders.put_shard(store, SHARD, {n: builders.make_jpeg(n) for n in range(1, 9)})
    receipts.edit(store, layout.ingest_receipt_key(SHARD), content="a" * 16)
    run(*caption)
    receipts.edit(store, layout.ingest_receipt_key(SHARD), content="b" * 16)
    code, _, log = run("validate", "--shards", "0")
    assert code == 65
    assert "with other images; run sa1b-captions caption" in log
    assert "--force, then curate it" in log
    assert "sa1b-captions curate" not in log


def test_nothing_to_validate_exits_with_99(store, run):
    assert run("validate", "--shards", "")[0] == 99


@pytest.mark.parametrize("fault", [KeyError("rows"), EOFError("early\nend"), RuntimeError()])
def test_a_fault_of_ours_exits_with_1_and_ends_in_a_sentence_that_says_so(
    store, monkeypatch, caplog, fault
):
    """Whatever a person or Airflow sees last says whose fault it is, and what is safe."""

    def fail(*_):
        raise fault

    monkeypatch.setattr("sa1b_captions.cli.views.look_at_deployment", fail)
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 1
    assert "Traceback (most recent call last):" in result.stderr
    last = caplog.messages[-1]
    assert last.startswith(f"error: {type(fault).__name__}")
    assert "this is a fault of sa1b-captions; please report it with the lines above" in last
    assert last.endswith("What is stored is whole, and the same command goes on from there")
    assert "\n" not in last


@pytest.mark.parametrize(
    ("lack", "named"),
    [
        (MemoryError(), "memory: raise its limit"),
        (RuntimeError("can't start new thread"), "memory or threads"),
        (OSError(errno.EMFILE, "Too many open files"), "open files: raise their limit"),
        (OSError(errno.ENOSPC, "No space left", "/tmp/x"), "room on the disk of /tmp/x"),
    ],
)
def test_what_the_machine_lacks_is_no_fault_of_ours(store, monkeypatch, run, lack, named):
    def fail(*_):
        raise lack

    monkeypatch.setattr("sa1b_captions.cli.views.look_at_deployment", fail)
    code, _, log = run("status")
    assert code == 75
    assert f"this machine has too little {named}" in log
    assert "what is stored is whole" in log


@pytest.mark.parametrize(("module", "code"), [("polars", 65), ("sa1b_captions.gone", 1)])
def test_a_missing_package_is_the_installations_fault_and_one_of_ours_is_ours(
    store, monkeypatch, run, module, code
):
    def fail(*_):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr("sa1b_captions.cli.views.look_at_deployment", fail)
    found, _, log = run("status")
    assert found == code
    assert ("fault of sa1b-captions" in log) == (code == 1)


def test_no_command_is_outside_the_error_edge():
    assert {one.callback.__code__.co_filename for one in app.registered_commands} == {
        sys.modules["sa1b_captions.cli.common"].__file__
    }


def test_wrong_usage_exits_with_2(store, run):
    assert run("caption")[0] == 2
    assert run("captoin", "--shards", "0")[0] == 2


def test_a_curate_process_does_not_wait_for_pandas_and_scipy(store, run):
    """Libraries would import them on the off chance: half of the start."""
    builders.put_shard(store, SHARD, {n: builders.make_jpeg(n) for n in range(1, 5)})
    assert run("caption", "--shards", "0", "--tracks", "single_en")[0] == 0
    command = [sys.executable, "-X", "importtime", "-m", "sa1b_captions"]
    done = subprocess.run(
        [*command, "curate", "--shards", "0", "--tracks", "single_en"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1])["stage"] == "curate"
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "pyarrow.lib" in imported
    assert not {"pandas.core", "scipy._lib"} & imported
