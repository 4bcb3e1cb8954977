"""How the logs of all tries end: in a sentence, in a traceback, or nowhere."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from demo.airflow_api import AirflowApi

DAGS = ("caption_shards", "release_dataset")


@dataclass(frozen=True, slots=True)
class LastLine:
    """How one try's log ends."""

    where: str
    state: str
    last_try: bool
    text: str
    traceback: bool

    @property
    def kind(self) -> str:
        """One word."""
        return "traceback" if self.traceback else "sentence" if self.text else "nothing"


def read_last_lines(api: AirflowApi) -> list[LastLine]:
    """Of every try of every task of every run."""
    return [line for dag in DAGS for run in _runs(api, dag) for line in _of_run(api, dag, run)]


def _runs(api: AirflowApi, dag: str) -> list[str]:
    found = api.call("GET", f"dags/{dag}/dagRuns", params={"limit": 100})["dag_runs"]
    return [run["dag_run_id"] for run in found]


def _of_run(api: AirflowApi, dag: str, run: str) -> Iterator[LastLine]:
    base = f"dags/{dag}/dagRuns/{run}/taskInstances"
    for task in api.call("GET", base, params={"limit": 1000})["task_instances"]:
        if not task["start_date"]:
            continue
        name, index = task["task_id"], task["map_index"]
        for number in range(1, task["try_number"] + 1):
            try:
                log = api.call("GET", f"{base}/{name}/logs/{number}", params={"map_index": index})
            except httpx.HTTPStatusError:
                log = {"content": []}
            text, traceback = _end(log["content"])
            where = f"{dag} {run} {name}[{index}] try {number}"
            yield LastLine(where, task["state"], number == task["try_number"], text, traceback)


def _end(content: list[Any]) -> tuple[str, bool]:
    """The last line with text, and whether a traceback is what it shows."""
    for event in reversed(content):
        if isinstance(event, str):
            event = {"event": event}
        text = str(event.get("event") or "").strip()
        if text and not text.startswith("::"):
            detail = event.get("error_detail") or []
            frames = any(each.get("frames") for each in detail)
            return text, frames or text.startswith(("Traceback", "  File"))
    return "", False


def count(lines: list[LastLine]) -> dict[str, int]:
    """Tries by how their log ends."""
    return dict(Counter(line.kind for line in lines))


def offences(lines: list[LastLine]) -> Iterator[str]:
    """Tries whose log ends in a traceback, and last tries whose log ends in nothing."""
    for line in lines:
        if line.traceback or (line.last_try and not line.text):
            yield f"the log of {line.where} ends in {line.kind}: {line.text[:200]}"
