"""The wheel as a worker image installs it: alone, without Airflow, beside what the stage needs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sa1b_captions.recipe import TRACKS
from sa1b_captions.storage import open_store_url
from tests.support.builders import demo_campaign, make_jpeg, put_shard

ROOT = Path(__file__).parents[2]
UV = str(Path(sys.executable).with_name("uv"))


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """A Python with what `deploy/Dockerfile.worker-cpu` puts into its image."""
    folder = tmp_path_factory.mktemp("wheel")
    python = str(folder / "venv" / "bin" / "python")
    install = [UV, "pip", "install", "--quiet", "--python", python]
    pins = ["--require-hashes", "-r", "requirements-worker-cpu.txt"]
    build = [UV, "build", "--quiet", "--wheel", "--out-dir", str(folder)]
    for command in (
        [*build, "."],
        [UV, "venv", "--quiet", "--python", sys.executable, str(folder / "venv")],
        [*install, *pins],
    ):
        subprocess.run(command, cwd=ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*install, "--no-deps", str(wheel)], check=True)
    return python


def run(python, *arguments, **variables):
    """Run in an environment without our folders and settings."""
    kept = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    command = [python, *arguments]
    done = subprocess.run(
        command, cwd="/", env=kept | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_wheel_captions_a_shard_without_airflow(python, tmp_path):
    store = open_store_url(tmp_path.as_uri())
    put_shard(store, "sa_000000", {number: make_jpeg(number) for number in range(1, 9)})
    demo_campaign(store)
    program = str(Path(python).with_name("sa1b-captions"))
    output = run(
        *(program, "caption", "--shards", "0", "--engine", "preview"),
        CAPTIONS_ROOT=tmp_path.as_uri(),
        CAPTIONS_CAMPAIGN="test",
    )
    result = json.loads(output.splitlines()[-1])
    assert set(result["shards"]) == {"sa_000000"}
    for track in TRACKS:
        assert store.exists(f"campaigns/test/captions/{track}/sa_000000/receipt.json")


def test_the_wheel_brings_its_recipe_and_profiles_and_no_airflow(python):
    code = """
import importlib.util
from sa1b_captions.settings.profiles import profile_names
from sa1b_captions.recipe import load_recipe
load_recipe("internvl")
assert "cpu-preview" in profile_names()
for name in ("airflow", "great_expectations", "pandas", "polars"):
    assert importlib.util.find_spec(name) is None, name
"""
    run(python, "-c", code)


def test_a_stage_that_needs_more_is_refused_in_one_line(python):
    code = """
import subprocess, sys
done = subprocess.run([sys.argv[1], "curate", "--shards", "0"], capture_output=True, text=True)
assert done.returncode == 65, done
assert "a worker image captions" in done.stderr.splitlines()[-1], done
"""
    run(python, "-c", code, str(Path(python).with_name("sa1b-captions")))
