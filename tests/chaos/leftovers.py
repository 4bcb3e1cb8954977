"""What a run of chaos may not leave behind once it is over, each told in a sentence."""

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from sqlalchemy import create_engine, text

from sa1b_captions import layout
from sa1b_captions.storage import Store
from tests.chaos.ground import Ground

SETTLE_S = 5.0
GENERATION = r"\d{4}-[\w-]+"
# In any run, as often as it was run.
HISTORY = re.compile(r"campaigns/[^/]+/(quality/(validations|runs)/|summary\.json|index/)")

_OPEN = (
    "select pid, query from pg_stat_activity where state like 'idle in transaction%' "
    "and now() - state_change > interval '60 seconds'"
)
_WAITING = (
    "select pid, query from pg_stat_activity where wait_event_type = 'Lock' "
    "and now() - state_change > interval '20 seconds'"
)


def kinds_of_keys(store: Store) -> set[str]:
    """Keys without what tells one run from another: generations, digests.

    Releases are compared file by file elsewhere.
    """
    found = set()
    for key in store.list(""):
        if HISTORY.match(key) or re.match(r"releases/(?!LATEST|\.claims)", key):
            continue
        key = re.sub(rf"(captions/\w+/\w+/){GENERATION}/", r"\1", key)
        key = re.sub(rf"(shards/\w+)\.{GENERATION}\.", r"\1.", key)
        found.add(re.sub(r"(release/\w+)/\w+/(\w+\.)?", r"\1/", key))
    return found


def in_store(quiet: set[str], chaos: set[str]) -> Iterator[str]:
    """Objects that only one of the stores has."""
    for key in sorted(quiet - chaos):
        yield f"the store lacks {key}"
    for key in sorted(chaos - quiet):
        if not key.endswith("/begun.json"):  # who did it again
            yield f"the store has {key} besides"


def unfinished_writes(ground: Ground) -> Iterator[str]:
    """Uploads that nobody finished, and files under names that nobody reads."""
    variables = ground.stack.variables
    if ground.scene.store == "s3":
        import boto3

        bucket = variables["CAPTIONS_ROOT"].split("/")[2]
        endpoint = f"http://127.0.0.1:{ground.stack.ports['seaweedfs']}"
        client = boto3.client("s3", endpoint_url=endpoint)
        for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            yield f"an upload to {upload['Key']} is unfinished"
    else:
        for path in (ground.disk / "store").rglob("*"):
            if path.is_file() and path.name.startswith("."):
                yield f"{path.relative_to(ground.disk)} is no object"


def scratch(ground: Ground) -> Iterator[str]:
    """Temporary files of stages."""
    for path in sorted((ground.disk / "scratch").iterdir()):
        if not _is_airflows(path):
            yield f"{path.name} lies in the scratch folder"


def _is_airflows(path: Path) -> bool:
    return path.name.startswith(("pymp-", "tmp")) and not path.is_file()


def processes(ground: Ground) -> Iterator[str]:
    """Stages and pods that run when nothing is left to do."""
    time.sleep(SETTLE_S)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "sa1b_captions" not in " ".join(process.cmdline()):
                continue
            if process.environ().get("CHAOS_FOLDER") == str(ground.folder):
                yield f"process {process.pid} runs: {' '.join(process.cmdline())[-200:]}"
    for name, run in ground.cluster.runs.items():
        if run.process.poll() is None:
            yield f"pod {name} runs"
    for name, pod in ground.cluster.pods.items():
        if pod["status"]["phase"] not in ("Failed", "Succeeded"):
            yield f"pod {name} is {pod['status']['phase']}"


def database(ground: Ground) -> Iterator[str]:
    """Locks that somebody waits for, and transactions that nobody ends."""
    password = ground.stack.variables["POSTGRES_PASSWORD"]
    port = ground.stack.ports["postgres"]
    engine = create_engine(f"postgresql+psycopg2://airflow:{password}@127.0.0.1:{port}/airflow")
    with engine.connect() as connection:
        for pid, query in connection.execute(text(_OPEN)):
            yield f"database session {pid} has an open transaction: {query[:100]}"
        for pid, query in connection.execute(text(_WAITING)):
            yield f"database session {pid} waits for a lock: {query[:100]}"
    engine.dispose()


def claims(store: Store) -> Iterator[str]:
    """Claims to releases that are finished."""
    for key in store.list("releases/.claims/"):
        version = key.split("/")[2]
        if store.exists(layout.manifest_key(version)):
            yield f"{key} claims a release that is finished"
