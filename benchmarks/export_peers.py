"""Writes the files of a release's track as its users would, with `datasets` or with pandas.

    python -m benchmarks.export_peers datasets CURATED TARGET

CURATED holds `<shard>/accepted.parquet` and `rejected.parquet`, as curate leaves them. TARGET gets
`lines.jsonl` and Parquet of captions, provenance, hashes and rejected rows. Only what the two
libraries document is used: columns, batches, and as many processes as there are processors where a
call takes such a number. The last line is one JSON object.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

PROMPT = "<image>\nDescribe the photograph."
PROVENANCE = [
    *("sample_id", "shard", "engine", "model", "model_revision", "recipe_fingerprint", "attempt"),
    *("finish_reason", "prompt_tokens", "completion_tokens", "captioned_at"),
]
HASHES = ["images", "image_xxh3s", "image_dhashes"]


def converse(caption: str) -> list[dict[str, str]]:
    """The two turns of a row."""
    return [{"from": "human", "value": PROMPT}, {"from": "gpt", "value": caption}]


def with_datasets(curated: Path, target: Path) -> int:
    """Write the files with `datasets`; returns the number of rows."""
    import datasets

    datasets.disable_progress_bars()
    processes = len(os.sched_getaffinity(0))

    def read(name: str) -> Any:
        files = sorted(map(str, curated.glob(f"*/{name}.parquet")))
        return datasets.load_dataset(
            "parquet", data_files=files, split="train", cache_dir=str(target / "cache")
        )

    def publish(batch: dict[str, list[Any]], ids: list[int]) -> dict[str, list[Any]]:
        return {
            "id": ids,
            "image": [images[0] for images in batch["images"]],
            "width": [sides[0] for sides in batch["widths"]],
            "height": [sides[0] for sides in batch["heights"]],
            "conversations": [converse(caption) for caption in batch["caption"]],
        }

    accepted = read("accepted")
    published = accepted.map(
        publish,
        batched=True,
        with_indices=True,
        num_proc=processes,
        remove_columns=accepted.column_names,
    )
    published.to_json(target / "lines.jsonl", force_ascii=False, num_proc=processes)
    published.to_parquet(target / "data.parquet")
    ids = published["id"][:]  # a list: add_column would ask a lazy column for row after row
    for name, columns in (("provenance", PROVENANCE), ("image_hashes", HASHES)):
        table = accepted.select_columns(columns).add_column("id", ids)
        table.to_parquet(target / f"{name}.parquet")
    read("rejected").to_parquet(target / "rejected.parquet")
    return int(published.num_rows)


def with_pandas(curated: Path, target: Path) -> int:
    """Write the files with pandas; returns the number of rows."""
    import pandas as pd

    def read(name: str) -> pd.DataFrame:
        files = sorted(curated.glob(f"*/{name}.parquet"))
        return pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)

    accepted = read("accepted")
    accepted.insert(0, "id", range(len(accepted)))
    published = pd.DataFrame(
        {
            "id": accepted["id"],
            "image": accepted["images"].str[0],
            "width": accepted["widths"].str[0].astype("int64"),
            "height": accepted["heights"].str[0].astype("int64"),
            "conversations": [converse(caption) for caption in accepted["caption"]],
        }
    )
    published.to_json(target / "lines.jsonl", orient="records", lines=True, force_ascii=False)
    published.to_parquet(target / "data.parquet", compression="zstd")
    for name, columns in (("provenance", PROVENANCE), ("image_hashes", HASHES)):
        accepted[["id", *columns]].to_parquet(target / f"{name}.parquet", compression="zstd")
    read("rejected").to_parquet(target / "rejected.parquet", compression="zstd")
    return len(published)


def main() -> None:
    """Run one of them and tell what it cost."""
    kind, curated, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    target.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    rows = {"datasets": with_datasets, "pandas": with_pandas}[kind](curated, target)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    found = {
        "rows": rows,
        "wall_s": time.perf_counter() - began,
        "cpu_s": sum(one.ru_utime + one.ru_stime for one in used),
        "peak_rss_mib": max(one.ru_maxrss for one in used) // 1024,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
