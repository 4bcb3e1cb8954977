"""What a run of chaos stands on: the stack, its sources, its model, its cluster and its disk."""

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from demo.airflow_api import AirflowApi
from sa1b_captions.storage import Store, open_store_url
from tests.chaos import model, sources
from tests.chaos.plan import Scene
from tests.chaos.services import IMPATIENT, ChaosStack
from tests.support.deployment import ROOT, filled_env, small_recipe
from tests.support.jumping_clock import JumpingClock
from tests.support.openai_server import OpenAIServer
from tests.support.process_kubernetes import ProcessKubernetes
from tests.support.swift_server import free_ports

IMAGES = 6
"""Of one shard."""
DISK_BYTES = 192 << 20
PER_RUN, PER_POD = 5, 2
BLOCK = 2
"""Samples of a block."""
WINDOW = 2
"""Captions in flight, of which each takes `model.CAPTION_S`."""


@dataclass
class Journal:
    """JSON lines of what was done to whom and when."""

    path: Path
    seed: int
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, event: str, **facts: object) -> None:
        """Add a line."""
        line = json.dumps(
            {"time": round(time.time(), 2), "seed": self.seed, "event": event} | facts
        )
        with self._lock, self.path.open("a") as file:
            file.write(line + "\n")


@dataclass
class Ground:
    """All of it, running."""

    folder: Path
    scene: Scene
    shards: list[str]
    stack: ChaosStack
    model: OpenAIServer
    cluster: ProcessKubernetes
    clock: JumpingClock
    signature: Path
    source_port: int
    journal: Journal

    @property
    def data(self) -> Path:
        """What compose mounts: links and recipe."""
        return self.folder / "data"

    @property
    def disk(self) -> Path:
        """The disk that can be full: scratch, logs, and a store that is a folder."""
        return self.folder / "disk"

    @property
    def weather(self) -> Path:
        """Of the S3 store."""
        return self.folder / "weather"

    @property
    def selection(self) -> str:
        """All shards, as the command line takes them."""
        return f"0-{len(self.shards) - 1}"

    def api(self) -> AirflowApi:
        """A client of its own for each thread."""
        return AirflowApi(self.stack)  # type: ignore[arg-type]

    def store(self) -> Store:
        """What everything ends in."""
        variables = self.stack.variables
        endpoint = f"http://127.0.0.1:{self.stack.ports['seaweedfs']}"
        root = variables["CAPTIONS_ROOT"]
        return open_store_url(root, endpoint if root.startswith("s3:") else None)

    def write_links(self) -> None:
        """A links file whose signature holds."""
        made = secrets.token_hex(8)
        text = sources.links(self.shards, self.source_port, made)
        replace(self.signature, made)
        replace(self.data / "links.tsv", text)

    def command(self, *arguments: str, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        """One of sa1b-captions in the command line's container."""
        place = self.stack._place(self.stack.services["worker"])
        place.make()
        return subprocess.run(
            ["sa1b-captions", *arguments],
            env=place.environment(),
            cwd=place.root,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )


def replace(path: Path, text: str) -> None:
    """Write a file in one go."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


@contextmanager
def open_ground(folder: Path, scene: Scene, shards: int, journal: Journal) -> Iterator[Ground]:
    """Start everything; at the end everything is stopped."""
    names = [f"sa_{number:06d}" for number in range(shards)]
    for name in ("data", "disk"):
        (folder / name).mkdir()
    with ExitStack() as undo:
        undo.enter_context(_disk(folder / "disk"))
        (folder / "data" / "recipe.toml").write_text(small_recipe(shards, BLOCK))
        sources.write_archives(folder / "archives", names, IMAGES)
        (source_port,) = free_ports(1)
        server = undo.enter_context(model.serve_preview(folder / "data" / "recipe.toml"))
        clock = JumpingClock(folder / "clock")
        cluster = ProcessKubernetes()
        undo.callback(cluster.close)
        stack = _stack(folder, scene, server, cluster)
        in_image = {"PYTHONPATH": str(ROOT / "include")}
        in_pods = {"TMPDIR": str(folder / "disk" / "scratch"), **in_image, **clock.environ}
        keys = {name: value for name, value in stack.variables.items() if name.startswith("AWS_")}
        cluster.secrets["sa1b-store"] = keys | in_pods
        ground = Ground(
            folder, scene, names, stack, server, cluster, clock,
            folder / "signature", source_port, journal,
        )  # fmt: skip
        ground.write_links()
        undo.enter_context(_sources(ground))
        undo.callback(stack.down)
        stack.up()
        stack.keep_up()
        undo.enter_context(patch.dict(os.environ, keys))
        yield ground


def _stack(
    folder: Path, scene: Scene, server: OpenAIServer, cluster: ProcessKubernetes
) -> ChaosStack:
    own = {
        "CAPTIONS_SHARDS_PER_RUN": str(PER_RUN),
        "CAPTIONS_SHARDS_PER_POD": str(PER_POD),
        "CAPTIONS_ENGINE": "openai",
        "CAPTIONS_OPENAI_URLS": server.url,
        "CAPTIONS_OPENAI_PATIENCE_S": "20",
        # One caption that failed would not be the quiet run's.
        "CAPTIONS_MAX_FAILURE_SHARE": "0",
        "CAPTIONS_WINDOW": str(WINDOW),
        "CAPTIONS_RUNTIME": scene.runtime,
        "CAPTIONS_WORKER_IMAGE": "registry.example/sa1b-captions-worker-cpu:0.2.0",
        "CAPTIONS_GPU_PROFILE": "cpu-openai",
        "GPU_SLOTS": "3",
        "DOWNLOAD_SLOTS": "2",
    }
    if scene.store == "folder":
        (folder / "disk" / "store").mkdir()
        own["CAPTIONS_ROOT"] = (folder / "disk" / "store").as_uri()
    connection = {"conn_type": "kubernetes", "extra": {"kube_config": cluster.kube_config()}}
    for name in ("scratch", "airflow-logs"):
        (folder / "disk" / name).mkdir(mode=0o777)
    (folder / "volumes").mkdir()
    (folder / "volumes" / "airflow-logs").symlink_to(folder / "disk" / "airflow-logs")
    more: dict[str, Any] = {
        "AIRFLOW_CONN_KUBERNETES_DEFAULT": json.dumps(connection),
        "TMPDIR": str(folder / "disk" / "scratch"),
        "CHAOS_FOLDER": str(folder),
        **IMPATIENT,
    }
    return ChaosStack(folder, filled_env(own), weather=folder / "weather", more=more)


@contextmanager
def _disk(place: Path) -> Iterator[None]:
    """A small disk of its own, where the user may mount one."""
    options = f"size={DISK_BYTES},mode=755"
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(place)]
    mounted = subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode == 0
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def _sources(ground: Ground) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.chaos.sources", str(ground.source_port)]
    process = subprocess.Popen(
        [*command, str(ground.folder / "archives"), str(ground.signature)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()
