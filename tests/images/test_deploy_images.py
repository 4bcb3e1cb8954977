"""The images of deploy/, built and then run the way a pod runs them: `make test-images`.

PYTHON_IMAGE, LMDEPLOY_IMAGE and AIRFLOW_IMAGE name other bases; STAND_INS=1 makes stand-ins.
"""

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from builders import demo_campaign, make_jpeg, put_shard
from images import engine
from sa1b_captions import records
from sa1b_captions.recipe import TRACKS
from sa1b_captions.storage import open_store_url

BASES = {
    "worker-cpu": ["python"],
    "worker": ["python", "lmdeploy"],
    "airflow": ["python", "airflow"],
}
WORKERS = ["worker-cpu", "worker"]
CAPTION = ["caption", "--shards", "0", "--engine"]


@functools.cache
def image(name):
    """Tag of an image of deploy/, built once."""
    bases = {f"{base.upper()}_IMAGE": engine.base(base) for base in BASES[name]}
    file = engine.ROOT / f"deploy/Dockerfile.{name}"
    return engine.build(f"localhost/sa1b-captions-{name}:test", file, engine.ROOT, **bases)


def pod(image, *command, check=True, flags=()):
    return engine.run(image, *command, flags=[*engine.POD, *flags], check=check)


def shell(image, script, **options):
    return pod(image, "-c", script, flags=["--entrypoint=sh", *options.pop("flags", ())], **options)


def ingested(folder):
    """A store with one small shard that any user may caption."""
    store = open_store_url(folder.as_uri())
    put_shard(store, "sa_000000", {number: make_jpeg(number) for number in range(1, 9)})
    demo_campaign(store)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777)
    return store


def settings(folder):
    return [f"--volume={folder}:/store", "--env=CAPTIONS_ROOT=file:///store", CAMPAIGN]


CAMPAIGN = "--env=CAPTIONS_CAMPAIGN=test"


def captions(store):
    keys = [
        key
        for track in TRACKS
        for key in store.list(f"campaigns/test/captions/{track}/sa_000000/part-")
    ]
    rows = [row for key in keys for row in records.read_table(store, key).to_pylist()]
    return {row["sample_id"]: (row["status"], row["caption"]) for row in rows}


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_captions_like_this_checkout(name, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        ingested(folder)
    pod(image(name), *CAPTION, "preview", flags=settings(there))
    subprocess.run(
        [Path(sys.executable).with_name("sa1b-captions"), *CAPTION, "preview"],
        env={"CAPTIONS_ROOT": here.as_uri(), "CAPTIONS_CAMPAIGN": "test"},
        capture_output=True,
        check=True,
    )
    made = captions(open_store_url(there.as_uri()))
    assert len(made) == 17
    assert made == captions(open_store_url(here.as_uri()))


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_has_no_airflow_and_nothing_that_it_may_write_but_scratch(name):
    assert (
        "No module named" in shell(image(name), "python3 -c 'import airflow'", check=False).stderr
    )
    writable = r"find / -xdev -writable ! -type l ! -path '/tmp*' ! -path '/proc*' ! -path '/dev*'"
    found = engine.run(
        image(name), "-c", f"{writable} 2>/dev/null || true", flags=[*USER, "--entrypoint=sh"]
    )
    assert set(found.stdout.split()) <= {"/run/lock", "/var/tmp"}


# The image's own user on a writable root.
USER = ["--cap-drop=ALL", *engine.LIMITS]


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_has_a_home_and_a_name_wherever_it_runs(name):
    assert shell(image(name), 'touch "$HOME/x" && echo "$HOME"').stdout == "/tmp\n"
    shell(image(name), "python3 -c 'import getpass; getpass.getuser()'")


def test_the_cpu_worker_has_the_pinned_versions():
    pins = set((engine.ROOT / "requirements-dev.txt").read_text().split())
    freeze = "python3 -m pip freeze --exclude sa1b-captions"
    installed = shell(image("worker-cpu"), freeze).stdout.lower().replace("_", "-").split()
    assert "openai" in {line.partition("==")[0] for line in installed}
    assert [line for line in installed if line not in pins] == []


def test_the_gpu_worker_keeps_the_versions_that_lmdeploy_came_with():
    before, after = (
        set(shell(tag, "python3 -m pip freeze").stdout.split())
        for tag in (engine.base("lmdeploy"), image("worker"))
    )
    assert before < after


def test_the_gpu_worker_says_what_it_lacks(tmp_path):
    ingested(tmp_path)
    done = pod(image("worker"), *CAPTION, "lmdeploy", flags=settings(tmp_path), check=False)
    assert done.returncode == 65
    assert "CAPTIONS_MODEL_PATH is not set" in done.stderr


def test_airflow_loads_our_dags():
    script = """
    (airflow db migrate && airflow dags reserialize) >&2
    airflow dags list -o json
    airflow dags list-import-errors >&2
    curl --version >&2 && hostname >&2  # for the health checks of compose
    """
    root = ["--env=CAPTIONS_ROOT=file:///tmp/store"]
    done = engine.run(image("airflow"), "bash", "-euc", script, flags=root)
    names = {dag["dag_id"] for dag in json.loads(done.stdout.splitlines()[-1])}
    assert names == {"caption_shards", "release_dataset"}, done.stderr
