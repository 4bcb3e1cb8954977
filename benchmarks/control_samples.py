"""What is measured every few seconds while a run goes through the stack."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import psutil

from benchmarks.control_database import Database
from tests.support.stack import Stack

COMPONENTS = {
    "scheduler": "airflow-scheduler",
    "triggerer": "airflow-triggerer",
    "dag-processor": "airflow-dag-processor",
    "api-server": "airflow-apiserver",
    "postgres": "postgres",
}
"""Names to services. `tasks` are what the scheduler's executor runs, `stages` what those start."""
TASKS, STAGES = "tasks", "stages"
DAG = "caption_shards"


class Processes:
    """The components' processes, and what they have cost since this was made."""

    def __init__(self, services: Stack) -> None:
        self._services = services
        self._before = self._cpu_s()

    def ended(self) -> list[str]:
        """Components that run no more."""
        found = ((name, self._services.process(one)) for name, one in COMPONENTS.items())
        return [name for name, one in found if one.status() == psutil.STATUS_ZOMBIE]

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds by component; those of stages are with the tasks that waited for them."""
        spent = self._cpu_s()
        return {name: round(spent[name] - self._before[name], 1) for name in spent}

    def memory_mib(self) -> dict[str, float]:
        """Proportional set size by component: what they share is counted once in all."""
        found = dict.fromkeys((*COMPONENTS, TASKS, STAGES), 0.0)
        for name, process in self._all():
            try:
                found[name] += process.memory_full_info().pss / 2**20
            except psutil.Error:  # it has just ended
                continue
        return found

    def _cpu_s(self) -> dict[str, float]:
        found = dict.fromkeys((*COMPONENTS, TASKS), 0.0)
        for name, process in self._all():
            try:
                # With what ended and was waited for.
                found[TASKS if name == STAGES else name] += sum(process.cpu_times()[:4])
            except psutil.Error:
                continue
        return found

    def _all(self) -> Iterator[tuple[str, psutil.Process]]:
        for name, service in COMPONENTS.items():
            first = self._services.process(service)
            yield name, first
            for child in first.children():
                of_executor = name == "scheduler" and "LocalExecutor" in _command(child)
                yield (TASKS if of_executor else name), child
                for process in _below(child):
                    if of_executor:
                        yield (STAGES if "sa1b_captions" in _command(process) else TASKS), process
                    else:
                        yield name, process


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _below(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


class Pages:
    """What a person looks at while the run goes on, asked one after the other."""

    def __init__(self, services: Stack, run_id: str) -> None:
        account = {"username": "admin", "password": services.password}
        self._http = httpx.Client(base_url=services.ui_url, timeout=120, trust_env=False)
        token = self._http.post("/auth/token", json=account).json()["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"
        run = f"/api/v2/dags/{DAG}/dagRuns/{run_id}"
        self.paths: dict[str, tuple[str, dict[str, str]]] = {
            # As the pages of Airflow's own UI ask for them.
            "grid: runs": (f"/ui/grid/runs/{DAG}", {"limit": "10", "order_by": "-run_after"}),
            "grid: structure": (f"/ui/grid/structure/{DAG}", {"limit": "10"}),
            "grid: states of a run": (f"/ui/grid/ti_summaries/{DAG}", {"run_ids": run_id}),
            "run: first 50 shards of a task": (
                f"{run}/taskInstances",
                {"task_id": "shard.caption", "limit": "50", "order_by": "-start_date"},
            ),
            "console: board": ("/captions/", {}),
            "console: a shard": ("/captions/board/sa_000000", {}),
            "console: gallery": ("/captions/gallery", {}),
        }

    def ask(self) -> dict[str, float | None]:
        """Seconds to the last byte of each; None of one that is not served."""
        took: dict[str, float | None] = {}
        for name, (path, query) in self.paths.items():
            began = time.perf_counter()
            try:
                self._http.get(path, params=query).raise_for_status()
                took[name] = time.perf_counter() - began
            except httpx.HTTPError:
                took[name] = None
        return took

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


@dataclass
class Samples:
    """Everything sampled of a run."""

    heartbeat_age_s: list[float] = field(default_factory=list)
    memory_mib: dict[str, float] = field(default_factory=dict)
    """The most at any moment."""
    pages_s: dict[str, list[float]] = field(default_factory=dict)
    unanswered: Counter[str] = field(default_factory=Counter)
    """Pages that were not served, by name."""

    def take(self, database: Database, processes: Processes) -> None:
        """Measure database and processes."""
        self.heartbeat_age_s.append(database.heartbeat_age_s())
        for name, mib in processes.memory_mib().items():
            self.memory_mib[name] = max(self.memory_mib.get(name, 0.0), round(mib))

    def look(self, pages: Pages) -> None:
        """Ask for every page once."""
        for name, seconds in pages.ask().items():
            times = self.pages_s.setdefault(name, [])
            if seconds is None:
                self.unanswered[name] += 1
            else:
                times.append(seconds)
