"""What ingest costs, beside the least it could cost and beside the usual way.

    make bench-ingest        BENCH_FOLDER=/scratch to choose where the gigabytes lie

The floor is `curl | tee >(md5sum) | gunzip > file`. The naive way downloads to disk, unpacks with
tar, and uploads each file to a store of the same kind: a folder, and the S3 server that
TEST_S3_ENDPOINT names (the target starts OpenStack Swift). All over loopback, on the same archive,
one after the other. The last line is one JSON object.
"""

import contextlib
import dataclasses
import json
import os
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import boto3  # noqa: TID253, this is its only use

from benchmarks.sa1b_archive import build_archive
from sa1b_captions.ingest.downloading.resume_state import PART_BYTES

SIZES_MB = (250, 500, 1000)
REPEATS = 3
S3 = os.environ.get("TEST_S3_ENDPOINT", "")
BUCKET = "bench"
SHARD = "sa_000000"
LINK = f"{SHARD}.tar\thttp://127.0.0.1:{{port}}/{SHARD}.tar?oe=7fffffff\n"

FLOOR = "curl -s {url} | tee >(md5sum > {out}/md5) | gunzip > {out}/plain.tar"
NAIVE = """
import sys
from pathlib import Path
from sa1b_captions.storage import open_store_url
store = open_store_url(sys.argv[1], sys.argv[2] or None)
for path in sorted(Path(sys.argv[3]).iterdir()):
    store.write(f"files/{path.name}", path.read_bytes())
"""
INGEST = """
import sys
from sa1b_captions.ingest.downloading.links import parse_links
from sa1b_captions.stages.ingesting.ingest import ingest_shard
from sa1b_captions.storage import open_store_url
url, endpoint, links, connections, part_bytes = sys.argv[1:]
store = open_store_url(url, endpoint or None)
ingest_shard(store, "sa_000000", parse_links(links), connections=int(connections),
             part_bytes=int(part_bytes))
"""
KEPT, NOT_KEPT = PART_BYTES, 0


@dataclasses.dataclass
class Cost:
    """Of one command and what it started."""

    wall_s: float
    cpu_s: float
    peak_rss_mib: float


def measure(command: list[str]) -> Cost:
    """Run a command in a process whose only children are the command's."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        began = time.perf_counter()
        done = subprocess.run(command, check=False)
        wall_s = time.perf_counter() - began
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        cost = [wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]
        os.write(writer, json.dumps(cost).encode())
        os._exit(done.returncode)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    if status:
        sys.exit(f"{command[:3]} failed with status {status}")
    return Cost(*json.loads(text))


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[int]:
    """Port of a server in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.range_server", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None  # noqa: S101, for PIPE was asked for
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """An empty folder, removed afterwards, with the disk's queue drained before."""
    os.sync()
    path = Path(tempfile.mkdtemp(dir=folder))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def floor(folder: Path, port: int) -> Cost:
    """The least: nothing is looked at, nothing is indexed."""
    with scratch(folder) as out:
        url = f"http://127.0.0.1:{port}/{SHARD}.tar"
        return measure(["bash", "-c", FLOOR.format(url=url, out=out)])


def store_arguments(out: Path, *, s3: bool) -> list[str]:
    """URL and endpoint of an empty store."""
    return [f"s3://{BUCKET}/{out.name}", S3] if s3 else [(out / "store").as_uri(), ""]


def naive(folder: Path, port: int, *, s3: bool = False) -> Cost:
    """The usual way."""
    with scratch(folder) as out:
        (out / "files").mkdir()
        get = f"curl -s -o {out}/a.tar http://127.0.0.1:{port}/{SHARD}.tar"
        unpack = f"tar xzf {out}/a.tar -C {out}/files && rm {out}/a.tar"
        arguments = shlex.join(["-c", NAIVE, *store_arguments(out, s3=s3), f"{out}/files"])
        upload = f"{sys.executable} {arguments}"
        return measure(["bash", "-ec", f"{get}; {unpack}; {upload}"])


def ingest(
    folder: Path, port: int, connections: int = 1, part_bytes: int = KEPT, *, s3: bool = False
) -> Cost:
    """What this project does."""
    with scratch(folder) as out:
        options = [LINK.format(port=port), str(connections), str(part_bytes)]
        return measure([sys.executable, "-c", INGEST, *store_arguments(out, s3=s3), *options])


def report(name: str, costs: list[Cost]) -> Cost:
    """Print and return the median of repeated runs, and the highest memory."""
    wall_s, cpu_s = (statistics.median(getattr(c, f) for c in costs) for f in ("wall_s", "cpu_s"))
    peak = max(cost.peak_rss_mib for cost in costs)
    spread = f"{min(c.wall_s for c in costs):.2f} to {max(c.wall_s for c in costs):.2f}"
    print(f"{name:<28}{wall_s:8.2f} s ({spread})  {cpu_s:6.2f} s CPU  {peak:5.0f} MiB", flush=True)
    return Cost(wall_s, cpu_s, peak)


def main() -> None:
    """Measure everything and print the result."""
    if S3:
        boto3.client("s3", endpoint_url=S3).create_bucket(Bucket=BUCKET)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as name:
        folder = Path(name)
        per_gb: dict[int, Cost] = {}
        for size_mb in SIZES_MB:
            archive = folder / "served" / f"{SHARD}.tar"
            archive.parent.mkdir(exist_ok=True)
            images = build_archive(archive, size_mb * 10**6)
            gb = archive.stat().st_size / 1e9
            print(f"{gb:.3f} GB, {images} images", flush=True)
            with serving(archive.parent) as port:
                rounds = [(floor(folder, port), ingest(folder, port)) for _ in range(REPEATS)]
                least = report("  floor", [pair[0] for pair in rounds])
                ours = report("  ingest", [pair[1] for pair in rounds])
                per_gb[size_mb] = Cost(ours.wall_s / gb, ours.cpu_s / gb, ours.peak_rss_mib)
                if size_mb == SIZES_MB[-1]:
                    usual = report("  naive", [naive(folder, port)])
                    unkept = report("  ingest, nothing kept", [ingest(folder, port, 1, NOT_KEPT)])
                    spread = report("  ingest, 4 connections", [ingest(folder, port, 4)])
                    if S3:
                        usual_s3 = report("  naive to S3", [naive(folder, port, s3=True)])
                        ours_s3 = report("  ingest to S3", [ingest(folder, port, s3=True)])
    others = [unkept, spread, *([ours_s3] if S3 else [])]
    last = per_gb[SIZES_MB[-1]]
    result = {
        "ratio_to_floor": round(ours.wall_s / least.wall_s, 2),
        # Uploading is what object stores ask for; into a folder, the naive way only copies.
        "speedup_vs_naive": round(usual_s3.wall_s / ours_s3.wall_s, 2) if S3 else None,
        "speedup_vs_naive_folder": round(usual.wall_s / ours.wall_s, 2),
        "peak_rss_mib": round(max(cost.peak_rss_mib for cost in [*per_gb.values(), *others])),
        "cpu_s_per_gb": round(last.cpu_s, 2),
        "wall_s_per_gb": {size: round(cost.wall_s, 2) for size, cost in per_gb.items()},
        "cpu_s_per_gb_by_size": {size: round(cost.cpu_s, 2) for size, cost in per_gb.items()},
        "ratio_nothing_kept": round(unkept.wall_s / least.wall_s, 2),
        "ratio_4_connections": round(spread.wall_s / least.wall_s, 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
