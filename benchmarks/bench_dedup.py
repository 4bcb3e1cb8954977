"""What finding near duplicates costs, and what it finds, on captions with planted copies.

    make bench-dedup         ROWS=204000 for a quick one, BENCH_FOLDER=/scratch for the corpus

Measured is the product, from captions in a store to the list of duplicates in it. Signing does what
curate does to sign: it reads a shard's captions, normalises, hashes and stores them, with two
threads. Then the dedup stage reads all signatures, clusters, verifies by exact Jaccard and writes.
Curate's rules are not in it. Each size runs in a process of its own; the start of Python counts.
Peers run in environments of their own on the first captions of the same files, in the same run.
For that comparison each gets one and the same core, and so do we: on two threads of one core a
program's CPU seconds grow by what its threads take from each other.
The last line is one JSON object.
"""

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.caption_corpus import SHARD_ROWS, write_corpus

PEER_ROWS = 85 * SHARD_ROWS
PEERS = {"daft": "PEER_PYTHON", "datasketch": "PEER_PYTHON", "datatrove": "DATATROVE_PYTHON"}
"""Peers, and the variable that names the interpreter of each."""
SMALL_RUNS = 3
"""Of the twelfth, whose few seconds vary by a tenth; growth is from their median. So is the
comparison with peers, from a run of our own before each of theirs."""


def dedup(folder: Path, rows: int) -> dict[str, object]:
    """Sign the first rows of a corpus and find their duplicates, in this process."""
    from sa1b_captions.imports import leave_out

    leave_out("pandas", "scipy")  # as the command does
    from benchmarks.signed_corpus import TRACK, open_corpus, sign_corpus
    from sa1b_captions import layout, records
    from sa1b_captions.receipts.receipt_files import dedup_place, require_receipt
    from sa1b_captions.stages.dedup import dedup_track

    began = time.perf_counter()
    campaign = open_corpus(folder, rows)
    sign_corpus(campaign)
    signed_at, signed_cpu = time.perf_counter(), time.process_time()
    signed_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    dedup_track(campaign, TRACK, force=True)
    result = {
        "rows": rows,
        "seconds": time.perf_counter() - began,
        "sign_seconds": signed_at - began,
        "cpu_s": time.process_time(),
        "sign_cpu_s": signed_cpu,
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "sign_peak_rss_mib": signed_peak // 1024,
    }
    receipt = require_receipt(campaign.store, dedup_place(campaign.name, TRACK))
    result |= {
        "candidate_pairs": receipt.candidate_pairs,
        "confirmed_pairs": receipt.confirmed_pairs,
        "large_buckets": receipt.large_buckets,
    }
    duplicates = records.read_table(campaign.store, layout.duplicates_key(campaign.name, TRACK))
    found = duplicates["sample_id"].to_pylist()
    return result | {"removed": [int(name.rpartition("/")[2]) for name in found]}


def score(removed: set[int], folder: Path, rows: int) -> dict[str, float]:
    """Recall by kind over planted pairs of which one must go, and removals that nothing excuses.

    Those are captions of no planted family, and one for each family of which none is left.
    """
    labels = pq.read_table(folder / "labels.parquet")
    labels = labels.filter(pc.less(labels["id"], rows)).to_pylist()
    planted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    families: dict[int, set[int]] = {}
    for label in labels:
        planted[label["kind"]] += 1
        found[label["kind"]] += bool({label["id"], label["source"]} & removed)
        families.setdefault(label["source"], {label["source"]}).add(label["id"])
    strangers = removed.difference(*families.values())
    lost = sum(family <= removed for family in families.values())
    recall = {f"recall_{kind}": round(found[kind] / planted[kind], 4) for kind in sorted(planted)}
    return recall | {"false_removals": len(strangers) + lost}


def one_core() -> None:
    """Keep this process and its children on one core; only Linux can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def run_one(folder: Path, rows: int, *, alone: bool = False) -> dict[str, float]:
    """`dedup` in a process of its own; on one core if `alone`."""
    command = [sys.executable, "-m", "benchmarks.bench_dedup", "one", str(folder), str(rows)]
    done = subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=one_core if alone else None,
    )
    result = json.loads(done.stdout.splitlines()[-1])
    removed = set(result.pop("removed"))
    result = {key: round(value, 2) for key, value in result.items()}
    result |= {"removed": len(removed)} | score(removed, folder, rows)
    print(json.dumps(result), flush=True)
    return result


def run_peer(name: str, folder: Path, rows: int) -> dict[str, Any] | None:
    """CPU seconds on one core and score of a peer; None if it could not run."""
    python = os.environ.get(PEERS[name], sys.executable)
    with tempfile.TemporaryDirectory(dir=folder) as out:
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [python, "-m", "benchmarks.dedup_peers", name, str(folder), str(rows), out]
        done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, preexec_fn=one_core)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = time.perf_counter() - began
        if done.returncode:
            return None
        removed = set(json.loads((Path(out) / "removed.json").read_text()))
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result: dict[str, Any] = {
        "peer": name,
        "rows": rows,
        "seconds": round(seconds, 1),
        "cpu_s": round(cpu_s, 1),
    }
    result |= {"removed": len(removed)} | score(removed, folder, rows)
    print(json.dumps(result), flush=True)
    return result


def main() -> None:
    """Measure everything and print the result."""
    rows = int(os.environ.get("ROWS", "12000000")) // SHARD_ROWS * SHARD_ROWS
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as scratch:
        folder = Path(os.environ.get("CORPUS", f"{scratch}/corpus"))
        if not folder.exists():
            write_corpus(rows, folder)
        print(f"{rows} captions, load {os.getloadavg()[0]:.1f}", flush=True)
        start = run_one(folder, SHARD_ROWS)  # compiles, where nothing is compiled yet
        few = min(rows, PEER_ROWS)
        owns, peers = [], {}
        for name in PEERS:
            owns.append(run_one(folder, few, alone=True)["cpu_s"])
            peers[name] = run_peer(name, folder, few)
        own = median(owns)
        twelfth = max(rows // 12 // SHARD_ROWS, 1) * SHARD_ROWS
        small = median(run_one(folder, twelfth)["cpu_s"] for _ in range(SMALL_RUNS))
        full = run_one(folder, rows)
    # Of CPU seconds: wall follows whatever else the machine does.
    growth = math.log(full["cpu_s"] / small) / math.log(full["rows"] / twelfth)
    size = "12m" if rows == 12_000_000 else str(rows)
    result = {
        f"seconds_{size}": full["seconds"],
        f"peak_rss_mib_{size}": full["peak_rss_mib"],
        "growth_exponent": round(growth, 3),
        "recall_substitution": full["recall_substitution"],
        "recall_sentence": full["recall_sentence"],
        "false_removals": full["false_removals"],
        f"cpu_s_{size}": full["cpu_s"],
        "peer_rows": few,
        "cpu_s_twelfth": small,
        "cpu_s_peer_rows": own,
        "cpu_s_start": start["cpu_s"],
        "speedup": {
            name: round(peer["cpu_s"] / own, 1) if peer else None for name, peer in peers.items()
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(dedup(Path(sys.argv[2]), int(sys.argv[3]))))
    else:
        main()
