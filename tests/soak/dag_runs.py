"""DAG runs one after the other in a real Airflow, whose parts are measured after each."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psutil

from demo.airflow_api import AirflowApi, wait_until
from demo.archives import build_archives
from demo.processes import running, start, stop
from demo.workspace import Workspace
from tests.soak.children import free_port
from tests.soak.measures import Sample, SoakError, of_process
from tests.soak.slopes import FEWEST_ROUNDS

DAG_ID = "caption_shards"
START_S, RUN_S = 300, 600
FINISHED = ("success", "failed")
UNCHANGING = (
    "asset", "callback_request", "connection", "dag", "dag_code", "dag_version", "dag_warning",
    "import_error", "job", "serialized_dag", "slot_pool", "trigger",
)  # fmt: skip
"""Tables that another run of the same DAG must leave as they were."""


def run_dags(folder: Path, seconds: float) -> dict[str, list[Sample]]:
    """Force one shard again and again for so long; samples of Airflow's parts and its database.

    Raises:
        SoakError: Airflow did not come up, or a run failed.
    """
    workspace = Workspace(folder, free_port(), free_port())
    workspace.prepare()
    build_archives(workspace.archives, short_side_px=60)
    workspace.write_links()
    start(workspace)
    try:
        api = AirflowApi(workspace)
        if not wait_until(api.is_up, START_S) or not wait_until(
            lambda: api.has_dags({DAG_ID}), START_S
        ):
            raise SoakError(f"Airflow did not come up in {START_S} s")
        for pool in ("download", "gpu"):
            api.set_pool(pool, 2, "")
        api.unpause(DAG_ID)
        return _rounds(workspace, api, seconds)
    finally:
        stop(workspace)


def _rounds(workspace: Workspace, api: AirflowApi, seconds: float) -> dict[str, list[Sample]]:
    samples: dict[str, list[Sample]] = {}
    deadline, before = time.monotonic() + seconds, 0
    while time.monotonic() < deadline or len(samples.get("database", ())) < FEWEST_ROUNDS:
        run_id = api.trigger(DAG_ID, {"shards": "0", "force": True})
        if not wait_until(lambda: api.run(DAG_ID, run_id)["state"] in FINISHED, RUN_S):  # noqa: B023
            raise SoakError(f"{run_id} did not end within {RUN_S} s")
        if api.run(DAG_ID, run_id)["state"] == "failed":
            raise SoakError(f"{run_id} failed; the log of its tasks says why")
        for name, process in parts(workspace).items():
            own = of_process(process, Path(f"/nowhere/{name}"))
            samples.setdefault(name, []).append(own)
        rows = count_rows(workspace.home / "airflow" / "airflow.db")
        total = sum(rows.values())
        unchanging = sum(rows.get(name, 0) for name in UNCHANGING)
        database = {"rows": float(total - before), "unchanging_rows": float(unchanging)}
        samples.setdefault("database", []).append(database)
        before = total
    return samples


def parts(workspace: Workspace) -> dict[str, psutil.Process]:
    """Airflow's processes by the name of their command; those that they fork are theirs."""
    found: dict[str, psutil.Process] = {}
    for process in sorted(running(workspace), key=lambda one: one.create_time()):
        line = " ".join(process.cmdline())
        for name in ("api-server", "dag-processor", "scheduler", "triggerer"):
            if name in line or name.replace("-", "_") in line:
                found.setdefault(name, process)
    return found


def count_rows(path: Path) -> dict[str, int]:
    """Rows of each table of an SQLite database that others write to."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        counted = {}
        for (name,) in names:
            (counted[name],) = database.execute(f'SELECT count(*) FROM "{name}"').fetchone()  # noqa: S608
        return counted
