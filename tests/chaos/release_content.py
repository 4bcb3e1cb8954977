"""What a release says, but for what differs between any two: times, latencies, numbers of tries."""

import io
from typing import Any

import pyarrow.parquet as pq

from sa1b_captions import layout
from sa1b_captions.release.manifest import read_manifest
from sa1b_captions.storage import Store

VOLATILE = ("captioned_at", "latency_ms", "attempt")


def read_content(store: Store, version: str) -> dict[str, Any]:
    """By file: digests of JSONL, rows of Parquet, None of what is made for people."""
    manifest = read_manifest(store, version)
    if manifest is None:
        raise ValueError(f"there is no release {version}")
    found: dict[str, Any] = {"rows": manifest.rows, "shards": manifest.shards}
    for file in manifest.files:
        found[file.name] = None
        if file.name.endswith(".jsonl"):
            found[file.name] = file.sha256
        elif file.name.endswith(".parquet"):
            table = pq.read_table(io.BytesIO(store.read(layout.release_key(version, file.name))))
            dull = [name for name in VOLATILE if name in table.column_names]
            found[file.name] = table.drop_columns(dull).to_pylist()
    return found


def differences(quiet: dict[str, Any], chaos: dict[str, Any]) -> list[str]:
    """A sentence for each thing that differs."""
    found = [f"the release lacks {name}" for name in sorted(quiet.keys() - chaos.keys())]
    found += [f"the release has {name} besides" for name in sorted(chaos.keys() - quiet.keys())]
    for name in sorted(quiet.keys() & chaos.keys()):
        if quiet[name] != chaos[name]:
            found.append(f"{name} differs: {_shown(quiet[name], chaos[name])}")
    return found


def _shown(quiet: Any, chaos: Any) -> str:
    if isinstance(quiet, list) and isinstance(chaos, list):
        if len(quiet) != len(chaos):
            return f"{len(quiet)} rows quietly, {len(chaos)} here"
        number = next(
            i for i, pair in enumerate(zip(quiet, chaos, strict=True)) if len({*map(str, pair)}) > 1
        )
        return f"row {number}: {str(quiet[number])[:200]} quietly, {str(chaos[number])[:200]} here"
    return f"{quiet} quietly, {chaos} here"
