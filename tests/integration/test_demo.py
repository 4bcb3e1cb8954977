"""`make demo` as a stranger runs it: a real scheduler, twice, then a backfill, then `make down`."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from demo.airflow_api import AirflowApi, wait_until
from demo.processes import running
from demo.workspace import Workspace

ROOT = Path(__file__).parents[2]
SHARDS = tuple(f"sa_{number:06d}" for number in range(5))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def before():
    """What ran before the demo: another demo, perhaps."""
    return ours()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, before):
    made = Workspace(tmp_path_factory.mktemp("demo"), free_port(), free_port())
    yield made
    run_demo(made, "--down")


def run_demo(workspace, *arguments):
    # Through a parent with the same environment, as make is: stopping must spare it.
    return subprocess.run(
        ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-m", "demo.run", *arguments],
        env=demo_environment(workspace),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def demo_environment(workspace):
    return os.environ | {
        "DEMO_HOME": str(workspace.home),
        "DEMO_PORT": str(workspace.ui_port),
        "DEMO_ARCHIVE_PORT": str(workspace.archive_port),
    }


def ours():
    """Airflow, archive server and stages alive on this machine, whoever started them."""
    found = {}
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if any(word in command for word in ("airflow ", "archive_server", "sa1b_captions")):
            found[process.pid] = command
    return found


@pytest.fixture(scope="module")
def first(workspace):
    """The first run; every claim below builds on it."""
    done = run_demo(workspace)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.timeout(900)
def test_the_demo_ends_with_a_release_and_says_where(workspace, first):
    result = json.loads(first.splitlines()[-1])
    assert set(result) == {
        "ui_url",
        "username",
        "password_file",
        "release",
        "rows",
        "rejected",
        "report",
        "seconds",
    }
    assert set(result["rows"]) == {
        "preview_sa1b_caption_demo_single_image_en.jsonl",
        "preview_sa1b_caption_demo_single_image_zh.jsonl",
        "preview_sa1b_caption_demo_multi_image_en.jsonl",
        "preview_sa1b_caption_demo_multi_image_zh.jsonl",
    }
    assert result["rows"]["preview_sa1b_caption_demo_single_image_en.jsonl"] >= 110
    for name, rows in result["rows"].items():
        path = Path(result["release"]) / name
        assert len(path.read_text().splitlines()) == rows
    assert result["rejected"]["undecodable"] >= 1
    assert result["rejected"]["exact_duplicate"] >= 1
    assert Path(result["report"]).read_text().startswith("<!doctype html>")
    assert "release_dataset started by itself" in first


def test_the_password_is_private_and_works(workspace, first):
    result = json.loads(first.splitlines()[-1])
    assert Path(result["password_file"]).stat().st_mode & 0o077 == 0
    password = json.loads(Path(result["password_file"]).read_text())["admin"]
    for guess, code in ((password, 201), ("admin", 401)):
        reply = httpx.post(
            result["ui_url"] + "/auth/token",
            json={"username": "admin", "password": guess},
            trust_env=False,
        )
        assert reply.status_code == code


def test_every_process_listens_on_loopback_only(workspace, first):
    addresses = {
        connection.laddr.ip
        for process in running(workspace)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


def test_a_second_run_skips_what_is_done(workspace, first):
    written = {path: path.stat().st_mtime_ns for path in workspace.store.rglob("*.parquet")}
    done = run_demo(workspace)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "skipped       shard.ingest sa_000000" in done.stdout
    assert {p: p.stat().st_mtime_ns for p in workspace.store.rglob("*.parquet")} == written


def test_each_change_of_a_task_is_one_line(workspace, first):
    for run in first.split("started by itself"):
        lines = [line.split(maxsplit=1)[1] for line in run.splitlines() if line[2:3] == ":"]
        assert len(lines) == len(set(lines))
        assert [line for line in lines if line.split()[-1].isdigit()] == []


def demo_that_follows(workspace):
    """A demo in its own process, as soon as it looks on at a run."""
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.run"],
        cwd=ROOT,
        env=demo_environment(workspace),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while "triggered" not in process.stdout.readline():
        assert process.poll() is None
    return process


def test_ctrl_c_says_what_goes_on_and_how_to_stop_it(workspace, first):
    process = demo_that_follows(workspace)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "`make down` stops it" in said
    assert "Traceback" not in said


def test_a_backfill_works_through_the_days(workspace, first):
    """Three days at one shard a day: two shards are done again, the third day has none left."""
    command = (
        f". '{workspace.shell_file}' && airflow backfill create --dag-id caption_shards"
        " --from-date 2026-11-04 --to-date 2026-11-06 --dag-run-conf '{\"force\": true}'"
    )
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    api = AirflowApi(workspace)

    def finished():
        runs = [run for run in api.runs("caption_shards") if run["run_type"] == "backfill"]
        return (
            len(runs) == 3 and all(run["state"] in ("success", "failed") for run in runs) and runs
        )

    assert wait_until(finished, timeout_s=300)
    captioned = {}
    for run in finished():
        assert run["state"] == "success"
        tasks = api.tasks("caption_shards", run["dag_run_id"])
        captioned[run["logical_date"][:10]] = [
            task["rendered_map_index"]
            for task in tasks
            if task["task_id"] == "shard.caption" and task["state"] == "success"
        ]
    assert captioned == {
        "2026-11-04": ["sa_000003"],
        "2026-11-05": ["sa_000004"],
        "2026-11-06": [],
    }


def test_shards_done_again_become_the_next_version(workspace, first):
    """With those of the backfill above all keys are in again, so a release starts by itself."""
    AirflowApi(workspace).trigger("caption_shards", {"shards": "0-2", "force": True})
    latest = workspace.store / "releases" / "LATEST"
    assert wait_until(lambda: latest.read_text().strip() == "v2", timeout_s=400)
    assert (workspace.store / "releases" / "v1" / "manifest.json").exists()


def test_a_port_in_use_is_one_clear_sentence(workspace, first, tmp_path):
    other = Workspace(tmp_path, workspace.ui_port, free_port())
    done = run_demo(other)
    assert done.returncode == 1
    assert f"port {workspace.ui_port} on 127.0.0.1 is in use" in done.stderr


def test_down_leaves_no_process(workspace, first, before):
    """Last in the file: it stops what the others use."""
    assert len(ours()) > len(before)
    process = demo_that_follows(workspace)
    assert run_demo(workspace, "--down").returncode == 0
    _, said = process.communicate(timeout=60)
    assert (process.returncode, "Airflow does not answer any more" in said) == (1, True)
    assert "Traceback" not in said
    assert {pid: command for pid, command in ours().items() if pid not in before} == {}
