"""Captions as each tool leaves them on the disk, read while it runs and after."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.peers.accounts import Row


def _lines(files: Iterator[Path]) -> Iterator[dict[str, Any]]:
    """Whole lines of JSON; the last of a file may be half there."""
    for file in sorted(files):
        for line in file.read_bytes().split(b"\n")[:-1]:
            yield json.loads(line)


def _tables(files: Iterator[Path]) -> Iterator[dict[str, Any]]:
    for file in sorted(files):
        yield from pq.ParquetFile(file).read().to_pylist()


def ours(out: Path) -> Iterator[Row]:
    """Parts of the caption stage, and what pack left out by its receipt."""
    for receipt in (out / "store/shards").glob("*.receipt.json"):
        for warning in json.loads(receipt.read_text())["warnings"]:
            image, _, problem = warning.removeprefix("left out ").partition(" ")
            yield Row(image, "", problem)
    for row in _tables((out / "store").glob("**/single_en/**/*.parquet")):
        (image,) = row["images"]
        problem = "" if row["status"] == "ok" else f"{row['status']} {row['error'] or ''}"
        yield Row(image.rpartition("/")[2], row["caption"], problem)


def datatrove(out: Path) -> Iterator[Row]:
    """Documents with the results of their rollouts."""
    for document in _lines((out / "captions").glob("*.jsonl")):
        for result in document["metadata"]["rollout_results"]:
            problem = "" if result["finish_reason"] == "stop" else str(result["finish_reason"])
            yield Row(document["id"], result["text"], problem)


def distilabel(out: Path) -> Iterator[Row]:
    """The distiset once it is there, until then what the step has left behind."""
    whole = out / "captions.parquet"
    files = [whole] if whole.exists() else (out / "cache").glob("**/steps_outputs/**/*.parquet")
    for row in _tables(iter(files)):
        yield Row(row["path"], row["generation"] or "")


def ray(out: Path) -> Iterator[Row]:
    """Files that Ray Data's tasks wrote."""
    for row in _tables((out / "captions").glob("*.parquet")):
        problem = "" if row["finish_reason"] == "stop" else str(row["finish_reason"])
        yield Row(row["path"].rpartition("/")[2], row["caption"], problem)
