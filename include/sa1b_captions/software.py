"""Name and version of this software, as receipts and manifests state it."""

from functools import cache
from importlib.metadata import version
from pathlib import Path

NAME = "sa1b-captions"
COMMIT_FILE = Path(__file__).with_name("commit.txt")
"""Written where an image is built from a known commit (`deploy/Dockerfile.*`); else there is none.
"""


def software(commit_file: Path = COMMIT_FILE) -> str:
    """Such as `sa1b-captions 0.2.0 (commit 3f9c1d2)`; without a commit where none is known."""
    try:
        commit = commit_file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        commit = ""
    return f"{NAME} {_version()}" + (f" (commit {commit})" if commit else "")


@cache
def _version() -> str:
    """Of the installed package, whose metadata is a file to parse."""
    return version(NAME)
