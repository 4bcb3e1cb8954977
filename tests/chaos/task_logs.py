"""How the logs of all tries end: in a sentence, in a traceback, or nowhere."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from demo.airflow_api import AirflowApi

DAGS = ("caption_shards", "release_dataset")
SAID = {"AirflowException", "AirflowFailException", "AirflowSkipException", "AirflowTaskTerminated"}
"""Errors whose text is meant for people; Airflow shows it last, below where it was raised."""


@dataclass(frozen=True, slots=True)
class LastLine:
    """How one try's log ends."""

    where: str
    state: str
    last_try: bool
    text: str
    error: str
    """Type of the error that the log ends with; empty where that is none, or one that speaks."""
    ours: bool
    """Whether that error passed through code of this project."""

    @property
    def kind(self) -> str:
        """How it ends, in a word or two."""
        if self.error:
            return "traceback" if self.ours else "traceback of Airflow's own"
        return "sentence" if self.text else "nothing"


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
            text, error, ours = _end(log["content"])
            where = f"{dag} {run} {name}[{index}] try {number}"
            last = number == task["try_number"]
            yield LastLine(where, task["state"], last, text, error, ours)


def _end(content: list[Any]) -> tuple[str, str, bool]:
    """The last line with text, and whose error it is, if it shows one that does not speak."""
    for event in reversed(content):
        if isinstance(event, str):
            event = {"event": event}
        text = str(event.get("event") or "").strip()
        if text and not text.startswith("::"):
            if not (detail := event.get("error_detail")):
                return text, "Traceback" if text.startswith("Traceback") else "", True
            shown = detail[0]  # the last one raised
            files = [frame.get("filename", "") for frame in shown.get("frames") or []]
            ours = any("sa1b_" in file or "/dags/" in file for file in files)
            error = "" if shown["exc_type"] in SAID else shown["exc_type"]
            return f"{shown['exc_type']}: {shown['exc_value']}", error, ours
    return "", "", True


def count(lines: list[LastLine]) -> dict[str, int]:
    """Tries by how their log ends."""
    return dict(Counter(line.kind for line in lines))


def offences(lines: list[LastLine]) -> Iterator[str]:
    """Tries whose log ends in a traceback of ours, and last tries whose log ends in nothing."""
    for line in lines:
        if line.kind == "traceback" or (line.last_try and not line.text):
            yield f"the log of {line.where} ends in {line.kind}: {line.text[:200]}"
