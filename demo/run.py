"""The demo: the whole pipeline through a real Airflow on this machine.

`python -m demo.run` starts it and prints the result; `python -m demo.run --down` stops it.
Settings: DEMO_HOME (default .run/demo), DEMO_PORT (8080), DEMO_ARCHIVE_PORT (8081).
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from demo.airflow_api import AirflowApi, wait_until
from demo.archives import build_archives
from demo.processes import DemoError, check_machine, running, start, stop
from demo.workspace import REPOSITORY, SHARDS, Workspace
from sa1b_captions.recipe import TRACKS
from sa1b_captions.release.manifest import latest_version, read_manifest
from sa1b_captions.storage import FileStore

CAPTION, RELEASE = "caption_shards", "release_dataset"
FINISHED = ("success", "failed")
SHOWN = ("running", "success", "failed", "skipped", "up_for_retry", "upstream_failed")


def main() -> int:
    """Run the demo or stop it; returns the exit code."""
    workspace = Workspace(
        home=Path(os.environ.get("DEMO_HOME") or REPOSITORY / ".run" / "demo").resolve(),
        ui_port=int(os.environ.get("DEMO_PORT") or 8080),
        archive_port=int(os.environ.get("DEMO_ARCHIVE_PORT") or 8081),
    )
    if "--down" in sys.argv[1:]:
        count = stop(workspace)
        print(f"stopped {count} processes" if count else "nothing was running")
        return 0
    try:
        result = run_demo(workspace)
    except DemoError as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
        return 1
    except httpx.TransportError:
        print(
            f"\nThe demo stopped: Airflow does not answer any more; its logs are in "
            f"{workspace.logs}. `make demo` starts it again and goes on.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        goes_on = "Airflow goes on with it; `make demo` looks on again, `make down` stops it."
        print(f"\nInterrupted. {goes_on if running(workspace) else ''}", file=sys.stderr)
        return 130
    print_result(workspace, result)
    return 0


def run_demo(workspace: Workspace) -> dict[str, Any]:
    """Bring everything up, run both DAGs, and return what the last line prints."""
    began = time.monotonic()
    workspace.prepare()
    api = AirflowApi(workspace)
    say("building small SA-1B archives from real photographs")
    build_archives(workspace.archives)
    workspace.write_links()
    workspace.write_shell_file()
    bring_up(workspace, api)
    run_id = api.trigger(CAPTION, {"shards": f"0-{len(SHARDS) - 1}"})
    say(f"triggered {CAPTION}: {workspace.ui_url}/dags/{CAPTION}/runs/{run_id}")
    follow(workspace, api, CAPTION, run_id)
    release(workspace, api)
    return collect(workspace, seconds=round(time.monotonic() - began))


def bring_up(workspace: Workspace, api: AirflowApi) -> None:
    """Start Airflow unless this demo's Airflow is up, and make it ready for runs."""
    if running(workspace) and api.is_up():
        say("Airflow is up")
    else:
        stop(workspace)
        check_machine(workspace)
        say("starting Airflow (SQLite, LocalExecutor, on 127.0.0.1 only)")
        start(workspace)
        if not wait_until(api.is_up, timeout_s=240):
            raise DemoError(f"Airflow did not come up in 240 s; its logs are in {workspace.logs}.")
    if not wait_until(lambda: api.has_dags({CAPTION, RELEASE}), timeout_s=120):
        errors = "\n".join(api.import_errors()) or f"see {workspace.logs}/dag-processor.log"
        raise DemoError(f"Airflow did not load the DAGs: {errors}")
    api.set_pool("download", 2, "Downloads at the same time")
    api.set_pool("gpu", 1, "Caption workers at the same time")
    # The release first: while it is paused it would not see the shards come in.
    for dag_id in (RELEASE, CAPTION):
        api.unpause(dag_id)


def follow(workspace: Workspace, api: AirflowApi, dag_id: str, run_id: str) -> None:
    """Print each task's changes of state until the run ends; raise DemoError if it failed."""
    seen: dict[str, str] = {}
    while True:
        state = api.run(dag_id, run_id)["state"]
        for task in sorted(api.tasks(dag_id, run_id), key=lambda t: t["start_date"] or "9"):
            label = f"{task['task_id']} {_map_label(task)}".strip()
            if task["state"] in SHOWN and seen.get(label) != task["state"]:
                seen[label] = task["state"]
                say(f"{task['state']:<13} {label}")
        if state in FINISHED:
            break
        time.sleep(1.5)
    if state == "failed":
        raise DemoError(
            f"{dag_id} failed; open {workspace.ui_url}/dags/{dag_id}/runs/{run_id} "
            f"(user admin, password {workspace.password})."
        )


def _map_label(task: dict[str, Any]) -> str:
    """What a mapped task works on; until the task runs Airflow has its number only."""
    index = task["map_index"]
    if index < 0:
        return ""
    return TRACKS[index] if task["task_id"] == "dedup" else SHARDS[index]


def release(workspace: Workspace, api: AirflowApi) -> None:
    """Wait for the release that the last shard starts; start it if an earlier demo was cut off."""
    if latest_version(FileStore(workspace.store)):
        say("the release exists")
        return

    def release_run() -> dict[str, Any] | None:
        return next((run for run in api.runs(RELEASE) if run["state"] != "failed"), None)

    if wait_until(release_run, timeout_s=45):
        run_id = release_run()["dag_run_id"]  # type: ignore[index]  # the line above saw it
        say(f"{RELEASE} started by itself: all shards are in")
    else:
        run_id = api.trigger(RELEASE, {}, partition_key="all-shards")
        say(f"triggered {RELEASE}")
    follow(workspace, api, RELEASE, run_id)


def collect(workspace: Workspace, seconds: int) -> dict[str, Any]:
    """What the demo made, from the release's manifest."""
    store = FileStore(workspace.store)
    version = latest_version(store)
    manifest = read_manifest(store, version) if version else None
    if manifest is None:
        raise DemoError(f"no release in {workspace.store}; see {RELEASE} in Airflow.")
    folder = workspace.store / "releases" / manifest.version
    return {
        "ui_url": workspace.ui_url,
        "username": "admin",
        "password_file": str(workspace.password_file),
        "release": str(folder),
        "rows": manifest.rows,
        "rejected": manifest.rejected,
        "report": str(folder / "quality.html"),
        "seconds": seconds,
    }


def print_result(workspace: Workspace, result: dict[str, Any]) -> None:
    """Say the same twice: for a person, and as one JSON line for a program."""
    print(f"\nRelease   {result['release']}")
    for name, rows in result["rows"].items():
        print(f"          {rows:>4} rows  {name}")
    reasons = ", ".join(f"{rows} {reason}" for reason, rows in result["rejected"].items())
    print(f"Rejected  {reasons or 'nothing'}")
    print(f"Report    {result['report']}")
    print(f"Airflow   {result['ui_url']}  user admin, password {workspace.password}")
    print(f"Commands  `. {_shown(workspace.shell_file)}` gives a shell these settings")
    print(f"          took {result['seconds']} s; `make down` stops it\n")
    print(json.dumps(result, ensure_ascii=False))


def _shown(path: Path) -> str:
    """As short as it can be typed from here."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def say(text: str) -> None:
    """One line of progress."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
