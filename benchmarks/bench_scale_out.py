"""What dedup takes on Ray clusters of 1, 2 and 4 nodes, each with one CPU and a process of its own.

    make bench-scale-out     ROWS=204000 for a quick one, BENCH_FOLDER=/scratch for the corpus

All nodes are on this machine: past its cores, more of them only show what spreading costs. Beside
them stands dedup in one process. Signing is not in it. Duplicates that differ are an error. The
last line is one JSON object.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import ray

from benchmarks.caption_corpus import SHARD_ROWS, write_corpus
from benchmarks.signed_corpus import TRACK, open_corpus, sign_corpus
from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.quality.duplicates.ray_tasks import open_ray
from sa1b_captions.stages.dedup import dedup_track
from tests.support.ray_cluster import start_cluster

NODES = (1, 2, 4)


def measure(campaign: Campaign, nodes: int) -> tuple[dict[str, Any], bytes]:
    """Cost of one dedup on so many nodes, none for this process; and what was stored."""
    if not nodes:
        return _timed(campaign, None)
    cluster = start_cluster(nodes)
    try:
        open_ray(cluster.address)  # what starting and asking takes is not counted
        return _timed(campaign, cluster.address)
    finally:
        ray.shutdown()
        cluster.shutdown()


def _timed(campaign: Campaign, address: str | None) -> tuple[dict[str, Any], bytes]:
    began, before = time.perf_counter(), _cpu_s()
    dedup_track(campaign, TRACK, force=True, tasks=(lambda: open_ray(address)) if address else None)
    cost = {
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_s": round(_cpu_s() - before, 1),
        "load": round(os.getloadavg()[0], 1),
    }
    return cost, campaign.store.read(layout.duplicates_key(campaign.name, TRACK))


def _cpu_s() -> float:
    """Of this process and of all that it started and that still lives."""
    own = psutil.Process()
    spent = 0.0
    for process in (own, *own.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += times.user + times.system
    return spent


def main() -> None:
    """Measure and print."""
    rows = int(os.environ.get("ROWS", "1008000")) // SHARD_ROWS * SHARD_ROWS
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as scratch:
        folder = Path(os.environ.get("CORPUS", f"{scratch}/corpus"))
        if not folder.exists():
            write_corpus(rows, folder)
        campaign = open_corpus(folder, rows)
        sign_corpus(campaign)
        costs: dict[str, Any] = {}
        stored = set()
        for nodes in (0, *NODES):
            cost, data = measure(campaign, nodes)
            costs[f"nodes_{nodes}" if nodes else "one_process"] = cost
            stored.add(data)
            print(nodes or "one process", cost, flush=True)
    print(json.dumps({"rows": rows, "ray": ray.__version__, **costs, "same": len(stored) == 1}))
    if len(stored) != 1:
        sys.exit("the duplicates differ from those that one process finds")


if __name__ == "__main__":
    main()
