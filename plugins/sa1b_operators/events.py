"""What asset events carry, so that other DAGs and people need not open the store for it."""

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from airflow.sdk.configuration import conf


def console_path(page: str) -> str:
    """Path of a page of the console below the address Airflow is served at."""
    base = urlsplit(conf.get("api", "base_url", fallback="") or "").path
    return f"{base.rstrip('/')}/captions/{page}"


def shard_event(shard: str, found: dict[str, Any] | None, run_id: str | None) -> dict[str, Any]:
    """Extra of a shard's event, from what `validate` says of it; empty where it says nothing."""
    if found is None:
        return {}
    return {
        "rows": found["accepted"],
        "rejected": found["rejected"],
        "verdict": found["verdict"],
        "report": console_path(f"shards/{shard}/{PurePosixPath(found['report']).stem}"),
        "run_id": run_id,
    }


def release_event(exported: dict[str, Any], verdict: str, run_id: str) -> dict[str, Any]:
    """Extra of a release's event, from what `export` says of it."""
    return {
        "version": exported["version"],
        "rows": exported["rows"],
        "verdict": verdict,
        "folder": exported["folder"],
        "manifest": exported["manifest"],
        "report": console_path(f"runs/release_dataset/{run_id}"),
        "run_id": run_id,
    }
