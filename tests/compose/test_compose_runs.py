"""`make test-compose`: the compose file started on docker, and one shard captioned by it."""

import json
import os
import secrets
import subprocess
import time

import pytest
import yaml

from demo.archives import build_archives
from sa1b_captions.storage import open_store_url
from tests.support.deployment import COMPOSE_FILE, ROOT, filled_env

START_S = RUN_S = 900
DATA = "/opt/airflow/data"
READERS = tuple(
    f"airflow-{name}" for name in ("apiserver", "scheduler", "dag-processor", "triggerer")
)
"""Services that read the links file or the recipe."""


@pytest.fixture(scope="module")
def settings():
    """A usable `.env`: the example with credentials of this trial."""
    return filled_env({})


@pytest.fixture(scope="module")
def compose(settings, tmp_path_factory):
    """Runs compose commands on services that are up and healthy."""
    folder = tmp_path_factory.mktemp("compose")
    write_data(folder / "data")
    (folder / "env").write_text("".join(f"{name}={text}\n" for name, text in settings.items()))
    mount = [f"{folder / 'data'}:{DATA}:ro"]
    archives = {
        "image": "python:3.11.13-slim-bookworm",
        "command": ["python", "-m", "http.server", "8000", "--directory", DATA],
        "volumes": mount,
    }
    services = {name: {"volumes": mount} for name in READERS} | {"archives": archives}
    (folder / "override.yaml").write_text(yaml.safe_dump({"services": services}))
    command = ["docker", "compose", f"--project-name=trial-{secrets.token_hex(4)}"]
    command += [f"--file={COMPOSE_FILE}", f"--file={folder / 'override.yaml'}"]
    command += [f"--project-directory={ROOT}", f"--env-file={folder / 'env'}"]

    def run(*arguments):
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, check=False, timeout=START_S
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    try:
        run("up", "--build", "--wait", "--detach")
        yield run
    finally:
        run("down", "--volumes", "--remove-orphans")


def write_data(folder):
    """Two small archives, the links file that leads to them, and the demo's recipe."""
    folder.mkdir()
    build_archives(folder, short_side_px=60)
    expiry = f"{int(time.time()) + 86400:x}"
    rows = [
        f"{path.name}\thttp://archives:8000/{path.name}?oh=1&oe={expiry}"
        for path in sorted(folder.glob("*.tar"))
    ]
    (folder / "links.tsv").write_text("\n".join(["file_name\tcdn_link", *rows]))
    (folder / "recipe.toml").write_text(
        (ROOT / "tests" / "support" / "two_shards.toml").read_text()
    )
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)


@pytest.mark.timeout(START_S + RUN_S + 300)
def test_a_triggered_run_captions_a_shard(compose, settings, monkeypatch):
    airflow = ("exec", "--no-TTY", "airflow-scheduler", "airflow", "dags")
    compose(*airflow, "unpause", "caption_shards")
    compose(*airflow, "trigger", "caption_shards", "--run-id", "trial", "--conf", '{"shards": "0"}')
    deadline = time.monotonic() + RUN_S
    while (state := state_of(compose(*airflow, "list-runs", "caption_shards", "-o", "json"))) in (
        "queued",
        "running",
    ):
        assert time.monotonic() < deadline, compose("logs", "--tail=50", "airflow-scheduler")
        time.sleep(10)
    assert state == "success", compose("logs", "--tail=50", "airflow-scheduler")

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setitem(os.environ, name, settings[name])
    store = open_store_url(settings["CAPTIONS_ROOT"], f"http://127.0.0.1:{settings['S3_PORT']}")
    keys = list(store.list(f"campaigns/{settings['CAPTIONS_CAMPAIGN']}/curated/single_en/"))
    assert any(key.endswith("sa_000000/receipt.json") for key in keys), keys


def state_of(output):
    """State of the run that was triggered; a new one may not be listed yet."""
    runs = json.loads(output[output.index("[") :])
    return next((run["state"] for run in runs if run["run_id"] == "trial"), "queued")
