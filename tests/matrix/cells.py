"""One cell of the matrix: the tests under one Python with one choice of versions.

A cell has a clone of the last commit, and so its own bytecode and machine code, and what is edited
meanwhile does not matter.
"""

import os
import shutil
import subprocess
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).parents[2]
UV = ROOT / ".venv" / "bin" / "uv"
CHECKOUT = "checkout"
EXTRAS = ("airflow", "cluster", "kubernetes", "hf", "modelscope", "openai", "sign")
RESOLUTIONS = ("lowest", "pinned", "highest")
INSTALL_S, TESTS_S = 1800, 3600
TAIL_LINES = 15


class CellError(Exception):
    """A cell could not be tried; the message is what the failed command said last."""


@dataclass(slots=True)
class Cell:
    """What came of the tests under one Python with one choice of versions."""

    python: str
    """Its minor version, such as 3.12."""
    resolution: str
    """`lowest` and `highest` of what pyproject.toml allows directly, or what is `pinned`."""
    passed: int = 0
    failed: int = 0
    """Tests; one as well when there was nothing to run them in."""
    skipped: int = 0
    seconds: int = 0
    """Resolving, installing and testing."""
    why: list[str] = field(default_factory=list)
    """Names of the tests that failed, or what the resolver or the installer said."""

    def row(self) -> dict[str, Any]:
        """For the line of JSON."""
        return asdict(self)


def find_python(version: str) -> str:
    """Path of that Python, or CellError; those of pyenv are found without its shims."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    folders = [str(path) for path in sorted(pyenv.glob(f"{version}.*/bin"), reverse=True)]
    search = os.pathsep.join([*folders, os.environ.get("PATH", "")])
    found = shutil.which(f"python{version}", path=search)
    if not found:
        raise CellError(
            f"no python{version} on this machine; install it, or leave it out of PYTHONS"
        )
    return found


def run_cell(python: str, resolution: str, folder: Path, tests: list[str]) -> Cell:
    """Install into `folder` and test; what goes wrong is in the cell, never raised."""
    cell = Cell(python, resolution)
    began = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        run_command(folder, "git", "clone", "--quiet", ROOT, folder / CHECKOUT)
        install(find_python(python), python, resolution, folder)
        test(cell, folder, tests)
    except (CellError, subprocess.TimeoutExpired) as error:
        cell.failed += 1
        cell.why.append(str(error))
    cell.seconds = round(time.monotonic() - began)
    return cell


def install(interpreter: str, python: str, resolution: str, folder: Path) -> None:
    """Make the cell's environment; wheels only, as nobody should need a compiler.

    Raises:
        CellError: no such choice of versions exists, or a package does not install.
    """
    environment = folder / "venv"
    run_command(folder, UV, "venv", "--quiet", "--python", interpreter, environment)
    into = ("--quiet", "--python", environment / "bin" / "python")
    requirements = folder / "requirements.txt"
    if resolution == "pinned":
        shutil.copy(folder / CHECKOUT / "requirements-dev.txt", requirements)
    else:
        run_command(
            folder, UV, "pip", "compile", "--quiet", "--no-build", "--python-version", python,
            "--resolution", "lowest-direct" if resolution == "lowest" else "highest",
            *[part for extra in EXTRAS for part in ("--extra", extra)],
            "--group", "dev", folder / CHECKOUT / "pyproject.toml", "--output-file", requirements,
        )  # fmt: skip
    run_command(folder, UV, "pip", "install", *into, "--no-build", "--requirement", requirements)
    run_command(folder, UV, "pip", "install", *into, "--no-deps", "--editable", folder / CHECKOUT)


def test(cell: Cell, folder: Path, tests: list[str]) -> None:
    """Run the tests, and count them into the cell."""
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    with (folder / "pytest.log").open("w") as log:
        subprocess.run(
            [
                folder / "venv" / "bin" / "python", "-m", "pytest", "-n", "auto",
                "--dist", "loadfile", "-p", "no:cacheprovider", f"--junitxml={report}", *tests,
            ],
            cwd=folder / CHECKOUT, env=_environment(folder), stdout=log, stderr=subprocess.STDOUT,
            timeout=TESTS_S, check=False,
        )  # fmt: skip
    if not report.exists():
        raise CellError(f"pytest wrote no report:\n{_tail(folder / 'pytest.log')}")
    count(cell, report)
    if not cell.passed + cell.failed:
        raise CellError(f"pytest ran no test:\n{_tail(folder / 'pytest.log')}")


def count(cell: Cell, report: Path) -> None:
    """Count a report in JUnit's XML into the cell."""
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest just wrote it
        if case.find("failure") is not None or case.find("error") is not None:
            cell.failed += 1
            cell.why.append(f"{case.get('classname')}::{case.get('name')}")
        elif case.find("skipped") is not None:
            cell.skipped += 1
        else:
            cell.passed += 1


def _environment(folder: Path) -> dict[str, str]:
    bin_folder = folder / "venv" / "bin"
    own = {
        "VIRTUAL_ENV": str(folder / "venv"),
        "PATH": os.pathsep.join([str(bin_folder), os.environ.get("PATH", "")]),
    }
    dropped = {"PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH"}
    return {name: value for name, value in os.environ.items() if name not in dropped} | own


def run_command(folder: Path, *command: str | Path) -> None:
    """Run a command whose output only matters when it fails, in a CellError."""
    log = folder / "install.log"
    with log.open("w") as output:
        ended = subprocess.run(
            command,
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=INSTALL_S,
            check=False,
        )
    if ended.returncode:
        raise CellError(_tail(log))


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").strip().splitlines()[-TAIL_LINES:])
