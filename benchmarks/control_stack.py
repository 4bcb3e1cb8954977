"""Compose's services as processes on PostgreSQL, with a cluster whose pods only take their time."""

import json
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.deployment import ROOT, filled_env, small_recipe
from tests.support.fake_kubernetes import FakeKubernetes, container, ended, now
from tests.support.stack import Stack

POD_S = 20.0
"""What every pod takes: longer than `FIRST_EVENT_S` of the trigger, shorter than a shard."""
PODS = 24
"""At once, the slots of the pool `gpu`."""
TASKS = 4
"""Task processes at once: two for each core of a small machine."""
START_S = 1200
"""For everything to come up, and for a campaign to be written besides `WRITE_S` for each shard."""
WRITE_S = 5


class TimedKubernetes(FakeKubernetes):
    """Its pods run for `POD_S`, say a line and succeed."""

    def __init__(self) -> None:
        super().__init__()
        self.most_at_once = 0
        self.noticed_s: list[float] = []
        """From each pod's end until its task deleted it: triggerer, scheduler and a new process."""
        self._ended: dict[str, float] = {}
        self.log = f"{now()[:-1]}.000000000Z progress: 11/11 samples\n"

    def admit(self, pod: dict[str, Any]) -> None:
        """Let a pod run, and end well."""
        began = now()
        running = container({"running": {"startedAt": began}}) | {"ready": True}
        pod["spec"]["nodeName"] = "node"
        pod["status"] = {"phase": "Running", "startTime": began, "containerStatuses": [running]}
        self.most_at_once = max(self.most_at_once, len(self.pods) + 1)
        end = threading.Timer(POD_S, self._end, (pod,))
        end.daemon = True
        end.start()

    def _end(self, pod: dict[str, Any]) -> None:
        pod["status"] = ended(0)
        self._ended[pod["metadata"]["name"]] = time.monotonic()

    def delete(self, name: str, grace_period_s: float | None) -> dict[str, Any]:
        """Delete a pod, and note how long ago it ended."""
        if name in self._ended:
            self.noticed_s.append(time.monotonic() - self._ended.pop(name))
        return super().delete(name, grace_period_s)


@contextmanager
def running(shards: int) -> Iterator[tuple[Stack, TimedKubernetes]]:
    """Everything up and healthy, and a campaign of so many shards in its store."""
    folder = Path(tempfile.mkdtemp(prefix="control-"))
    folder.chmod(0o755)  # PostgreSQL's own user has to reach it
    cluster = TimedKubernetes()
    services = _services(folder, shards, cluster)
    try:
        services.up(START_S)
        python = ("env", f"PYTHONPATH={ROOT}", sys.executable)
        write = (*python, "-m", "benchmarks.control_campaign")
        services.run("worker", *write, timeout_s=START_S + shards * WRITE_S)
        yield services, cluster
    finally:
        services.down(most_s=5)
        cluster.close()
        shutil.rmtree(folder, ignore_errors=True)


def _services(folder: Path, shards: int, cluster: TimedKubernetes) -> Stack:
    (folder / "data").mkdir()
    (folder / "data" / "recipe.toml").write_text(small_recipe(shards + 1))
    own = {
        "CAPTIONS_CAMPAIGN": "bench",
        # Long over: the schedule's own run finds that it has no shards.
        "CAPTIONS_START_DATE": "2020-01-01",
        "CAPTIONS_RUNTIME": "pod",
        "CAPTIONS_WORKER_IMAGE": "registry.example/sa1b-captions-worker-cpu:0.2.0",
        "CAPTIONS_GPU_PROFILE": "cpu-preview",
        "CAPTIONS_ALERT_CONNECTION": "",
        "CAPTIONS_DEADLINE_H": "",
        "GPU_SLOTS": str(PODS),
        "DOWNLOAD_SLOTS": str(TASKS),
    }
    connection = {"conn_type": "kubernetes", "extra": {"kube_config": cluster.kube_config()}}
    more = {
        "AIRFLOW__CORE__PARALLELISM": str(TASKS),
        "AIRFLOW_CONN_KUBERNETES_DEFAULT": json.dumps(connection),
    }
    return Stack(folder, filled_env(own), more=more)
