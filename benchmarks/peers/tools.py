"""The tools that are set side by side, each in its own environment with its user's own code."""

import ast
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import outputs
from benchmarks.peers.accounts import Row

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Tool:
    """One tool, and how its user would caption a folder of images with it."""

    name: str
    distribution: str
    """What the package index calls it."""
    environment: Path
    """Folder of its virtual environment."""
    command: tuple[str, ...]
    """Run with IMAGES, OUT, URL and PLACES in the environment; run again, it goes on."""
    written: tuple[Path, ...]
    """Files that the user writes."""
    rows: Callable[[Path], Iterator[Row]]
    """Reads its output folder."""
    look: str
    """What a person can look at afterwards."""
    url: Callable[[str], str] = str
    """The server's URL as it wants it."""

    @property
    def version(self) -> str | None:
        """Of what is installed; None if it is not."""
        python = self.environment / "bin/python"
        if not python.exists():
            return None
        code = f"import importlib.metadata as m; print(m.version({self.distribution!r}))"
        found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
        return found.stdout.strip() or None

    @property
    def lines(self) -> int:
        """Lines of configuration and code."""
        return sum(count_lines(file.read_text(), file.suffix) for file in self.written)


def count_lines(text: str, suffix: str) -> int:
    """Lines of a file that say something: no blank ones, comments or docstrings."""
    lines = text.splitlines()
    if suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0] if ast.get_docstring(node) is not None else None
                if first is not None and first.end_lineno is not None:
                    span = range(first.lineno - 1, first.end_lineno)
                    lines = ["" if at in span else line for at, line in enumerate(lines)]
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in lines)


def _peer(
    name: str,
    distribution: str,
    script: str,
    rows: Callable[[Path], Iterator[Row]],
    look: str,
    url: Callable[[str], str] = str,
) -> Tool:
    environment = ROOT / f".venv-peers-{name}"
    file = HERE / script
    command = (str(environment / "bin/python"), str(file))
    return Tool(name, distribution, environment, command, (file,), rows, look, url)


def _without_path(url: str) -> str:
    """The server's root: datatrove adds /v1 itself.

    It does so for loopback. Elsewhere its client asks for chat completions below the URL and for
    the models below the URL and /v1, so that no one URL serves both (0.10.1).
    """
    return url.removesuffix("/v1")


TOOLS = (
    Tool(
        "sa1b-captions",
        "sa1b-captions",
        ROOT / ".venv",
        ("/bin/sh", str(HERE / "with_us.sh")),
        (HERE / "with_us.sh",),
        outputs.ours,
        "receipts, progress lines, rows with status and error; after `curate` a report with "
        "thumbnails, and a console",
    ),
    _peer(
        "datatrove",
        "datatrove",
        "with_datatrove.py",
        outputs.datatrove,
        "JSONL, a log, statistics of tokens and requests as JSON",
        _without_path,
    ),
    _peer(
        "distilabel",
        "distilabel",
        "with_distilabel.py",
        outputs.distilabel,
        "Parquet with tokens of each row, a dataset card, a log",
    ),
    _peer(
        "ray",
        "ray",
        "with_ray.py",
        outputs.ray,
        "Parquet, progress lines; Ray's dashboard while it runs",
    ),
)

ABSENT = {
    "data-juicer": "1.6.1 has no operator that captions through a server; with one of one's own it "
    "asks two at a time on two cores, and installs Ray and PyTorch with CUDA, 2.5 GB, as it runs",
    "NeMo Curator": "the stage of 1.4.0 for such servers fails under its executor on Ray Data, "
    "which hands it an array where it asks `if not tasks`; its other executor was not tried",
}
"""Tools that are not measured, and why."""
