"""From links to a release in real processes, while their wall clock jumps."""

import io
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from demo.archives import build_archives
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.release.manifest import latest_version, read_manifest
from sa1b_captions.release.verify import verify_release
from sa1b_captions.storage import FileStore
from tests.support.fault_server import serve
from tests.support.jumping_clock import DAY_S, YEAR_S, JumpingClock, Jumps

DEMO_RECIPE = str(Path(__file__).parents[2] / "tests" / "support" / "two_shards.toml")
RECIPE = load_recipe(DEMO_RECIPE)
STAGES = [
    "ingest --shards 0-1 --links -",
    "caption --shards 0-1 --engine preview",
    "curate --shards 0-1",
    "validate --shards 0-1",
    "dedup",
    "validate --release",
    "export",
]


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archives")
    build_archives(folder, short_side_px=60)
    return [(folder / f"{shard}.tar").read_bytes() for shard in RECIPE.shards]


def run(stage, links, environ):
    command = [sys.executable, "-m", "sa1b_captions", *stage.split()]
    done = subprocess.run(
        command, input=links, env=os.environ | environ, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"{stage}: {done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


def test_every_planned_sample_is_in_the_release_once(archives, tmp_path):
    rng = random.Random(4)
    clock = JumpingClock(tmp_path / "clock")
    store = FileStore(tmp_path / "store")
    environ = clock.environ | {"CAPTIONS_ROOT": store.url, "CAPTIONS_RECIPE": DEMO_RECIPE}
    good = f"oe={int(time.time()) + DAY_S:x}"
    first, second = RECIPE.shards
    with serve(archives[0], name=first) as one, serve(archives[1], name=second) as two:
        links = f"{one.links()}\n{two.links()}".replace("oe=7fffffff", good)
        with Jumps(clock, rng, every_s=0.3):
            for stage in STAGES:
                run(stage, links, environ)
    clock.jump(-40 * YEAR_S)
    assert run("export", "", environ)["up_to_date"]
    check_release(store)


def check_release(store):
    """Files are whole; published and left out are the plan."""
    version = latest_version(store)
    assert version == "v1"
    assert verify_release(store, version) == []
    manifest = read_manifest(store, version)
    for track in TRACKS:
        plans = [
            plan_track(RECIPE, RECIPE.tracks[track], shard, read_index(store, shard))
            for shard in RECIPE.shards
        ]
        planned = [sample.sample_id for plan in plans for sample in plan]
        published, left_out = (
            pq.read_table(
                io.BytesIO(store.read(f"releases/{version}/{kind}/{track}/train-00000.parquet"))
            )["sample_id"]
            for kind in ("provenance", "rejected")
        )
        assert sorted(published.to_pylist() + left_out.to_pylist()) == sorted(planned)
        assert manifest.tracks[track].planned == len(planned)
