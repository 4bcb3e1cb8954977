"""The compose file's services as processes, and a backfill of small shards through them.

`make test-stack` does it with 100 shards; STACK_SHARDS is their number.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import pytest

from demo.airflow_api import AirflowApi, wait_until
from sa1b_captions.storage import open_store_url
from tests.support import builders, stack
from tests.support.deployment import ROOT, filled_env, small_recipe

SHARDS = int(os.environ.get("STACK_SHARDS") or 4)
IMAGES = 4
"""Of one shard."""
DAYS = min(10, SHARDS // 2)
FINISHED = {"success", "failed"}
RUN_S = 240 + 30 * SHARDS

pytestmark = [
    pytest.mark.timeout(stack.START_S + RUN_S + 120),
    pytest.mark.skipif(not stack.can_run(), reason="needs PostgreSQL, curl and wget"),
]


@pytest.fixture(scope="module")
def folder():
    """The project folder. Not pytest's: PostgreSQL's own user has to reach it."""
    made = Path(tempfile.mkdtemp(prefix="stack-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def archives(folder, free_port):
    """Small shards behind an HTTP server, with the links file and the recipe in `data`."""
    served, data = folder / "archives", folder / "data"
    served.mkdir()
    data.mkdir()
    for shard in range(SHARDS):
        ids = range(shard * IMAGES + 1, (shard + 1) * IMAGES + 1)
        content = builders.make_archive(builders.sa1b_members(ids), shuffle_seed=shard)
        (served / f"sa_{shard:06d}.tar").write_bytes(content)
    expiry = f"{int(time.time()) + 86400:x}"
    rows = [
        f"{path.name}\thttp://127.0.0.1:{free_port}/{path.name}?oh=1&oe={expiry}"
        for path in sorted(served.iterdir())
    ]
    (data / "links.tsv").write_text("\n".join(["file_name\tcdn_link", *rows]))
    (data / "recipe.toml").write_text(small_recipe(SHARDS))
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "demo.archive_server:app", f"--port={free_port}"],
        env=os.environ | {"DEMO_ARCHIVES": str(served), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield data
    server.terminate()
    server.wait()


@pytest.fixture(scope="module")
def running(folder, archives):
    """Everything that `docker compose up --wait` starts, up and healthy."""
    own = {
        "CAPTIONS_SHARDS_PER_RUN": str(-(-SHARDS // DAYS)),
        "CAPTIONS_SHARDS_PER_POD": str(min(10, -(-SHARDS // DAYS))),
        "GPU_SLOTS": "2",
    }
    services = stack.Stack(folder, filled_env(own))
    try:
        services.up()
        yield services
    finally:
        services.down()


@pytest.fixture(scope="module")
def backfilled(running):
    """Both DAGs started the way deploy/README.md says, and the backfill at its end."""
    api = AirflowApi(running)
    for dag in ("release_dataset", "caption_shards"):
        assert wait_until(lambda dag=dag: api.has_dags({dag}), 120)
        api.unpause(dag)
    running.run(
        *("airflow-scheduler", "airflow", "backfill", "create", "--dag-id", "caption_shards"),
        *("--from-date", "2026-11-01", "--to-date", f"2026-11-{DAYS:02d}"),
        *("--max-active-runs", "3"),
    )

    def finished():
        states = states_of_runs(api)
        return len(states) == DAYS and set(states) <= FINISHED

    assert wait_until(finished, RUN_S, every_s=2), running.log("airflow-scheduler")[-3000:]
    return api


def states_of_runs(api):
    """Of the backfill's."""
    query = {"run_type": "backfill", "limit": 100}
    found = api.call("GET", "dags/caption_shards/dagRuns", params=query)
    return [run["state"] for run in found["dag_runs"]]


def test_every_service_starts_in_composes_order_and_passes_its_health_check(running):
    assert set(running.started_s) == set(running.to_start)


def test_the_pools_are_there_before_the_first_task(running):
    pools = {pool["name"]: pool for pool in AirflowApi(running).call("GET", "pools")["pools"]}
    assert (pools["gpu"]["slots"], pools["download"]["slots"]) == (2, 2)
    assert pools["gpu"]["include_deferred"]
    assert pools["download"]["include_deferred"]


def test_no_process_listens_to_other_machines(running):
    assert running.listens_at() == {"127.0.0.1"}


def test_every_run_of_the_backfill_succeeds(backfilled):
    assert states_of_runs(backfilled) == ["success"] * DAYS


def test_every_shard_is_captioned_and_released_by_itself(running, backfilled, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, running.variables[name])
    endpoint = f"http://127.0.0.1:{running.ports['seaweedfs']}"
    store = open_store_url(running.variables["CAPTIONS_ROOT"], endpoint)
    campaign = running.variables["CAPTIONS_CAMPAIGN"]
    receipts = [
        key
        for key in store.list(f"campaigns/{campaign}/curated/single_en/")
        if key.endswith("/receipt.json")
    ]
    assert len(receipts) == SHARDS

    def released():
        runs = backfilled.runs("release_dataset")
        for run in runs:
            say_release(backfilled, run["dag_run_id"])
        return {run["state"] for run in runs} & FINISHED

    assert wait_until(released, RUN_S, every_s=5)
    manifest = json.loads(store.read("releases/v1/manifest.json"))
    assert manifest["shards"] == [f"sa_{number:06d}" for number in range(SHARDS)]


def say_release(api, run_id):
    """What a person answers where the gate asks: of many small shards, too many warn."""
    gate = f"dags/release_dataset/dagRuns/{run_id}/taskInstances/gate/-1"
    if api.call("GET", gate)["state"] == "awaiting_input":
        answer = {"chosen_options": ["Release"], "params_input": {}}
        api.call("PATCH", f"{gate}/hitlDetails", json=answer)


def test_the_log_of_a_task_can_be_read(running, backfilled):
    run = backfilled.runs("caption_shards")[0]["dag_run_id"]
    path = f"dags/caption_shards/dagRuns/{run}/taskInstances/plan/logs/1"
    log = json.dumps(backfilled.call("GET", path))
    assert "shards" in log


def test_the_command_line_container_sees_the_shards(running, backfilled):
    said = json.loads(running.run("worker", "sa1b-captions", "status").splitlines()[-1])
    assert (said["done"], said["latest_release"]) == (SHARDS, "v1")


def test_the_console_shows_the_campaign(running, backfilled):
    account = {"username": "admin", "password": running.password}
    with httpx.Client(base_url=running.ui_url, timeout=60, trust_env=False) as client:
        token = client.post("/auth/token", json=account).json()["access_token"]
        reply = client.get("/captions/", headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code == 200, reply.text
    assert running.variables["CAPTIONS_CAMPAIGN"] in reply.text


def test_every_service_ends_within_its_grace_period(running, backfilled):
    """Last in the file: it stops what the others use."""
    took = running.down()
    assert {name for name, seconds in took.items() if seconds == float("inf")} == set()
