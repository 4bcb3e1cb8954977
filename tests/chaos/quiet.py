"""The same shards by plain commands, one after the other, with nothing going wrong."""

import os
import subprocess
import sys
from pathlib import Path

from sa1b_captions.release.manifest import latest_version
from sa1b_captions.storage import FileStore

WINDOW = 16


def run_quietly(folder: Path, data: Path, model_url: str, shards: str) -> FileStore:
    """From links to a release; returns the store that holds it.

    Raises:
        RuntimeError: a command failed.
    """
    store = FileStore(folder)
    if latest_version(store) is not None:
        return store  # that of an earlier trial
    settings = {
        "CAPTIONS_ROOT": store.url,
        "CAPTIONS_RECIPE": str(data / "recipe.toml"),
        "CAPTIONS_LINKS": str(data / "links.tsv"),
        "CAPTIONS_OPENAI_URLS": model_url,
        "CAPTIONS_ENGINE": "openai",
        "CAPTIONS_WINDOW": str(WINDOW),
    }
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CAPTIONS_")}
    for arguments in (
        ["ingest", "--shards", shards],
        ["caption", "--shards", shards, "--engine", "openai"],
        ["curate", "--shards", shards],
        ["validate", "--shards", shards],
        ["dedup"],
        ["validate", "--release"],
        ["export", "--allow-warnings"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "sa1b_captions", *arguments],
            env=ours | settings,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stderr[-2000:]}")
    return store
