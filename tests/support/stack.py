"""Starts as processes what docker-compose.yaml would start as containers.

Each service has its place (`container_places`), and compose's own environment, command, health
check and start order. PostgreSQL is the machine's own; the store is moto.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import psutil

from tests.support import postgres_stand_in
from tests.support.compose_file import Service, load_services
from tests.support.container_places import PORTS, ContainerPlace
from tests.support.deployment import ROOT
from tests.support.swift_server import free_ports

START_S = 300


class StackError(Exception):
    """A service did not do what compose waits for."""


@dataclass
class Stack:
    """The services of one project folder, whose `data` folder is the caller's."""

    folder: Path
    variables: Mapping[str, str]
    """What `.env` holds."""
    more: Mapping[str, str] = field(default_factory=dict)
    """Variables of every service, over the compose file's."""
    ports: dict[str, int] = field(
        default_factory=lambda: dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    )
    started_s: dict[str, float] = field(default_factory=dict)
    """Service to the seconds from its start until it met what others wait for."""
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @cached_property
    def services(self) -> dict[str, Service]:
        """All of the compose file."""
        return load_services(self.variables)

    @property
    def to_start(self) -> dict[str, Service]:
        """What `docker compose up` starts: services of no profile."""
        return {name: found for name, found in self.services.items() if not found.profiles}

    @property
    def ui_url(self) -> str:
        """Where the API server answers."""
        return f"http://127.0.0.1:{self.ports['api']}"

    @property
    def password(self) -> str:
        """Of the user admin."""
        return self.variables["ADMIN_PASSWORD"]

    def up(self, within_s: float = START_S) -> None:
        """Start everything in compose's order, and wait until all is healthy.

        Raises:
            StackError: a service ended or stayed unhealthy; its log's end is in the message.
        """
        began: dict[str, float] = {}
        deadline = time.monotonic() + within_s
        while waited := sorted(set(self.to_start) - set(self.started_s)):
            for name in waited:
                if name in began and self._ready(self.services[name]):
                    self.started_s[name] = round(time.monotonic() - began[name], 1)
                elif name not in began and set(self.services[name].waits_for) <= set(
                    self.started_s
                ):
                    began[name] = time.monotonic()
                    self._start(self.services[name])
            if time.monotonic() > deadline:
                raise StackError(f"not ready after {within_s:g} s: {', '.join(waited)}")
            time.sleep(0.5)

    def down(self, most_s: float = float("inf")) -> dict[str, float]:
        """Stop in the opposite order; returns the seconds each service took.

        A service that outlasts its grace period, or `most_s`, is killed and gets infinity.
        """
        took: dict[str, float] = {}
        for name in reversed(list(self._running)):
            process = self._running.pop(name)
            grace_s = min(self.services[name].stop_grace_s, most_s)
            began = time.monotonic()
            process.terminate()
            try:
                process.wait(grace_s)
                took[name] = round(time.monotonic() - began, 1)
            except subprocess.TimeoutExpired:
                took[name] = float("inf")
            kill_session(process)  # what a container's end takes along
        return took

    def run(self, name: str, *command: str, timeout_s: float = 120) -> str:
        """What `docker compose exec` or `docker compose run` prints of a command."""
        place = self._place(self.services[name])
        place.make()
        done = subprocess.run(
            command,
            env=place.environment(),
            cwd=place.root,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
        if done.returncode != 0:
            raise StackError(f"{' '.join(command)}: {done.stdout[-1000:]}{done.stderr[-3000:]}")
        return done.stdout

    def process(self, name: str) -> psutil.Process:
        """Of a service that runs."""
        return psutil.Process(self._running[name].pid)

    def log(self, name: str) -> str:
        """What a service has printed."""
        return (self.folder / "logs" / f"{name}.log").read_text(errors="replace")

    def listens_at(self) -> set[str]:
        """Addresses that its processes listen at."""
        led = {process.pid for process in self._running.values()}
        return {
            str(connection.laddr[0])
            for connection in psutil.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
            and connection.laddr
            and connection.pid
            and os.getsid(connection.pid) in led
        }

    def _place(self, service: Service) -> ContainerPlace:
        return ContainerPlace(service, self.folder, self.ports, self.more)

    def _ready(self, service: Service) -> bool:
        """Whether a service that was started meets what others wait for."""
        ended = self._running[service.name].poll()
        if ended is not None and (ended != 0 or service.health is not None):
            raise StackError(f"{service.name} ended with {ended}: {self.log(service.name)[-3000:]}")
        if service.health is None:  # others wait for its end
            return ended is not None
        place = self._place(service)
        try:
            asked = subprocess.run(
                place.texts(service.health),
                env=place.environment(),
                capture_output=True,
                check=False,
                timeout=150,
            )
        except subprocess.TimeoutExpired:
            return False  # docker asks again, too
        return asked.returncode == 0

    def _start(self, service: Service) -> None:
        place = self._place(service)
        place.make()
        (self.folder / "logs").mkdir(exist_ok=True)
        with (self.folder / "logs" / f"{service.name}.log").open("ab") as output:
            self._running[service.name] = subprocess.Popen(
                self._command(place),
                env=place.environment(),
                cwd=ROOT if service.name == "seaweedfs" else place.root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=postgres_stand_in.user() if service.name == "postgres" else None,
            )

    def _command(self, place: ContainerPlace) -> list[str]:
        service = place.service
        if service.name == "postgres":
            ((_, target, _),) = service.volumes
            data = place.path(target)
            return postgres_stand_in.prepare(data, self.ports["postgres"], service.environment)
        if service.name == "seaweedfs":
            return [sys.executable, "-m", "tests.support.s3_stand_in", str(self.ports["seaweedfs"])]
        return place.command()


def can_run() -> bool:
    """Whether this machine has what the containers would bring."""
    tools = all(shutil.which(tool) for tool in ("curl", "wget"))
    return tools and postgres_stand_in.programs() is not None


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL everything in the session that a process leads."""
    for other in psutil.process_iter():
        try:
            if os.getsid(other.pid) == process.pid:
                other.send_signal(signal.SIGKILL)
        except (psutil.Error, ProcessLookupError, PermissionError):
            continue
    process.wait()
