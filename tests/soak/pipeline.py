"""The whole pipeline by the command line, from links file to release, in one process."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sa1b_captions.cli import app

SHARDS = ("--shards", "0-1")
COMMANDS = (
    ("ingest", *SHARDS),
    ("caption", *SHARDS),
    ("caption", *SHARDS, "--force"),
    ("curate", *SHARDS),
    ("validate", *SHARDS),
    ("dedup",),
    ("validate", "--release"),
    ("export",),
    ("verify", "--version", "v1"),
    ("status",),
    ("calibrate", *SHARDS),
    ("drop", *SHARDS),
)


def run(*arguments: str) -> None:
    """Run one command in this process.

    Raises:
        RuntimeError: it did not end well; its last line of log says why.
    """
    try:
        app(list(arguments))
    except SystemExit as ended:
        if ended.code:
            raise RuntimeError(f"{' '.join(arguments)} ended with {ended.code}") from None


def settings(root: Path, **others: str) -> None:
    """Point this process at a store in a folder; the driver says where the rest is."""
    os.environ |= {
        "CAPTIONS_ROOT": root.as_uri(),
        "CAPTIONS_LINKS": os.environ["SOAK_LINKS"],
        "CAPTIONS_OPENAI_URLS": os.environ["SOAK_SERVER"],
        "CAPTIONS_CAMPAIGN": "test",
        "CAPTIONS_RECIPE": os.environ["SOAK_RECIPE"],
        "CAPTIONS_ENGINE": "preview",
        **others,
    }


def make_release(root: Path) -> None:
    """Everything from the links file to a release, archives kept."""
    settings(root)
    for command in COMMANDS[:-1]:
        run(*command)


@contextmanager
def pipeline(folder: Path) -> Iterator[Callable[[], None]]:
    """A round makes a release in a new store, captions a second time, and drops the archives."""

    def round_() -> None:
        root = folder / "store"
        settings(root)
        for command in COMMANDS:
            run(*command)
        shutil.rmtree(root)

    yield round_


@contextmanager
def worker(folder: Path) -> Iterator[Callable[[], None]]:
    """A round captions both shards anew by a server, and frees what it superseded."""
    root = folder / "store"
    settings(root)
    run("ingest", *SHARDS)
    settings(root, CAPTIONS_ENGINE="openai")

    def round_() -> None:
        run("caption", *SHARDS, "--force")
        with_older = list((root / "campaigns/test/captions/single_en/sa_000000").iterdir())
        if len(with_older) > 2:
            run("drop", *SHARDS, "--generations")

    yield round_
