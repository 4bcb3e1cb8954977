"""Starts and stops the demo's processes."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from demo.workspace import Workspace

NEEDED_GIB = 2.0
SESSIONS_FILE = "sessions.json"


class DemoError(Exception):
    """The demo cannot go on; the message is one sentence for the person who started it."""


def check_machine(workspace: Workspace) -> None:
    """Refuse early what would fail late: ports in use, a full disk."""
    free_gib = shutil.disk_usage(workspace.home).free / 2**30
    if free_gib < NEEDED_GIB:
        raise DemoError(
            f"{workspace.home} has {free_gib:.1f} GiB free and the demo needs {NEEDED_GIB:.0f}; "
            "free some space or set DEMO_HOME to another disk."
        )
    for port, variable in ((workspace.ui_port, "DEMO_PORT"), (workspace.archive_port, "")):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                hint = f"set {variable or 'DEMO_ARCHIVE_PORT'} to a free one"
                raise DemoError(f"port {port} on 127.0.0.1 is in use; {hint}.") from None


def running(workspace: Workspace) -> list[psutil.Process]:
    """Processes of this demo that are alive.

    A process belongs to the demo if one of the sessions that `start` opened is its own, or if its
    environment says so. Neither is enough: Airflow's servers overwrite their environment with a
    title, and stages open sessions of their own.
    """
    sessions = _sessions(workspace)
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
            if process.pid != os.getpid() and (
                os.getsid(process.pid) in sessions
                or process.environ().get("DEMO_PROCESS_OF") == str(workspace.home)
            ):
                found.append(process)
    return [process for process in found if process.status() != psutil.STATUS_ZOMBIE]


def _sessions(workspace: Workspace) -> set[int]:
    """Ids of the sessions opened since this machine came up; ids repeat after that."""
    path = workspace.home / SESSIONS_FILE
    stored = json.loads(path.read_text()) if path.exists() else {}
    return set(stored["sessions"]) if stored.get("boot_time") == _boot_time() else set()


def _remember_session(workspace: Workspace, session: int) -> None:
    sessions = sorted({*_sessions(workspace), session})
    text = json.dumps({"boot_time": _boot_time(), "sessions": sessions})
    (workspace.home / SESSIONS_FILE).write_text(text)


def _boot_time() -> int:
    # The kernel's figure wanders by a second when the clock is set.
    return round(float(psutil.boot_time()) / 60)


def start(workspace: Workspace) -> None:
    """Start the archive server and Airflow's four processes, in the background."""
    environment = workspace.environment()
    _run(workspace, "db-migrate", [_airflow(), "db", "migrate"], environment)
    server = ["-m", "uvicorn", "demo.archive_server:app", "--host", "127.0.0.1", "--no-access-log"]
    port = str(workspace.archive_port)
    _spawn(workspace, "archive-server", [sys.executable, *server, "--port", port], environment)
    # The log servers would listen on every address; here the API server reads the files itself.
    options = {"scheduler": ["--skip-serve-logs"], "triggerer": ["--skip-serve-logs"]}
    for name in ("api-server", "dag-processor", "scheduler", "triggerer"):
        _spawn(workspace, name, [_airflow(), name, *options.get(name, [])], environment)


def stop(workspace: Workspace) -> int:
    """Stop every process of the demo; returns how many there were."""
    processes = running(workspace)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=15)
    # A second look catches what was forked meanwhile.
    for process in {*alive, *running(workspace)}:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(running(workspace), timeout=5)
    if not running(workspace):
        (workspace.home / SESSIONS_FILE).unlink(missing_ok=True)
    return len(processes)


def _airflow() -> str:
    return str(Path(sys.executable).with_name("airflow"))


def _run(workspace: Workspace, name: str, command: list[str], env: dict[str, str]) -> None:
    log = workspace.logs / f"{name}.log"
    with log.open("wb") as output:
        done = subprocess.run(command, env=env, stdout=output, stderr=output, check=False)
    if done.returncode != 0:
        raise DemoError(f"airflow {name} failed; its log is {log}.")


def _spawn(workspace: Workspace, name: str, command: list[str], env: dict[str, str]) -> None:
    with (workspace.logs / f"{name}.log").open("ab") as output:
        # A new session: Ctrl-C in the demo's terminal must not end Airflow.
        process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    _remember_session(workspace, process.pid)
