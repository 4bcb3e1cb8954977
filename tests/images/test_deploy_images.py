"""The images of deploy/, built and then run the way a pod runs them: `make test-images`.

PYTHON_IMAGE, LMDEPLOY_IMAGE and AIRFLOW_IMAGE name other bases; STAND_INS=1 makes stand-ins.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sa1b_captions import records
from sa1b_captions.recipe import TRACKS
from sa1b_captions.storage import open_store_url
from tests.images.engine import POD, ROOT, RUN, base_image, call, image
from tests.support.builders import demo_campaign, make_jpeg, put_shard

pytestmark = pytest.mark.timeout(3600)  # lmdeploy's image is large
WORKERS = ["worker-cpu", "worker"]
CAPTION = ["caption", "--shards", "0", "--engine"]


def shell(tag, script, *flags, check=True):
    return call(*RUN, *POD, *flags, "--entrypoint=sh", tag, "-c", script, check=check)


def ingested(folder):
    """The settings of a store with one small shard that any user may caption."""
    store = open_store_url(folder.as_uri())
    put_shard(store, "sa_000000", {number: make_jpeg(number) for number in range(1, 9)})
    demo_campaign(store)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777)
    variables = ["--env=CAPTIONS_ROOT=file:///store", "--env=CAPTIONS_CAMPAIGN=test"]
    return [f"--volume={folder}:/store", *variables]


def captions(folder):
    store = open_store_url(folder.as_uri())
    parts = [
        records.read_table(store, key)
        for track in TRACKS
        for key in store.list(f"campaigns/test/captions/{track}/sa_000000/part-")
    ]
    rows = [row for part in parts for row in part.to_pylist()]
    return {row["sample_id"]: (row["status"], row["caption"]) for row in rows}


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_captions_like_this_checkout(name, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        flags = ingested(folder)
    call(*RUN, *POD, *flags, image(name), *CAPTION, "preview")
    subprocess.run(
        [Path(sys.executable).with_name("sa1b-captions"), *CAPTION, "preview"],
        env={"CAPTIONS_ROOT": here.as_uri(), "CAPTIONS_CAMPAIGN": "test"},
        capture_output=True,
        check=True,
    )
    assert len(captions(there)) == 17
    assert captions(there) == captions(here)


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_has_no_airflow_and_nothing_that_it_may_write_but_scratch(name):
    missing = shell(image(name), "python3 -c 'import airflow'", check=False)
    assert "No module named 'airflow'" in missing.stderr
    search = "find / -xdev -writable ! -type l ! -path '/tmp*' 2>/dev/null || true"
    found = call(*RUN, "--cap-drop=ALL", "--entrypoint=sh", image(name), "-c", search)
    assert set(found.stdout.split()) <= {"/run/lock", "/var/tmp"}


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_has_a_home_and_a_name_wherever_it_runs(name):
    assert shell(image(name), 'touch "$HOME/x" && echo "$HOME"').stdout == "/tmp\n"
    shell(image(name), "python3 -c 'import getpass; getpass.getuser()'")


def test_the_cpu_worker_has_the_pinned_versions():
    pins = set((ROOT / "requirements-dev.txt").read_text().split())
    freeze = shell(image("worker-cpu"), "python3 -m pip freeze --exclude sa1b-captions").stdout
    installed = set(freeze.lower().replace("_", "-").split())
    assert len(installed) > 20
    assert installed <= pins


def test_the_gpu_worker_keeps_the_versions_that_lmdeploy_came_with():
    base = base_image("lmdeploy", ROOT / "deploy/Dockerfile.worker")
    before, after = (
        set(shell(tag, "python3 -m pip freeze").stdout.split()) for tag in (base, image("worker"))
    )
    assert before < after


def test_the_gpu_worker_says_what_it_lacks(tmp_path):
    command = [*RUN, *POD, *ingested(tmp_path), image("worker"), *CAPTION, "lmdeploy"]
    done = call(*command, check=False)
    assert done.returncode == 65
    assert "CAPTIONS_MODEL_PATH is not set" in done.stderr


def test_the_lmdeploy_engine_passes_its_tests_in_the_gpu_worker():
    if shell(image("worker"), "python3 -c 'import pytest'", check=False).returncode:
        pytest.skip("lmdeploy's own image has no pytest; the stand-in has")
    tests = "cd /src && python3 -m pytest -p no:cacheprovider tests/lmdeploy_cpu"
    shell(image("worker"), tests, f"--volume={ROOT}:/src:ro")


def test_airflow_loads_our_dags():
    script = """
    (bash /opt/airflow/migrate.sh && airflow dags reserialize) >&2
    airflow pools list >&2
    airflow dags list -o json
    airflow dags list-import-errors >&2
    curl --version >&2 && hostname >&2  # for the health checks of compose
    """
    variables = ["CAPTIONS_ROOT=file:///tmp/store", "GPU_SLOTS=1", "DOWNLOAD_SLOTS=2"]
    given = [f"--env={each}" for each in variables]
    done = call(*RUN, *given, image("airflow"), "bash", "-euc", script)
    names = {dag["dag_id"] for dag in json.loads(done.stdout.splitlines()[-1])}
    assert names == {"caption_shards", "release_dataset"}, done.stderr
