"""`caption_shards` in pods: a real scheduler and triggerer, S3, and pods that run as processes."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import boto3
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from pyarrow import BufferReader

from demo.airflow_api import AirflowApi, wait_until
from demo.archives import build_archives
from demo.processes import start, stop
from demo.workspace import REPOSITORY, Workspace
from sa1b_captions import layout
from sa1b_captions.receipts.receipt_files import caption_place, require_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.storage import open_store_url
from tests.support.process_kubernetes import ProcessKubernetes

SHARDS = ("sa_000000", "sa_000001")
KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}
EVICTED = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."}


@pytest.fixture(scope="module")
def cluster():
    made = ProcessKubernetes(secrets={"sa1b-store": KEYS})
    yield made
    made.close()


@pytest.fixture(scope="module")
def s3():
    """A bucket no other test uses, since all of moto in a process is one; returns its endpoint."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)
    client.create_bucket(Bucket="pods")
    yield endpoint
    server.stop()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, cluster, s3):
    """The demo's Airflow, told to caption in pods and to keep everything on S3."""
    connection = {"conn_type": "kubernetes", "extra": {"kube_config": cluster.kube_config()}}
    for_pods = {
        **KEYS,
        "AIRFLOW_CONN_KUBERNETES_DEFAULT": json.dumps(connection),
        "CAPTIONS_RECIPE": str(REPOSITORY / "tests" / "support" / "two_shards.toml"),
        "CAPTIONS_RUNTIME": "pod",
        "CAPTIONS_WORKER_IMAGE": "registry.example/sa1b-captions-worker-cpu:0.2.0",
        "CAPTIONS_GPU_PROFILE": "cpu-preview",
        "CAPTIONS_ROOT": "s3://pods/data",
        "CAPTIONS_S3_ENDPOINT_URL": s3,
    }

    class PodWorkspace(Workspace):
        def environment(self):
            return super().environment() | for_pods

    made = PodWorkspace(tmp_path_factory.mktemp("pods"), free_port(), free_port())
    made.prepare()
    build_archives(made.archives)
    made.write_links()
    start(made)
    yield made
    stop(made)


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def api(workspace):
    made = AirflowApi(workspace)
    assert wait_until(made.is_up, timeout_s=300)
    assert wait_until(lambda: made.has_dags({"caption_shards"}), timeout_s=120)
    for pool in ("download", "gpu"):
        made.set_pool(pool, 2, "")
    made.unpause("caption_shards")
    return made


@pytest.fixture(scope="module")
def store(s3):
    os.environ |= KEYS
    yield open_store_url("s3://pods/data", s3)
    for name in KEYS:
        del os.environ[name]


def parts(store, shard=""):
    """Every block part there is, by key."""
    prefix = "campaigns/demo/captions/"
    keys = [key for key in store.list(prefix) if key.endswith(".parquet") and shard in key]
    return {key: store.read(key) for key in keys}


def counted_parts(store):
    """The block parts that receipts name: those of each track's present generation."""
    found = {}
    for track in TRACKS:
        for shard in SHARDS:
            receipt = require_receipt(store, caption_place("demo", track, shard))
            for block in range(receipt.blocks):
                key = layout.part_key("demo", track, shard, receipt.generation, block)
                found[key] = store.read(key)
    return found


def captions(found):
    """Caption and status by sample."""
    rows = [row for data in found.values() for row in pq.read_table(BufferReader(data)).to_pylist()]
    by_sample = {row["sample_id"]: (row["caption"], row["status"]) for row in rows}
    assert len(by_sample) == len(rows)
    return by_sample


def end_half_way(cluster, store, shard, **how):
    """End a shard's first pod once it has written some blocks; returns those."""
    found = []

    def started():
        labels = {name: pod["metadata"]["labels"] for name, pod in [*cluster.pods.items()]}
        found[:] = [name for name in labels if labels[name]["sa1b-captions/shard"] == shard]
        return found

    assert wait_until(started, timeout_s=300, every_s=0.05)
    (name,) = found
    group = cluster.runs[name].process.pid
    # Let it run in short steps, or it would be done before it is looked at.
    while not parts(store, shard):
        os.killpg(group, signal.SIGCONT)
        time.sleep(0.05)
        os.killpg(group, signal.SIGSTOP)
    cluster.kill(name, **how)
    return parts(store, shard)


@pytest.fixture(scope="module")
def first(workspace, api, cluster, store):
    """A run whose two pods are ended half-way; what they had written by then."""
    run_id = api.trigger("caption_shards", {"shards": "0-1"})
    written = {}
    ends = [{"reason": "OOMKilled"}, {"status": EVICTED}]

    def end(shard, how):
        written[shard] = end_half_way(cluster, store, shard, **how)

    enders = [
        threading.Thread(target=end, args=pair, daemon=True)
        for pair in zip(SHARDS, ends, strict=True)
    ]
    for ender in enders:
        ender.start()
    assert finished(api, run_id) == "success", states(api, run_id)
    for ender in enders:
        ender.join(1)
    return run_id, written


def finished(api, run_id):
    """State in which the run ends."""
    ends = ("success", "failed")
    wait_until(lambda: api.run("caption_shards", run_id)["state"] in ends, timeout_s=400)
    return api.run("caption_shards", run_id)["state"]


def states(api, run_id):
    return {
        (task["task_id"], task["rendered_map_index"]): (task["state"], task["try_number"])
        for task in api.tasks("caption_shards", run_id)
    }


@pytest.mark.timeout(900)
def test_pods_that_end_half_way_are_followed_by_pods_that_finish(first, api, cluster):
    run_id, written = first
    assert set(written) == set(SHARDS)
    found = states(api, run_id)
    assert [found["shard.caption", shard] for shard in SHARDS] == [("success", 2)] * 2
    assert len(cluster.created) == 4


def test_what_was_written_is_not_captioned_again(first, store):
    _, written = first
    for shard, before in written.items():
        after = parts(store, shard)
        assert before
        assert len(before) < len(after)
        assert {key: after[key] for key in before} == before


def test_pods_make_the_captions_that_the_local_runtime_makes(first, store, workspace, tmp_path):
    environment = workspace.environment() | {
        "CAPTIONS_ROOT": tmp_path.as_uri(),
        "CAPTIONS_S3_ENDPOINT_URL": "",
    }
    # The archive server of this Airflow runs still.
    for stage in ("ingest", "caption"):
        command = [sys.executable, "-m", "sa1b_captions", stage, "--shards", "0-1"]
        subprocess.run(command, env=environment, check=True, capture_output=True)
    local = captions(parts(open_store_url(tmp_path.as_uri())))
    assert captions(parts(store)) == local
    assert {sample.partition("/")[0] for sample in local} == set(TRACKS)


def test_pods_that_succeed_are_deleted_and_those_that_fail_stay_for_a_look(first, cluster):
    ended = [pod["metadata"]["name"] for pod in cluster.created[:2]]
    assert sorted(cluster.pods) == sorted(ended)
    labels = [pod["metadata"]["labels"]["already_checked"] for pod in cluster.pods.values()]
    assert labels == ["True", "True"]


def test_the_task_log_says_why_a_pod_ended(first, api):
    run_id, _ = first
    for index, cause in enumerate(("ran out of memory", "was evicted: The node was low on memory")):
        path = f"dags/caption_shards/dagRuns/{run_id}/taskInstances/shard.caption/logs/1"
        assert cause in json.dumps(api.call("GET", path, params={"map_index": index}))


def test_one_pod_takes_several_shards(first, api, cluster, store):
    """One pod makes the first run's captions anew, beside them."""
    first_parts, pods = counted_parts(store), len(cluster.created)
    conf = {"shards": "0-1", "shards_per_pod": 2, "force": True}
    run_id = api.trigger("caption_shards", conf)
    assert finished(api, run_id) == "success", states(api, run_id)
    assert states(api, run_id)["shard.caption", "0-1"] == ("success", 1)
    (pod,) = cluster.created[pods:]
    assert pod["spec"]["activeDeadlineSeconds"] == 2 * 14400
    again = counted_parts(store)
    assert not first_parts.keys() & again.keys()
    assert captions(again) == captions(first_parts)
    published = [key for key in states(api, run_id) if key[0] == "publish"]
    assert sorted(published) == [("publish", shard) for shard in SHARDS]
