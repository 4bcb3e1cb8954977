"""The demo's folder: where everything lies, its secrets, and the environment of its processes."""

import json
import os
import secrets
import shlex
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet

REPOSITORY = Path(__file__).resolve().parent.parent
SHARDS = tuple(f"sa_{number:06d}" for number in range(5))
FOREIGN = ("AIRFLOW", "CAPTIONS_", "AWS_", "PYTHONDONTWRITEBYTECODE")
"""How variables begin that come from elsewhere and would change the demo."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One demo. Two demos with different folders and ports do not touch each other."""

    home: Path
    """Everything the demo writes is below it."""
    ui_port: int
    archive_port: int

    @property
    def store(self) -> Path:
        """Folder behind CAPTIONS_ROOT."""
        return self.home / "store"

    @property
    def archives(self) -> Path:
        """Folder of the served archives."""
        return self.home / "archives"

    @property
    def logs(self) -> Path:
        """Folder of the logs of the processes."""
        return self.home / "logs"

    @property
    def password_file(self) -> Path:
        """JSON of user names and passwords, as Airflow's simple auth manager reads it."""
        return self.home / "airflow" / "passwords.json"

    @property
    def ui_url(self) -> str:
        """Where the Airflow UI answers."""
        return f"http://127.0.0.1:{self.ui_port}"

    @property
    def password(self) -> str:
        """Password of the user admin."""
        return str(json.loads(self.password_file.read_text())["admin"])

    def prepare(self) -> None:
        """Make the folders and, once, the secrets."""
        for folder in (self.store, self.archives, self.logs, self.home / "airflow"):
            folder.mkdir(parents=True, exist_ok=True)
        if not self.password_file.exists():
            _write_secret(self.password_file, {"admin": secrets.token_urlsafe(9)})
        if not self._secrets_file.exists():
            keys = {name: secrets.token_urlsafe(32) for name in ("jwt", "api")}
            _write_secret(self._secrets_file, keys | {"fernet": Fernet.generate_key().decode()})

    @property
    def _secrets_file(self) -> Path:
        return self.home / "airflow" / "secrets.json"

    def write_links(self) -> Path:
        """Write a links file in Meta's format whose URLs expire in 30 days."""
        expiry = f"{int(time.time()) + 30 * 86400:X}"
        rows = [
            f"{shard}.tar\thttp://127.0.0.1:{self.archive_port}/{shard}.tar?oh=demo&oe={expiry}"
            for shard in SHARDS
        ]
        path = self.home / "links.tsv"
        path.write_text("\n".join(["file_name\tcdn_link", *reversed(rows)]))
        return path

    @property
    def shell_file(self) -> Path:
        """Lines of shell that give a terminal this demo's settings."""
        return self.home / "env"

    def write_shell_file(self) -> None:
        """Write it, for the commands of the README; it holds secrets."""
        foreign = rf"s/^(({'|'.join(FOREIGN)})[A-Za-z0-9_]*)=.*/\1/p"
        lines = [
            "# `. env` gives a shell this demo's settings.",
            f'for name in $(env | sed -nE {shlex.quote(foreign)}); do unset "$name"; done',
        ]
        lines += [f"export {name}={shlex.quote(text)}" for name, text in self._settings().items()]
        lines += [f'export PATH={shlex.quote(_bin())}"{os.pathsep}$PATH"', ""]
        self.shell_file.touch(mode=0o600)
        self.shell_file.write_text("\n".join(lines))

    def environment(self) -> dict[str, str]:
        """Environment of every process of the demo."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        ours = {
            "DEMO_PROCESS_OF": str(self.home),  # by which `processes.running` knows its stages
            "PATH": f"{_bin()}{os.pathsep}{os.environ['PATH']}",
        }
        return kept | self._settings() | ours

    def _settings(self) -> dict[str, str]:
        keys = json.loads(self._secrets_file.read_text())
        return {
            "DEMO_ARCHIVES": str(self.archives),
            "PYTHONPATH": str(REPOSITORY),
            # Airflow's own, in the log of every task.
            "PYTHONWARNINGS": "ignore:GitWildMatchPattern:DeprecationWarning",
            "AIRFLOW_HOME": str(self.home / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__FERNET_KEY": keys["fernet"],
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.ui_url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.password_file),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS": "demo.sqlite_args.connect_args",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS_ASYNC": "demo.sqlite_args.connect_args",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.ui_port),
            "AIRFLOW__API__BASE_URL": self.ui_url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": keys["api"],
            "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt"],
            # The first call builds the execution API, which takes longer than the default of 5 s.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            # After a crash the lost tasks hold their pools for so long; the default is 300 s.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
            "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": "600",
            "CAPTIONS_ROOT": self.store.as_uri(),
            "CAPTIONS_CAMPAIGN": "demo",
            "CAPTIONS_RECIPE": str(REPOSITORY / "demo" / "recipe.toml"),
            "CAPTIONS_LINKS": str(self.home / "links.tsv"),
            "CAPTIONS_RUNTIME": "local",
            "CAPTIONS_ENGINE": "preview",
            "CAPTIONS_SHARDS_PER_RUN": "1",
        }


def _bin() -> str:
    import sys

    return str(Path(sys.executable).parent)


def _write_secret(path: Path, content: dict[str, str]) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(content))
