"""What Airflow itself costs over a campaign: scheduler, triggerer and operators, pods simulated.

    make bench-control        SHARDS=1000; LIMIT_S ends it with what it has by then

Compose's services run as processes on PostgreSQL. One run of caption_shards takes all shards with
their four tracks; every stage before `validate` finds its result in the store, and a pod takes
20 s and does nothing. A tenth of the shards goes first, in a stack of its own: cost per shard is
compared with that. Every few seconds the pages that people look at are asked for, and processes
and database are measured. The last line is one JSON object.
"""

import json
import os
import resource
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks.control_database import Database, spread
from benchmarks.control_samples import DAG, Pages, Processes, Samples
from benchmarks.control_stack import POD_S, PODS, START_S, TASKS, TimedKubernetes, running
from demo.airflow_api import AirflowApi, wait_until
from tests.support.stack import Stack, can_run

EVERY_S = 5.0
PAGES_EVERY_S = 30.0
"""Pages cost as well, so they are asked for as a few people would."""
SMALLER = 10
FINISHED = ("success", "failed")
GOAL_GROWTH, GOAL_CONSOLE_S = 1.2, 1.0


def measure(shards: int, deadline: float) -> dict[str, Any]:
    """One run over so many shards in a stack of its own; it is left where the time is up."""
    with running(shards) as (services, cluster):
        stages = {name: _stage_cpu_s(services, name) for name in ("ingest", "curate")}
        api = AirflowApi(services)  # type: ignore[arg-type]  # it has what is asked of a workspace
        for dag in ("release_dataset", DAG):
            if not wait_until(lambda dag=dag: api.has_dags({dag}), START_S):
                raise RuntimeError(f"{dag} is not there; {api.import_errors()}")
            api.unpause(dag)
        database, processes = Database(services), Processes(services)
        size_mib, began = database.size_mib(), time.monotonic()
        run_id = api.trigger(DAG, {"shards": f"0-{shards - 1}"})
        pages = Pages(services, run_id)
        watch = Watch(api, run_id, database, processes, pages)
        try:
            state, samples = watch.to_the_end(deadline), watch.samples
            cpu_s, wall_s = processes.cpu_s(), time.monotonic() - began
            counted = {"shards": shards, "run": state, "completed": state == "success"}
            counted |= _costs(counted, database.states(run_id), cpu_s, wall_s) | {"stages": stages}
            return (
                counted
                | _database(database, run_id, size_mib, shards, samples)
                | _looks(samples, cluster)
            )
        finally:
            pages.close()
            database.close()


@dataclass
class Watch:
    """A run that is being measured."""

    api: AirflowApi
    run_id: str
    database: Database
    processes: Processes
    pages: Pages
    samples: Samples = field(default_factory=Samples)

    def to_the_end(self, deadline: float) -> str:
        """Measure until the run ends, the time is up or a component ends; returns what it was."""
        first = said = looked = time.monotonic()
        self.samples.look(self.pages)
        while True:
            began = time.monotonic()
            self.samples.take(self.database, self.processes)
            if began - looked > PAGES_EVERY_S:
                looked = began
                self.samples.look(self.pages)
            if ended := self.processes.ended():
                return f"{', '.join(ended)} ended"
            state = self._state()
            if state in FINISHED or began > deadline:
                return state
            if began - said > 60:
                said = began
                minutes, load = (began - first) / 60, os.getloadavg()[0]
                states = self.database.states(self.run_id)
                print(f"{state} for {minutes:.0f} minutes, load {load:.0f}: {states}", flush=True)
            time.sleep(max(0.0, began + EVERY_S - time.monotonic()))

    def _state(self) -> str:
        try:
            return str(self.api.run(DAG, self.run_id)["state"])
        except httpx.HTTPError as error:
            return f"not known: {error}"


def _stage_cpu_s(services: Stack, name: str) -> float:
    """CPU seconds of a stage's process that finds nothing to do."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = (sys.executable, "-m", "sa1b_captions", name, "--shards", "0")
    services.run("airflow-scheduler", *command, timeout_s=START_S)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return round(spent, 2)


def _costs(
    run: dict[str, Any], states: dict[str, int], cpu_s: dict[str, float], wall_s: float
) -> dict[str, Any]:
    """Of a run that did not complete there is no cost of a shard, only of a task."""
    done, total = states.get("success", 0), sum(cpu_s.values())
    costs = {
        "states": states,
        "wall_s": round(wall_s),
        "tasks_per_minute": round(done / wall_s * 60, 1),
        "cpu_s": cpu_s,
        "cpu_s_per_task": round(total / max(done, 1), 2),
    }
    if run["completed"]:
        costs["cpu_s_per_shard"] = round(total / run["shards"], 2)
        costs["wall_s_per_shard"] = round(wall_s / run["shards"], 2)
    return costs


def _database(
    database: Database, run_id: str, before_mib: float, shards: int, samples: Samples
) -> dict[str, Any]:
    after_mib = database.size_mib()
    return {
        "scheduler_lag_s": spread(database.lag_s(run_id)),
        "executor_wait_s": spread(database.start_s(run_id)),
        "heartbeat_age_s": spread(samples.heartbeat_age_s),
        "database_mib": [round(before_mib, 1), round(after_mib, 1)],
        "database_kib_per_shard": round((after_mib - before_mib) * 1024 / shards, 1),
        "rows": database.rows(),
    }


def _looks(samples: Samples, cluster: TimedKubernetes) -> dict[str, Any]:
    return {
        "peak_pss_mib": samples.memory_mib,
        "pages_s": {name: spread(took) for name, took in samples.pages_s.items() if took},
        "unanswered": dict(samples.unanswered),
        "pods": {"made": len(cluster.created), "most_at_once": cluster.most_at_once},
        "pod_end_to_delete_s": spread(cluster.noticed_s),
    }


def cells(one: dict[str, Any]) -> dict[str, object]:
    """What the table says of one size."""
    return {
        "shards": one["shards"],
        "completed": "yes" if one["completed"] else f"no: {one['states']}",
        "wall s": one["wall_s"],
        "tasks a minute": one["tasks_per_minute"],
        "CPU s a shard": one.get("cpu_s_per_shard", ""),
        "CPU s a task": one["cpu_s_per_task"],
        **{f"CPU s: {name}": spent for name, spent in one["cpu_s"].items()},
        "scheduler lag s, p95": one["scheduler_lag_s"].get("p95", ""),
        "heartbeat age s, max": one["heartbeat_age_s"].get("max", ""),
        "database MiB": " → ".join(map(str, one["database_mib"])),
        **{f"peak PSS MiB: {name}": mib for name, mib in one["peak_pss_mib"].items()},
        **{
            f"{name}, s p50 / p95": f"{took['p50']:.2f} / {took['p95']:.2f}"
            for name, took in one["pages_s"].items()
        },
    }


def table(found: list[dict[str, Any]]) -> str:
    """The sizes side by side, for people."""
    columns = [cells(one) for one in found]
    lines = [
        f"| {name} | {' | '.join(str(one.get(name, '')) for one in columns)} |"
        for name in columns[0]
    ]
    return "\n".join([lines[0], "|---" * (len(found) + 1) + "|", *lines[1:]])


def growth(found: list[dict[str, Any]]) -> float | None:
    """Cost of a shard over that of the first size's; None where one did not complete."""
    costs = [one["cpu_s_per_shard"] for one in found if one["completed"]]
    return round(costs[-1] / costs[0], 3) if len(costs) > 1 else None


def missed(found: list[dict[str, Any]]) -> list[str]:
    """What of the goals is not reached."""
    wrong = [f"{one['shards']} shards did not complete" for one in found if not one["completed"]]
    if (growth(found) or 1.0) > GOAL_GROWTH:
        wrong.append("cost per shard grows")
    for name, took in found[-1]["pages_s"].items():
        if name.startswith("console") and took["p95"] > GOAL_CONSOLE_S:
            wrong.append(f"{name} takes {took['p95']} s")
    return wrong


def _stop(*_: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a second one would cut off the first one's end
    sys.exit("stopped; everything it started has ended")


def main() -> None:
    """Measure a tenth, then all, and print both."""
    if not can_run():
        sys.exit("bench-control needs PostgreSQL, curl and wget: apt install postgresql curl wget")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    shards = int(os.environ.get("SHARDS") or 1000)
    deadline = time.monotonic() + float(os.environ.get("LIMIT_S") or 4 * 3600)
    found: list[dict[str, Any]] = []
    sizes = sorted({max(1, shards // SMALLER), shards})
    for size in sizes:
        if time.monotonic() > deadline:
            break
        found.append(measure(size, deadline))
        print(json.dumps(found[-1]), flush=True)
    print(table(found))
    result = {
        "completed": len(found) == len(sizes) and all(one["completed"] for one in found),
        "growth_of_cpu_s_per_shard": growth(found),
        "goals_missed": missed(found),
        "pods": PODS,
        "pod_s": POD_S,
        "task_processes": TASKS,
        "sizes": found,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
