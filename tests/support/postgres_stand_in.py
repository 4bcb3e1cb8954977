"""PostgreSQL as its image starts it, from the machine's own packages."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")


def user() -> str | None:
    """Whom it runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def programs() -> Path | None:
    """Folder of PostgreSQL's programs; None where it is not installed."""
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def prepare(data: Path, port: int, environment: Mapping[str, str]) -> list[str]:
    """Make the database that the image's POSTGRES_ variables ask for, unless it is there.

    Returns:
        The command that serves it on 127.0.0.1.
    """
    folder = programs()
    if folder is None:
        raise FileNotFoundError("PostgreSQL is not installed: apt install postgresql")
    owner = user()
    if owner is not None:
        shutil.chown(data, owner)
    if not (data / "PG_VERSION").exists():
        name = environment["POSTGRES_USER"]
        with tempfile.NamedTemporaryFile("w") as password:
            password.write(environment["POSTGRES_PASSWORD"])
            password.flush()
            if owner is not None:
                shutil.chown(password.name, owner)
            options = [f"--username={name}", f"--pwfile={password.name}", "--auth=scram-sha-256"]
            _run([folder / "initdb", *options, "--no-sync", f"--pgdata={data}"], owner)
        _run(
            [folder / "postgres", "--single", "-D", data, "postgres"],
            owner,
            f"CREATE DATABASE {environment['POSTGRES_DB']};\n",
        )
    options = [f"-p{port}", "-clisten_addresses=127.0.0.1", "-cunix_socket_directories="]
    return [str(folder / "postgres"), "-D", str(data), "-F", *options]


def _run(command: list[str | Path], owner: str | None, text: str | None = None) -> None:
    done = subprocess.run(
        command, user=owner, input=text, capture_output=True, text=True, check=False, cwd="/"
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stderr}")
