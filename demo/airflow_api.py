"""The few calls of Airflow's public REST API that the demo makes."""

import time
from typing import Any

import httpx

from demo.workspace import Workspace


class AirflowApi:
    """A client that logs in as admin and asks for a new token when one runs out."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._http = httpx.Client(base_url=workspace.ui_url, timeout=60, trust_env=False)

    def is_up(self) -> bool:
        """Whether the API, and the execution API that tasks talk to, answer."""
        try:
            health = self._http.get("/api/v2/monitor/health")
            # The first request builds the execution API; better now than in the first task.
            ping = self._http.get("/execution/health/ping")
        except httpx.HTTPError:
            return False
        if not (health.is_success and ping.is_success):
            return False
        status = health.json()
        parts = ("metadatabase", "scheduler", "dag_processor")
        return all(status[part]["status"] == "healthy" for part in parts)

    def call(self, method: str, path: str, **kwargs: Any) -> Any:
        """One API call; returns the parsed reply. Raises httpx.HTTPStatusError."""
        for attempt in (1, 2):
            if "Authorization" not in self._http.headers:
                self._log_in()
            reply = self._http.request(method, f"/api/v2/{path}", **kwargs)
            if reply.status_code == httpx.codes.UNAUTHORIZED and attempt == 1:
                del self._http.headers["Authorization"]
                continue
            break
        reply.raise_for_status()
        return reply.json() if reply.content else None

    def _log_in(self) -> None:
        account = {"username": "admin", "password": self._workspace.password}
        reply = self._http.post("/auth/token", json=account)
        reply.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"

    def has_dags(self, dag_ids: set[str]) -> bool:
        """Whether Airflow has parsed these DAGs."""
        found = self.call("GET", "dags", params={"limit": 100})
        return dag_ids <= {dag["dag_id"] for dag in found["dags"]}

    def import_errors(self) -> list[str]:
        """Stack traces of DAG files that do not load."""
        return [e["stack_trace"] for e in self.call("GET", "importErrors")["import_errors"]]

    def set_pool(self, name: str, slots: int, description: str) -> None:
        """Create a pool unless it exists."""
        pool = {
            "name": name,
            "slots": slots,
            "description": description,
            "include_deferred": True,
        }
        try:
            self.call("POST", "pools", json=pool)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.CONFLICT:
                raise

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run."""
        self.call("PATCH", f"dags/{dag_id}", json={"is_paused": False})

    def trigger(self, dag_id: str, conf: dict[str, Any], **fields: Any) -> str:
        """Start a run; returns its run id."""
        body = {"logical_date": None, "conf": conf, **fields}
        return str(self.call("POST", f"dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The DAG's latest runs, newest first."""
        query = {"order_by": "-run_after", "limit": 10}
        runs: list[dict[str, Any]] = self.call("GET", f"dags/{dag_id}/dagRuns", params=query)[
            "dag_runs"
        ]
        return runs

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """One run."""
        found: dict[str, Any] = self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}")
        return found

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Task instances of a run."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        tasks: list[dict[str, Any]] = self.call("GET", path, params={"limit": 200})[
            "task_instances"
        ]
        return tasks


def wait_until(condition: Any, timeout_s: float, every_s: float = 1.0) -> bool:
    """Poll until the condition holds; False when the time is up."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True
