"""What a person does after a bad trial, by what docs/runbook.md says: wait, clear, trigger, answer.

Nothing else: no row of the database and no object of the store is touched by hand.
"""

import json
import time
from typing import Any

import httpx

from demo.airflow_api import AirflowApi
from tests.chaos.ground import Ground

LOOK_S = 3.0
CAPTION, RELEASE = "caption_shards", "release_dataset"
FINISHED = ("success", "failed")
MOST_CLEARS = 6
"""Of one run. What fails more often is not recovered."""


class Recovery:
    """Looks again and again until there is a release of all shards, or the time is up."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._api = ground, ground.api()
        self.clears: dict[str, int] = {}
        """How often each run was cleared."""
        self.triggers: list[str] = []
        """What was triggered besides, with why."""
        self._asked: set[str] = set()
        """Runs of release_dataset that this recovery triggered."""

    def run(self, patience_s: float) -> str | None:
        """Recover; returns the release's version, or None when the time is up."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            try:
                if version := self._step():
                    return version
            except (httpx.HTTPError, ValueError) as error:
                self._ground.journal.note("look again", error=str(error)[:300])
            time.sleep(LOOK_S)
        return None

    def _step(self) -> str | None:
        releases, captions = self._runs(RELEASE), self._runs(CAPTION)
        for run in releases:
            answer_gate(self._api, run)
        if any(run["state"] not in FINISHED for run in captions):
            return None
        failed = [run for run in captions if run["state"] == "failed"]
        if any([self._clear(run) for run in failed]):  # all of them
            return None
        if any(run["state"] not in FINISHED for run in releases):
            return None
        status = self._status()
        if status["done"] < status["shards"] or status["stale"]:
            self._trigger(CAPTION, {"shards": self._ground.selection}, str(status))
            return None
        # Of itself, perhaps; captions that were made again since say the same.
        if any(run["state"] == "success" for run in releases):
            return str(status["latest_release"])
        mine = [run for run in releases if run["dag_run_id"] in self._asked]
        if not (mine and self._clear(mine[0])):
            self._asked.add(self._trigger(RELEASE, {}, "all shards are done"))
        return None

    def _runs(self, dag: str) -> list[dict[str, Any]]:
        """Newest first."""
        query = {"order_by": "-run_after", "limit": 100}
        found: list[dict[str, Any]] = self._api.call("GET", f"dags/{dag}/dagRuns", params=query)[
            "dag_runs"
        ]
        return found

    def _clear(self, run: dict[str, Any]) -> bool:
        """*Clear* the failed tasks of a run; False where that has been tried too often."""
        name = run["dag_run_id"]
        if self.clears.get(name, 0) >= MOST_CLEARS:
            return False
        self.clears[name] = self.clears.get(name, 0) + 1
        body = {"dry_run": False, "dag_run_id": name, "only_failed": True}
        self._api.call("POST", f"dags/{run['dag_id']}/clearTaskInstances", json=body)
        self._ground.journal.note("clear", run=name)
        return True

    def _trigger(self, dag: str, conf: dict[str, Any], why: str) -> str:
        made = self._api.trigger(dag, conf)
        self.triggers.append(f"{dag} {json.dumps(conf)}: {why}"[:300])
        self._ground.journal.note("trigger", dag=dag, conf=conf, why=why[:300])
        return made

    def _status(self) -> dict[str, Any]:
        done = self._ground.command("status")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return {key: found[key] for key in ("done", "shards", "stale", "latest_release")}


def answer_gate(api: AirflowApi, run: dict[str, Any]) -> None:
    """Say *Release* where a run waits for that: of many small shards, too many warn."""
    if run["state"] in FINISHED:
        return
    gate = f"dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances/gate/-1"
    if api.call("GET", gate)["state"] == "awaiting_input":
        answer = {"chosen_options": ["Release"], "params_input": {}}
        api.call("PATCH", f"{gate}/hitlDetails", json=answer)
