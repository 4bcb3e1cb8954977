"""The search for near duplicates as queries of an engine that scales out: same clusters.

    make bench-scale-out         ROWS=204000 for a quick one, BENCH_FOLDER=/scratch for the corpus

Daft on a Ray cluster of two nodes, a worker process each, reads the signatures that the package
stored and does what the dedup stage does in one process' memory: captions that meet in a band,
exact Jaccard, connected components. The last line is one JSON object; a cluster that differs from
the dedup stage's is an error. Needs Daft, Ray and the package in one environment.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import daft
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import ray
from daft import DataFrame, DataType, Series, col
from daft.functions import when
from ray.cluster_utils import Cluster

from benchmarks.caption_corpus import SHARD_ROWS, files_of, write_corpus

NODES = 2
MIN_JACCARD = 0.7


@daft.func.batch(return_dtype=DataType.list(DataType.uint64()))
def band_hashes(bands: Series) -> pa.Array:
    """The band hashes of each caption; none for a text without units."""
    hashes = [np.frombuffer(value, "<u8") for value in bands.to_arrow().to_pylist()]
    return pa.array([row[row != 0] for row in hashes], pa.list_(pa.uint64()))


@daft.func.batch(return_dtype=DataType.list(DataType.list(DataType.int64())))
def pairs_of(buckets: Series) -> pa.Array:
    """All pairs of the captions of each bucket, lower id first."""
    found = []
    for bucket in buckets.to_arrow().to_pylist():
        ids = sorted(bucket)
        found.append([[a, b] for place, a in enumerate(ids) for b in ids[place + 1 :]])
    return pa.array(found, pa.list_(pa.list_(pa.int64())))


@daft.func.batch(return_dtype=DataType.float64())
def jaccard(firsts: Series, seconds: Series) -> pa.Array:
    """Exact Jaccard of captions, by the package's own function."""
    from sa1b_captions.quality.duplicates import minhash
    from sa1b_captions.quality.duplicates.wording import normalised

    count = len(firsts)
    captions = [series.to_arrow().cast(pa.large_string()) for series in (firsts, seconds)]
    texts = normalised(pa.chunked_array(captions))
    return pa.array(minhash.jaccard(texts, np.arange(count), np.arange(count, 2 * count)))


def find_edges(signatures: DataFrame, captions: DataFrame) -> DataFrame:
    """Pairs (`low`, `high`) of captions that are equal or alike enough."""
    unique = signatures.groupby("text_xxh3").agg(
        col("id").min().alias("low"), col("bands").any_value()
    )
    equal = (
        signatures.select("id", "text_xxh3")
        .join(unique.select("text_xxh3", "low"), on="text_xxh3")
        .where(col("id") != col("low"))
        .select("low", col("id").alias("high"))
    )
    buckets = (
        unique.select(col("low").alias("id"), band_hashes(col("bands")).alias("hash"))
        .explode("hash")
        .groupby("hash")
        .agg(col("id").list_agg().alias("ids"))
        .where(col("ids").list_count() > 1)
    )
    pairs = (
        buckets.select(pairs_of(col("ids")).alias("pair"))
        .explode("pair")
        .select(col("pair").get(0).alias("low"), col("pair").get(1).alias("high"))
        .distinct()
    )
    near = (
        pairs.join(captions.select(col("id").alias("low"), col("caption").alias("first")), on="low")
        .join(captions.select(col("id").alias("high"), col("caption").alias("second")), on="high")
        .where(jaccard(col("first"), col("second")) >= MIN_JACCARD)
        .select("low", "high")
    )
    return equal.concat(near).collect()


def connect(edges: DataFrame) -> tuple[DataFrame, int]:
    """`id` and `label`, the lowest id that a chain of edges reaches; rounds that it took.

    Every round each caption takes the lowest label among its neighbours and itself.
    """
    ways = edges.select(col("low").alias("id"), col("high").alias("other"))
    ways = ways.concat(edges.select(col("high").alias("id"), col("low").alias("other"))).collect()
    labels = ways.groupby("id").agg(col("other").min().alias("label"))
    labels = labels.select("id", _lower("id", "label").alias("label")).collect()
    for rounds in range(1, 1000):
        others = labels.select(col("id").alias("other"), col("label").alias("offered"))
        offers = ways.join(others, on="other").groupby("id").agg(col("offered").min())
        after = labels.join(offers, on="id")
        after = after.select("id", "label", _lower("label", "offered").alias("lower")).collect()
        changed = after.where(col("label") != col("lower")).count_rows()
        labels = after.select("id", col("lower").alias("label"))
        if not changed:
            return labels, rounds
    raise RuntimeError("the labels do not settle")


def _lower(first: str, second: str) -> daft.Expression:
    return when(col(first) <= col(second), col(first)).otherwise(col(second))


def find_clusters(folder: Path, rows: int) -> tuple[dict[int, int], int]:
    """Loser to winner, and the rounds of label propagation."""
    files = files_of(folder, rows)
    captions = daft.read_parquet([str(file) for file in files]).select("id", "caption")
    signed = [str(file.with_name("signatures.parquet")) for file in files]
    signatures = daft.read_parquet(signed).select(
        col("image_ids").get(0).alias("id"), "text_xxh3", "bands"
    )
    labels, rounds = connect(find_edges(signatures, captions))
    found = labels.where(col("id") != col("label")).to_arrow()
    return dict(zip(found["id"].to_pylist(), found["label"].to_pylist(), strict=True)), rounds


def main() -> None:
    """Run the package, run the engine, compare."""
    rows = int(os.environ.get("ROWS", "1008000")) // SHARD_ROWS * SHARD_ROWS
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as scratch:
        folder = Path(os.environ.get("CORPUS", f"{scratch}/corpus"))
        if not folder.exists():
            write_corpus(rows, folder)
        python = os.environ.get("PACKAGE_PYTHON", sys.executable)
        command = [python, "-m", "benchmarks.bench_dedup", "one", str(folder), str(rows)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        track = folder / "campaigns/bench/dedup/single_en/duplicates.parquet"
        table = pq.read_table(track, columns=["sample_id", "winner"])
        loser, winner = (
            [int(name.rpartition("/")[2]) for name in table[column].to_pylist()]
            for column in ("sample_id", "winner")
        )
        expected = dict(zip(loser, winner, strict=True))
        cluster = Cluster()
        for _ in range(NODES):
            cluster.add_node(num_cpus=1, object_store_memory=1 << 30)
        ray.init(address=cluster.address, log_to_driver=False)
        daft.set_runner_ray(cluster.address)
        began = time.perf_counter()
        found, rounds = find_clusters(folder, rows)
        seconds = time.perf_counter() - began
        workers = sum(node["Alive"] for node in ray.nodes())
        ray.shutdown()
        cluster.shutdown()
    result = {
        "rows": rows,
        "engine": f"Daft {daft.__version__} on Ray {ray.__version__}",
        "nodes": workers,
        "seconds": round(seconds, 1),
        "rounds": rounds,
        "duplicates": len(found),
        "differing": len(found.items() ^ expected.items()),
    }
    print(json.dumps(result))
    if result["differing"] or not expected:
        sys.exit("the clusters differ from the dedup stage's")


if __name__ == "__main__":
    main()
