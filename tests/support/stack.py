"""Starts as processes what docker-compose.yaml would start as containers.

Each service gets a folder in place of its container, with what the image and its volumes hold and
nothing else, and compose's own environment, command, health check and start order. What a process
cannot have is replaced in these: host names and ports by 127.0.0.1 and free ports, and
`/opt/airflow` by the service's folder. PostgreSQL is the machine's own; the store is moto.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import postgres_stand_in
from tests.support.compose_file import Service, load_services
from tests.support.deployment import ROOT
from tests.support.swift_server import free_ports

HOME = "/opt/airflow"
IN_IMAGE = ("dags", "plugins", "deploy/migrate.sh")
"""What deploy/Dockerfile.airflow copies to HOME."""
PORTS = ("postgres", "seaweedfs", "api", "health", "logs", "trigger_logs")
START_S = 300
BIN = Path(sys.executable).parent


class StackError(Exception):
    """A service did not do what compose waits for."""


@dataclass
class Stack:
    """The services of one project folder, whose `data` folder is the caller's."""

    folder: Path
    variables: Mapping[str, str]
    """What `.env` holds."""
    ports: dict[str, int] = field(
        default_factory=lambda: dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    )
    started_s: dict[str, float] = field(default_factory=dict)
    """Service to the seconds from its start until it met what others wait for."""
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the compose file."""
        self.services = load_services(self.variables)

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

    def up(self) -> None:
        """Start everything in compose's order, and wait until all is healthy.

        Raises:
            StackError: a service ended or stayed unhealthy; its log's end is in the message.
        """
        began: dict[str, float] = {}
        deadline = time.monotonic() + START_S
        while len(self.started_s) < len(self.to_start):
            for name, service in self.to_start.items():
                if name not in began and all(map(self._met, service.waits_for)):
                    began[name] = time.monotonic()
                    self._start(service)
                elif name in began and not self._met(name) and self._ready(service):
                    self.started_s[name] = round(time.monotonic() - began[name], 1)
            if time.monotonic() > deadline:
                waited = sorted(set(self.to_start) - set(self.started_s))
                raise StackError(f"not ready after {START_S} s: {', '.join(waited)}")
            time.sleep(0.5)

    def down(self) -> dict[str, float]:
        """Stop in the opposite order; returns the seconds each service took.

        A service that outlasts its grace period is killed and gets infinity.
        """
        took: dict[str, float] = {}
        for name in reversed(list(self._running)):
            process, grace_s = self._running.pop(name), self.services[name].stop_grace_s
            began = time.monotonic()
            process.terminate()
            try:
                process.wait(grace_s)
                took[name] = round(time.monotonic() - began, 1)
            except subprocess.TimeoutExpired:
                took[name] = float("inf")
            # What a container's end takes along.
            _kill_session(process)
        return took

    def run(self, name: str, *command: str, timeout_s: float = 120) -> str:
        """What `docker compose exec` or `docker compose run` prints of a command."""
        service = self.services[name]
        if not self._root(name).exists():
            self._prepare(service)
        done = subprocess.run(
            command,
            env=self._environment(service),
            cwd=self._root(name),
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
        if done.returncode != 0:
            raise StackError(f"{' '.join(command)}: {done.stdout[-1000:]}{done.stderr[-3000:]}")
        return done.stdout

    def log(self, name: str) -> str:
        """What a service has printed."""
        path = self.folder / "logs" / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _met(self, name: str) -> bool:
        return name in self.started_s

    def _ready(self, service: Service) -> bool:
        ended = self._running[service.name].poll()
        if service.health is None:  # nobody waits for more than its end
            if ended is None:
                return False
            if ended != 0:
                raise StackError(f"{service.name} ended with {ended}: {self.log(service.name)}")
            return True
        if ended is not None:
            raise StackError(f"{service.name} ended with {ended}: {self.log(service.name)}")
        return self.is_healthy(service.name)

    def is_healthy(self, name: str) -> bool:
        """Whether a service's own health check passes."""
        service = self.services[name]
        done = subprocess.run(
            [self._placed(name, word) for word in service.health or ["true"]],
            env=self._environment(service),
            capture_output=True,
            check=False,
            timeout=150,
        )
        return done.returncode == 0

    def _start(self, service: Service) -> None:
        self._prepare(service)
        command = self._command(service)
        (self.folder / "logs").mkdir(exist_ok=True)
        with (self.folder / "logs" / f"{service.name}.log").open("wb") as output:
            self._running[service.name] = subprocess.Popen(
                command,
                env=self._environment(service),
                cwd=self._root(service.name),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=postgres_stand_in.user() if service.name == "postgres" else None,
            )

    def _command(self, service: Service) -> list[str]:
        if service.name == "postgres":
            (_, target, _), *_ = service.volumes
            return postgres_stand_in.prepare(
                self._root(service.name) / target.lstrip("/"),
                self.ports["postgres"],
                service.environment,
            )
        if service.name == "seaweedfs":
            return [sys.executable, "-m", "tests.support.s3_stand_in", str(self.ports["seaweedfs"])]
        words = [self._placed(service.name, word) for word in service.command]
        # As the entrypoint of Airflow's image does it.
        return words if words[0] in ("bash", "python") else ["airflow", *words]

    def _root(self, name: str) -> Path:
        """What stands for the root folder of a service's container."""
        return self.folder / "containers" / name

    def _prepare(self, service: Service) -> None:
        root = self._root(service.name)
        home = root / HOME.lstrip("/")
        home.mkdir(parents=True)
        if service.name.startswith("airflow-"):
            for path in IN_IMAGE:
                (home / Path(path).name).symlink_to(ROOT / path)
        for source, target, _ in service.volumes:
            place = root / target.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            place.symlink_to(self._source(source))

    def _source(self, source: str) -> Path:
        if source == "./data":
            return self.folder / "data"
        if source.startswith("./"):
            return ROOT / source
        made = self.folder / "volumes" / source
        made.mkdir(parents=True, exist_ok=True)
        return made

    def _environment(self, service: Service) -> dict[str, str]:
        given = {
            name: self._placed(service.name, text) for name, text in service.environment.items()
        }
        home = str(self._root(service.name) / HOME.lstrip("/"))
        of_the_image = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": home, "AIRFLOW_HOME": home}
        instead_of_own_network = {
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.ports["api"]),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": "127.0.0.1",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(self.ports["health"]),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(self.ports["logs"]),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(self.ports["trigger_logs"]),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.ports["postgres"]),
        }
        if service.name == "seaweedfs":
            of_the_image["PYTHONPATH"] = str(ROOT)
        return of_the_image | instead_of_own_network | given

    def _placed(self, name: str, text: str) -> str:
        """A string of the compose file as it has to read for a process."""
        for written, meant in (
            ("@postgres/", f"@127.0.0.1:{self.ports['postgres']}/"),
            ("http://seaweedfs:8333", f"http://127.0.0.1:{self.ports['seaweedfs']}"),
            ("http://127.0.0.1:8333", f"http://127.0.0.1:{self.ports['seaweedfs']}"),
            ("http://airflow-apiserver:8080", self.ui_url),
            ("http://127.0.0.1:8080", self.ui_url),
            ("http://127.0.0.1:8974", f"http://127.0.0.1:{self.ports['health']}"),
            (HOME, str(self._root(name) / HOME.lstrip("/"))),
        ):
            text = text.replace(written, meant)
        return text


def can_run() -> bool:
    """Whether this machine has what the containers would bring."""
    return postgres_stand_in.programs() is not None and all(
        shutil.which(tool) for tool in ("curl", "wget")
    )


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    import psutil

    for other in psutil.process_iter():
        try:
            if os.getsid(other.pid) == process.pid:
                other.send_signal(signal.SIGKILL)
        except (psutil.Error, ProcessLookupError, PermissionError):
            continue
    process.wait()
