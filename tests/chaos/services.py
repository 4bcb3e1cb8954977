"""Compose's services with a second scheduler, and what docker does: restart what ended."""

import dataclasses
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import psutil

from tests.support import stack
from tests.support.compose_file import Service
from tests.support.container_places import ContainerPlace
from tests.support.stack import Stack
from tests.support.swift_server import free_ports

SECOND = "airflow-scheduler-2"
NAMES = {
    "scheduler": "airflow-scheduler",
    "second scheduler": SECOND,
    "triggerer": "airflow-triggerer",
    "api-server": "airflow-apiserver",
    "dag-processor": "airflow-dag-processor",
    "postgres": "postgres",
}
"""Words of the plan to services."""
RESTART_S = 1.0
"""From a service's end to its next start."""
IMPATIENT = {
    # Airflow's defaults are made for machines that are lost once a month.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "5",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
    "AIRFLOW__WORKERS__MISSING_DAG_RETRY_DELAY": "10",
    "AIRFLOW__CORE__PARALLELISM": "4",
}


@dataclass
class ChaosStack(Stack):
    """The services, which come again when they end."""

    weather: Path = Path()
    """Of the store."""
    restarts: dict[str, int] = field(default_factory=dict)
    _held: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _ended: threading.Event = field(default_factory=threading.Event)

    @cached_property
    def services(self) -> dict[str, Service]:
        """Those of the compose file, and another scheduler."""
        found = dict(super().services)
        found[SECOND] = dataclasses.replace(found[NAMES["scheduler"]], name=SECOND)
        return found

    @cached_property
    def _ports_of_second(self) -> dict[str, int]:
        return self.ports | dict(zip(("health", "logs"), free_ports(2), strict=True))

    def _place(self, service: Service) -> ContainerPlace:
        place = super()._place(service)
        if service.name == SECOND:
            place = dataclasses.replace(place, ports=self._ports_of_second)
        return place

    def _command(self, place: ContainerPlace) -> list[str]:
        if place.service.name == "seaweedfs":
            module = [sys.executable, "-m", "tests.chaos.stormy_s3"]
            return [*module, str(self.ports["seaweedfs"]), str(self.weather)]
        return super()._command(place)

    def keep_up(self) -> None:
        """From now on start again what ends."""
        threading.Thread(target=self._keep_up, daemon=True).start()

    def _keep_up(self) -> None:
        while not self._ended.wait(RESTART_S):
            with self._lock:
                for name in [*self._running]:
                    if name != "airflow-init" and name not in self._held:
                        self._start_again(name)

    def _start_again(self, name: str) -> None:
        process = self._running[name]
        if process.poll() is not None:
            stack.kill_session(process)
            self.restarts[name] = self.restarts.get(name, 0) + 1
            self._start(self.services[name])

    def down(self, most_s: float = float("inf")) -> dict[str, float]:
        """As ever, and nothing comes again."""
        self._ended.set()
        with self._lock:
            return super().down(most_s)

    @contextmanager
    def away(self, name: str, number: int = signal.SIGKILL) -> Iterator[None]:
        """Without a service: it ends at the beginning and is started at the end.

        SIGKILL goes to all of its container, any other signal to its first process.
        """
        self._held.add(name)
        process = self._running[name]
        if number != signal.SIGKILL:
            process.send_signal(number)
            deadline = time.monotonic() + 20
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
        stack.kill_session(process)
        try:
            yield
        finally:
            with self._lock:
                self._held.discard(name)
                self._start_again(name)

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """With all processes of a service stopped."""
        first = self.process(name)
        everyone = [first, *first.children(recursive=True)]
        with stopped(everyone):
            yield


@contextmanager
def stopped(processes: list[psutil.Process]) -> Iterator[None]:
    """With these stopped, as on a machine that is frozen."""
    _signal(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(processes, signal.SIGCONT)


def _signal(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue
