"""Both DAGs through `dag.test()`, on a folder and on S3: links file in, release out."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import boto3
import httpx
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from moto.server import ThreadedMotoServer

from demo.archives import build_archives
from sa1b_captions import layout
from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.release.verify import verify_release
from sa1b_captions.storage import open_store_url

DEMO = Path(__file__).parents[2] / "demo"
CAPTIONS = "campaigns/test/captions"
RECIPE = load_recipe(str(DEMO.parent / "tests" / "support" / "two_shards.toml"))


@pytest.fixture(scope="module")
def links(tmp_path_factory, free_port):
    """Tiny archives behind a real HTTP server with Range, and a links file to them."""
    folder = tmp_path_factory.mktemp("archives")
    build_archives(folder, short_side_px=60)
    command = [sys.executable, "-m", "uvicorn", "demo.archive_server:app", "--port", str(free_port)]
    server = subprocess.Popen(
        command,
        env=os.environ | {"DEMO_ARCHIVES": str(folder), "PYTHONPATH": str(DEMO.parent)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{free_port}"
    for _ in range(100):
        try:
            httpx.head(url, trust_env=False)
            break
        except httpx.HTTPError:
            time.sleep(0.1)
    expiry = f"{int(time.time()) + 86400 * 20:x}"
    path = folder / "links.tsv"
    path.write_text(
        "file_name\tcdn_link\n"
        + "\n".join(f"{s}.tar\t{url}/{s}.tar?oh=1&oe={expiry}" for s in RECIPE.shards)
    )
    yield path
    server.terminate()
    server.wait()


@pytest.fixture
def folder(tmp_path, monkeypatch, links):
    """A store in a folder, and the settings that point at it."""
    monkeypatch.setenv("CAPTIONS_LINKS", str(links))
    monkeypatch.setenv("CAPTIONS_ROOT", (tmp_path / "store").as_uri())
    return open_store_url((tmp_path / "store").as_uri())


@pytest.fixture
def bucket(monkeypatch, links):
    """A store on S3, and the settings that point at it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "CAPTIONS_LINKS": str(links),
        "CAPTIONS_S3_ENDPOINT_URL": endpoint,
        "CAPTIONS_ROOT": "s3://captions/data",
    }.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="captions")
    yield open_store_url("s3://captions/data", endpoint)
    server.stop()


def states(run):
    return {(t.task_id, t.map_index): str(t.state) for t in run.get_task_instances()}


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_links_file_to_release(dag_bag, run_dag, request, kind):
    store = request.getfixturevalue(kind)
    run = run_dag(dag_bag.dags["caption_shards"], run_conf={"shards": "0-1"})
    assert run.state == DagRunState.SUCCESS, states(run)
    assert states(run)["publish", 1] == "success"

    again = run_dag(dag_bag.dags["caption_shards"], run_conf={"shards": "0-1"})
    assert again.state == DagRunState.SUCCESS
    for index in (0, 1):
        assert states(again)["shard.ingest", index] == "skipped"
        assert states(again)["shard.caption", index] == "skipped"
        assert states(again)["publish", index] == "skipped"

    released = run_dag(dag_bag.dags["release_dataset"])
    assert released.state == DagRunState.SUCCESS, states(released)
    assert states(released)["gate", -1] == "skipped"
    check_release(store, "v1")


def check_release(store, version):
    manifest = json.loads(store.read(f"releases/{version}/manifest.json"))
    assert store.read("releases/LATEST").decode().strip() == version
    assert verify_release(store, version) == []
    for track in TRACKS:
        name = RECIPE.tracks[track].release_file
        lines = store.read(f"releases/{version}/{name}").decode().splitlines()
        rows = [json.loads(line) for line in lines]
        assert len(rows) == manifest["rows"][name] > 0
        assert [row["id"] for row in rows] == list(range(len(rows)))
        captions = [row["conversations"][1]["value"] for row in rows]
        assert len(set(captions)) == len(captions)


def test_a_wrong_archive_fails_its_shard_and_not_its_neighbour(
    dag_bag, run_dag, folder, links, monkeypatch, tmp_path
):
    """Shard 1's link leads nowhere: shard 0 is published, shard 1 says why it is not."""
    broken = tmp_path / "links.tsv"
    shutil.copy(links, broken)
    broken.write_text(broken.read_text().replace("sa_000001.tar?", "nothing.tar?"))
    monkeypatch.setenv("CAPTIONS_LINKS", str(broken))
    run = run_dag(dag_bag.dags["caption_shards"], run_conf={"shards": "0-1"})
    assert run.state == DagRunState.FAILED
    found = states(run)
    assert found["shard.ingest", 1] == "failed"
    assert found["shard.caption", 1] == "upstream_failed"
    assert found["publish", 0] == "success"
    assert found["publish", 1] == "skipped"  # the red task is the one that has the reason
    assert found["done", -1] == "upstream_failed"


def test_a_run_that_could_not_do_a_shard_again_fails(
    dag_bag, run_dag, folder, monkeypatch, tmp_path
):
    dag = dag_bag.dags["caption_shards"]
    assert run_dag(dag, run_conf={"shards": "0"}).state == DagRunState.SUCCESS
    (tmp_path / "links.tsv").write_text("file_name\tcdn_link\n")
    monkeypatch.setenv("CAPTIONS_LINKS", str(tmp_path / "links.tsv"))
    again = run_dag(dag, run_conf={"shards": "0", "force": True})
    assert states(again)["shard.ingest", 0] == "failed"
    assert states(again)["publish", 0] == "skipped"
    assert again.state == DagRunState.FAILED


def test_the_form_goes_back_to_the_captions_before(dag_bag, run_dag, folder):
    """Only what that leaves stale is done again, and a shard that cannot go back is refused."""
    dag = dag_bag.dags["caption_shards"]
    for conf in ({"shards": "0-1"}, {"shards": "0", "force": True, "tracks": ["single_en"]}):
        done = run_dag(dag, run_conf=conf)
        assert done.state == DagRunState.SUCCESS, states(done)

    def generation():
        receipt = json.loads(folder.read(f"{CAPTIONS}/single_en/sa_000000/receipt.json"))
        return receipt["generation"]

    assert generation().startswith("0002-")
    back = run_dag(dag, run_conf={"shards": "0", "restore": True})
    assert back.state == DagRunState.SUCCESS, states(back)
    assert generation() == "0001"
    found = states(back)
    assert {found[f"shard.{stage}", 0] for stage in ("ingest", "caption", "curate")} == {"success"}
    assert found["publish", 0] == "success"
    assert note_of(back) == "1 shard: went back to the captions before in 1 track"

    before = {key: folder.read(key) for key in folder.list("campaigns/")}
    refused = run_dag(dag, run_conf={"shards": "1", "restore": True})
    assert refused.state == DagRunState.FAILED
    assert states(refused)["plan", -1] == "failed"
    assert {state for (task, _), state in states(refused).items() if task != "plan"} == {
        "skipped",
        "upstream_failed",  # `done`, which stands for the run
    }
    assert note_of(refused).startswith("refused: sa_000001: no other captions counted before in ")
    assert {key: folder.read(key) for key in folder.list("campaigns/")} == before


def note_of(run):
    with create_session() as session:
        return session.get(DagRun, run.id).note


def test_a_run_whose_tracks_were_not_made_fails_though_others_are_there(dag_bag, run_dag, folder):
    dag = dag_bag.dags["caption_shards"]
    first = run_dag(dag, run_conf={"shards": "0", "tracks": ["single_en"]})
    assert first.state == DagRunState.SUCCESS, states(first)
    assert states(first)["publish", 0] == "skipped"
    no_endpoint = {"shards": "0", "tracks": ["single_zh"], "engine": "openai"}
    second = run_dag(dag, run_conf=no_endpoint)
    assert states(second)["plan", -1] == "failed"
    assert states(second)["publish", -1] == "skipped"
    assert second.state == DagRunState.FAILED


def test_raw_archives_are_dropped_by_setting_and_come_back(
    run_dag, airflow_db, folder, monkeypatch
):
    monkeypatch.setenv("CAPTIONS_DROP_RAW", "true")
    dag = DagBag(str(DEMO.parent / "dags")).dags["caption_shards"]
    archive = layout.archive_key("sa_000000")
    run = run_dag(dag, run_conf={"shards": "0"})
    assert run.state == DagRunState.SUCCESS, states(run)
    assert states(run)["drop", -1] == "success"
    assert not folder.exists(archive)

    command = [sys.executable, "-m", "sa1b_captions", "ingest", "--shards", "0", "--force"]
    assert subprocess.run(command, check=False).returncode == 0
    assert folder.exists(archive)
