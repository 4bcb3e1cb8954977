"""Starts the subjects as processes, with an archive server and a model's server for all of them."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from demo.archives import build_archives
from demo.workspace import SHARDS
from sa1b_captions.recipe import load_recipe
from tests.soak.measures import Sample, SoakError
from tests.soak.slopes import FEWEST_ROUNDS
from tests.support.openai_server import Answer, OpenAIServer, image_bytes, serve

ROOT = Path(__file__).parents[2]
GRACE_S = 600
"""For the fewest rounds on a busy machine, starts included; then what there is has to do."""


def describe(body: dict[str, Any]) -> Answer:
    """A caption of every length that the demo's rules accept."""
    return Answer(f"A picture of {len(image_bytes(body))} things, seen from close by.")


@contextlib.contextmanager
def servers(folder: Path) -> Iterator[tuple[Mapping[str, str], OpenAIServer]]:
    """Variables that say where links file, recipe and the model's server are, and that server."""
    archives = folder / "archives"
    build_archives(archives, short_side_px=60)
    port = free_port()
    archive_server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "demo.archive_server:app", "--port", str(port)],
        env=os.environ | {"DEMO_ARCHIVES": str(archives), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}")
        expiry = f"{int(time.time()) + 86400 * 20:x}"
        rows = [
            f"{shard}.tar\thttp://127.0.0.1:{port}/{shard}.tar?oh=1&oe={expiry}" for shard in SHARDS
        ]
        links = folder / "links.tsv"
        links.write_text("\n".join(["file_name\tcdn_link", *rows]))
        recipe = write_recipe(folder)
        places = {"SOAK_LINKS": str(links), "SOAK_RECIPE": str(recipe)}
        with serve(answer=describe, models=[load_recipe(str(recipe)).model.id]) as server:
            yield places | {"SOAK_SERVER": server.url}, server
    finally:
        archive_server.terminate()
        archive_server.wait()


def write_recipe(folder: Path) -> Path:
    """The demo's recipe for its first two shards: rounds should be short."""
    text = (ROOT / "demo" / "recipe.toml").read_text()
    path = folder / "recipe.toml"
    path.write_text(re.sub('^shards = ".*"$', 'shards = "0-1"', text, count=1, flags=re.MULTILINE))
    return path


def run_together(
    names: Sequence[str], folder: Path, seconds: float, rounds: int = FEWEST_ROUNDS
) -> dict[str, list[Sample]]:
    """Run the subjects at the same time, each for so long and at least so many rounds.

    Returns what each measured, round by round.

    Raises:
        SoakError: one did not end well.
    """
    with servers(folder) as (variables, server):
        limits = (str(seconds), str(rounds))
        started = {name: start(name, folder / name, limits, variables) for name in names}
        deadline = time.monotonic() + seconds + GRACE_S
        try:
            while any(process.poll() is None for process in started.values()):
                server.requests.clear()  # or this process would keep all photographs
                if time.monotonic() > deadline:
                    break
                time.sleep(0.2)
            failed = [name for name, process in started.items() if process.poll()]
        finally:
            for process in started.values():
                process.kill()
                process.wait()
    for name, process in started.items():
        if name in failed:
            tail = (folder / name / "errors.log").read_text(errors="replace")[-3000:]
            raise SoakError(f"{name} ended with {process.returncode}:\n{tail}")
    return {name: read_samples(folder / name) for name in names}


def start(
    name: str, folder: Path, limits: tuple[str, str], variables: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """One subject, with a folder of its own."""
    folder.mkdir()
    with (folder / "samples.jsonl").open("wb") as out, (folder / "errors.log").open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.soak.rounds", name, str(folder), *limits],
            cwd=ROOT,
            env=os.environ | variables | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'plugins'}"},
            stdout=out,
            stderr=errors,
        )


def read_samples(folder: Path) -> list[Sample]:
    """What a subject has printed of its rounds; its commands print as well."""
    lines = (folder / "samples.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith('{"memory_kib"')]


def wait_for(url: str) -> None:
    """Return when a server answers.

    Raises:
        SoakError: it does not within 30 s.
    """
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            httpx.head(url, trust_env=False)
            return
        time.sleep(0.1)
    raise SoakError(f"{url} does not answer")


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
