"""What stands for the container of a compose service whose command runs as a process here.

A folder with what the image and its volumes hold and nothing else, and compose's own strings. What
a process cannot have is replaced in these: host names and ports by 127.0.0.1 and free ports, and
`/opt/airflow` by the folder.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.compose_file import Service
from tests.support.deployment import ROOT

HOME = "/opt/airflow"
IN_IMAGE = ("dags", "plugins", "deploy/migrate.sh")
"""What deploy/Dockerfile.airflow copies to HOME."""
PORTS = ("postgres", "seaweedfs", "api", "health")
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class ContainerPlace:
    """The place of one service in a project folder."""

    service: Service
    project: Path
    ports: Mapping[str, int]
    """By the names in PORTS."""
    more: Mapping[str, str] = field(default_factory=dict)
    """Variables that the compose file does not have, or has otherwise."""

    @property
    def root(self) -> Path:
        """What stands for `/`."""
        return self.project / "containers" / self.service.name

    def path(self, inside: str) -> Path:
        """Where an absolute path of the container lies."""
        return self.root / inside.lstrip("/")

    def make(self) -> None:
        """Put there what the image and the volumes hold, unless it is there."""
        home = self.path(HOME)
        if home.exists():
            return
        home.mkdir(parents=True)
        if self.service.name.startswith("airflow-"):
            for name in IN_IMAGE:
                (home / Path(name).name).symlink_to(ROOT / name)
        for source, target, _ in self.service.volumes:
            place = self.path(target)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            place.symlink_to(self._source(source))

    def _source(self, source: str) -> Path:
        if source == "./data":
            return self.project / "data"
        if source.startswith("./"):
            return ROOT / source
        made = self.project / "volumes" / source
        made.mkdir(parents=True, exist_ok=True)
        return made

    def environment(self) -> dict[str, str]:
        """Compose's variables, those of the image, and ports of this stack's own."""
        given = {name: self.text(value) for name, value in self.service.environment.items()}
        home = str(self.path(HOME))
        of_the_image = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": home, "AIRFLOW_HOME": home}
        instead_of_a_network = {
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.ports["api"]),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": "127.0.0.1",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(self.ports["health"]),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.ports["postgres"]),
        }
        return of_the_image | instead_of_a_network | given | dict(self.more)

    def command(self) -> list[str]:
        """What an Airflow container runs, by the entrypoint of its image."""
        words = self.texts(self.service.command)
        return words if words[0] in ("bash", "python") else ["airflow", *words]

    def texts(self, words: list[str]) -> list[str]:
        """Strings of the compose file as they have to read for a process."""
        return [self.text(word) for word in words]

    def text(self, written: str) -> str:
        """One of them."""
        here = "http://127.0.0.1"
        for theirs, ours in (
            ("@postgres/", f"@127.0.0.1:{self.ports['postgres']}/"),
            ("http://seaweedfs:8333", f"{here}:{self.ports['seaweedfs']}"),
            (f"{here}:8333", f"{here}:{self.ports['seaweedfs']}"),
            ("http://airflow-apiserver:8080", f"{here}:{self.ports['api']}"),
            (f"{here}:8080", f"{here}:{self.ports['api']}"),
            (f"{here}:8974", f"{here}:{self.ports['health']}"),
            (HOME, str(self.path(HOME))),
        ):
            written = written.replace(theirs, ours)
        return written
