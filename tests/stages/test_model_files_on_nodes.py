"""Scripts of the manifests that copy a model to a node, run with folders for volumes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sa1b_captions.recipe.model_files import lock_beside, lock_folder, replace_file, require_locked
from sa1b_captions.recipe.model_lock import render_lock
from tests.support.deployment import ROOT

COMMIT = "0" * 40
FOLDER = f"hub/models--lab--Tiny/snapshots/{COMMIT}"


@pytest.fixture
def volumes(tmp_path):
    """The model's volume as `model fetch` leaves it, and an empty one on the node."""
    folder = tmp_path / "models" / FOLDER
    folder.mkdir(parents=True)
    (tmp_path / "local").mkdir()
    (folder / "config.json").write_text("{}")
    lock = lock_folder(folder, "lab/Tiny", COMMIT)
    require_locked(folder, lock)
    replace_file(lock_beside(folder), render_lock(lock))
    return {"/models": tmp_path / "models", "/local": tmp_path / "local"}


def run(manifest, containers, volumes, **variables):
    documents = yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / manifest).read_text())
    (template,) = (one["spec"]["template"] for one in documents if "template" in one["spec"])
    container = template["spec"][containers][0]
    (script,) = container["args"]
    for volume, folder in volumes.items():
        script = script.replace(f"{volume}/", f"{folder}/").replace(f" {volume}\n", f" {folder}\n")
    for name, value in variables.items():
        script = script.replace(f"$({name})", value)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = {"PATH": path, "HOME": str(volumes["/local"].parent), **variables}
    return subprocess.run(
        [*container["command"], script], env=environ, capture_output=True, text=True
    )


def test_a_copy_on_a_node_is_hashed_and_stamped_and_a_damaged_one_fails_the_job(volumes):
    local = volumes["/local"] / FOLDER
    done = run("model-node-local.yaml", "containers", volumes)
    assert done.returncode == 0, done.stderr
    assert "hashing 1 file" in done.stderr
    stamp = local.parents[1] / f"{COMMIT}.verified.json"
    assert str((local / "config.json").stat().st_ino) in stamp.read_text()
    (local / "config.json").write_text("[]")
    done = run("model-node-local.yaml", "containers", volumes)
    assert done.returncode == 65
    assert "config.json has SHA-256" in done.stderr


def test_a_server_of_the_fleet_starts_with_what_is_locked_or_not_at_all(volumes):
    local = volumes["/local"] / FOLDER
    fleet = ("fleet/servers.yaml", "initContainers", volumes)
    done = run(*fleet, MODEL_FOLDER=FOLDER)
    assert done.returncode == 0, done.stderr
    assert (local / ".complete").exists()
    (local / ".complete").unlink()
    (local / "config.json").write_text("[]")
    assert run(*fleet, MODEL_FOLDER=FOLDER).returncode == 65
    assert not (local / ".complete").exists()


def test_a_model_that_was_not_fetched_by_this_package_is_copied_as_it_is(volumes):
    (volumes["/models"] / FOLDER).parents[1].joinpath(f"{COMMIT}.lock").unlink()
    assert run("model-node-local.yaml", "containers", volumes).returncode == 0
    done = run("fleet/servers.yaml", "initContainers", volumes, MODEL_FOLDER=FOLDER)
    assert done.returncode == 0, done.stderr
    assert (volumes["/local"] / FOLDER / ".complete").exists()
