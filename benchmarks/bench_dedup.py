"""What finding near duplicates costs, and what it finds, on captions with planted copies.

    make bench-dedup         ROWS=200000 for a quick one, BENCH_FOLDER=/scratch for the corpus

Signs with two threads, clusters and verifies with the functions that curate and dedup use, each
size in a process of its own. Peers get their own environment and the first 200,000 captions, in
the same run. The last line is one JSON object.
"""

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

HERE = Path(__file__).parent
PEER_ROWS = 200_000
THREADS = 2
BATCH_ROWS = 16_384
MIN_JACCARD = 0.7


def files_of(folder: Path) -> list[Path]:
    """Caption files in order."""
    return sorted(folder.glob("0*.parquet"))


def dedup(folder: Path, rows: int) -> dict[str, object]:
    """Sign, cluster and verify the first rows of a corpus in this process."""
    from sa1b_captions.quality.clusters import find_clusters
    from sa1b_captions.quality.dedup import Signatures, signature_table
    from sa1b_captions.quality.wording import normalised

    began = time.perf_counter()

    def sign(texts: pa.Array) -> pa.Table:
        count = len(texts)
        columns = {
            "sample_id": pa.array([""] * count),
            "image_ids": pa.array([[]] * count, pa.list_(pa.int64())),
            "caption": pa.chunked_array([texts]),
        }
        return signature_table(pa.table(columns), 0)

    signatures = Signatures(rows)
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque = deque()
        left = rows
        for file in files_of(folder):
            for batch in pq.ParquetFile(file).iter_batches(BATCH_ROWS, columns=["text"]):
                waiting.append(pool.submit(sign, batch.column(0).slice(0, left)))
                left -= min(left, batch.num_rows)
                if len(waiting) > THREADS + 1:
                    signatures.add(waiting.popleft().result(), "corpus")
            if not left:
                break
        for signed in waiting:
            signatures.add(signed.result(), "corpus")
    signed_at, signed_cpu = time.perf_counter(), time.process_time()

    def read_texts(wanted: np.ndarray) -> pa.LargeStringArray:
        found, start = [], 0
        for file in files_of(folder):
            end = start + pq.read_metadata(file).num_rows
            inside = wanted[(wanted >= start) & (wanted < end)] - start
            if len(inside):
                found.append(normalised(pq.read_table(file, columns=["text"])["text"].take(inside)))
            start = end
        return pa.concat_arrays(found)

    found = find_clusters(signatures.words, signatures.bands, read_texts, MIN_JACCARD)
    return {
        "rows": rows,
        "seconds": time.perf_counter() - began,
        "sign_seconds": signed_at - began,
        "sign_cpu_s": signed_cpu,
        "cpu_s": time.process_time(),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "candidates": found.candidates,
        "confirmed": found.confirmed,
        "large_buckets": found.large_buckets,
        "removed": found.losers.tolist(),
    }


def score(removed: set[int], folder: Path, rows: int) -> dict[str, float]:
    """Recall by kind over planted pairs of which one must go; removals in no planted family."""
    labels = pq.read_table(folder / "labels.parquet")
    labels = labels.filter(pc.less(labels["id"], rows)).to_pylist()
    planted, found = Counter(), Counter()
    family = {label["source"] for label in labels} | {label["id"] for label in labels}
    # The source is the lowest of its family, so every copy must go and the source must stay.
    for label in labels:
        planted[label["kind"]] += 1
        found[label["kind"]] += label["id"] in removed
    lost = {label["source"] for label in labels} & removed
    recall = {f"recall_{kind}": round(found[kind] / planted[kind], 4) for kind in planted}
    return recall | {"false_removals": len(removed - family) + len(lost)}


def run_one(folder: Path, rows: int) -> dict[str, object]:
    """`dedup` in a process of its own."""
    command = [sys.executable, __file__, "one", str(folder), str(rows)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result = json.loads(done.stdout.splitlines()[-1])
    removed = set(result.pop("removed"))
    result |= {"removed": len(removed)} | score(removed, folder, rows)
    print(json.dumps(result), flush=True)
    return result


def run_peer(name: str, folder: Path, rows: int) -> tuple[float, dict[str, float]] | None:
    """CPU seconds and score of a peer; None if it could not run."""
    python = os.environ.get("PEER_PYTHON", sys.executable)
    with tempfile.TemporaryDirectory() as out:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [python, str(HERE / "dedup_peers.py"), name, str(folder), str(rows), out]
        done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            return None
        removed = set(json.loads((Path(out) / "removed.json").read_text()))
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    scored = score(removed, folder, rows)
    print(f"{name}: {rows} captions, {cpu_s:.1f} CPU s, {scored}", flush=True)
    return cpu_s, scored


def main() -> None:
    """Measure everything and print the result."""
    from caption_corpus import write_corpus

    rows = int(os.environ.get("ROWS", "12000000"))
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as scratch:
        folder = Path(os.environ.get("CORPUS", f"{scratch}/corpus"))
        if not folder.exists():
            write_corpus(rows, folder)
        print(f"{rows} captions, load {os.getloadavg()[0]:.1f}", flush=True)
        run_one(folder, min(rows, 20_000))  # compiles, where nothing is compiled yet
        small = run_one(folder, max(rows // 12, 1000))
        full = run_one(folder, rows)
        few = min(rows, PEER_ROWS)
        own = run_one(folder, few)
        peers = {name: run_peer(name, folder, few) for name in ("daft", "datasketch")}
    growth = math.log(full["seconds"] / small["seconds"]) / math.log(full["rows"] / small["rows"])
    size = "12m" if rows == 12_000_000 else str(rows)
    result = {
        f"seconds_{size}": round(full["seconds"], 1),
        f"peak_rss_mib_{size}": full["peak_rss_mib"],
        "growth_exponent": round(growth, 3),
        "recall_substitution": full["recall_substitution"],
        "recall_sentence": full["recall_sentence"],
        "false_removals": full["false_removals"],
        "cpu_s": round(full["cpu_s"], 1),
        "speedup": {
            name: round(peer[0] / own["cpu_s"], 1) if peer else None for name, peer in peers.items()
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(dedup(Path(sys.argv[2]), int(sys.argv[3]))))
    else:
        main()
