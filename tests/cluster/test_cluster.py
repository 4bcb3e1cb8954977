"""`make test-cluster IMAGE=…`: `caption_shards` on the cluster that KUBECONFIG points at.

Everything but the caption pods and their store runs on this machine.
"""

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest
from airflow.dag_processing.dagbag import DagBag
from pyarrow import BufferReader

from demo.archives import build_archives
from sa1b_captions.settings.profiles import load_profile
from sa1b_captions.storage import open_store_url
from tests.cluster.namespace import ThrowAwayNamespace

ROOT = Path(__file__).parents[2]
SHARDS = ("sa_000000", "sa_000001")
PODS = "app.kubernetes.io/name=sa1b-captions"
NEEDS = (
    "make test-cluster needs a cluster and an image: KUBECONFIG names a kubeconfig file whose "
    "context may create namespaces, roles and priority classes; IMAGE, a worker image that its "
    "nodes can pull, with tag or digest, for example\n"
    "    KUBECONFIG=~/.kube/config make test-cluster IMAGE=registry.example/sa1b-worker-cpu:0.2.0"
)


PROFILE = load_profile("cpu-preview")
ROOM = (
    f"make test-cluster needs room for a pod of {PROFILE.cpus} CPU, "
    f"{PROFILE.memory_gib} GiB of memory and {PROFILE.scratch_gib + 1} GiB of disk, beside a store "
    "of half a CPU and 512 MiB, on a node without taints that can pull IMAGE: one of 2 CPUs and "
    "4 GiB will do. It needs no storage class"
)


def wait_for(namespace, name, done):
    """The pod, once it has come so far; a node that must be started first gets the time for it."""
    deadline = time.monotonic() + float(os.environ.get("PATIENCE_S", "180"))
    while not done(pod := namespace.read_pod(name)):
        if time.monotonic() > deadline:
            pytest.fail(f"pod {name}: {why_pending(pod)}\n{ROOM}", pytrace=False)
        time.sleep(1)
    return pod


def why_pending(pod):
    for condition in pod.status.conditions or ():
        if condition.type == "PodScheduled" and condition.status == "False":
            return f"no node takes it: {condition.message}"
    for status in pod.status.container_statuses or ():
        if status.state.waiting:
            return f"{status.state.waiting.reason}: {status.state.waiting.message}"
    return f"it is {pod.status.phase}"


@pytest.fixture(scope="module")
def namespace():
    kubeconfig, image = os.environ.get("KUBECONFIG"), os.environ.get("IMAGE")
    if not kubeconfig or not image or not Path(kubeconfig).expanduser().is_file():
        pytest.fail(NEEDS, pytrace=False)
    made = ThrowAwayNamespace(str(Path(kubeconfig).expanduser()), image)
    try:
        made.apply_manifests()
        yield made
    finally:
        made.delete()


@pytest.fixture(scope="module")
def endpoint(namespace):
    """Where this machine reaches the store; the pods' Secret says where they do."""
    port = 20000 + secrets.randbelow(10000)
    namespace.start_store(port)
    pod = wait_for(
        namespace, "store", lambda pod: pod.status.phase == "Running" and pod.status.pod_ip
    )
    # As large as a caption pod: that there is no room for one is said now, not in half an hour.
    resources = {"cpu": str(PROFILE.cpus), "memory": f"{PROFILE.memory_gib}Gi"}
    namespace.start_pod("room", ["python3", "-c", ""], {"limits": resources})
    wait_for(namespace, "room", lambda pod: pod.status.phase in ("Running", "Succeeded"))
    in_cluster = f"http://{pod.status.pod_ip}:{port}"
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    secret = keys | {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": in_cluster}
    namespace.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "sa1b-store"},
            "stringData": secret,
        }
    )
    time.sleep(2)  # the server's own start
    with namespace.reach(pod.status.pod_ip, port) as (host, here):
        os.environ |= secret | {"AWS_ENDPOINT_URL_S3": f"http://{host}:{here}"}
        yield os.environ["AWS_ENDPOINT_URL_S3"]


@pytest.fixture(scope="module")
def links(tmp_path_factory, free_port):
    """Tiny archives behind HTTP on this machine, and a links file to them."""
    folder = tmp_path_factory.mktemp("archives")
    build_archives(folder, short_side_px=60)
    command = [sys.executable, "-m", "http.server", str(free_port), "--bind", "127.0.0.1"]
    server = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{free_port}"
    while True:
        try:
            httpx.head(url, trust_env=False)
            break
        except httpx.HTTPError:
            time.sleep(0.1)
    path = folder / "links.tsv"
    expiry = f"{int(time.time()) + 86400:x}"
    rows = [f"{shard}.tar\t{url}/{shard}.tar?oh=1&oe={expiry}" for shard in SHARDS]
    path.write_text("\n".join(["file_name\tcdn_link", *rows]))
    yield path
    server.terminate()
    server.wait()


def captions(store):
    rows = [
        row
        for key in store.list("campaigns/test/captions/")
        if key.endswith(".parquet")
        for row in pq.read_table(BufferReader(store.read(key))).to_pylist()
    ]
    found = {row["sample_id"]: (row["caption"], row["status"]) for row in rows}
    assert len(found) == len(rows)
    return found


def kill_half_way(namespace, store, killed, stop):
    """Delete a caption pod, without grace, as soon as a block is written.

    It is the pod that wrote it or, where that was quicker than this, the next one.
    """
    while not stop.wait(0.2):
        if any(key.endswith(".parquet") for key in store.list("campaigns/test/captions/")):
            pods = namespace.core.list_namespaced_pod(namespace.name, label_selector=PODS).items
            for pod in pods:
                if pod.status.phase in ("Pending", "Running"):
                    namespace.core.delete_namespaced_pod(
                        pod.metadata.name, namespace.name, grace_period_seconds=0
                    )
                    killed.append(pod.metadata.name)
                    return


@pytest.mark.timeout(1800)
def test_pods_of_a_cluster_make_the_captions_of_this_machine(
    namespace, endpoint, links, airflow_db, monkeypatch, tmp_path
):
    connection = {
        "conn_type": "kubernetes",
        "extra": {"kube_config_path": namespace.kubeconfig},
    }
    for name, value in {
        "AIRFLOW_CONN_KUBERNETES_DEFAULT": json.dumps(connection),
        "CAPTIONS_LINKS": str(links),
        "CAPTIONS_ROOT": "s3://captions/data",
        "CAPTIONS_RUNTIME": "pod",
        "CAPTIONS_GPU_PROFILE": "cpu-preview",
        "CAPTIONS_NAMESPACE": namespace.name,
        "CAPTIONS_WORKER_IMAGE": namespace.image,
    }.items():
        monkeypatch.setenv(name, value)
    store = open_store_url("s3://captions/data")
    killed, stop = [], threading.Event()
    killer = threading.Thread(target=kill_half_way, args=(namespace, store, killed, stop))
    killer.start()
    try:
        run = DagBag(str(ROOT / "dags")).dags["caption_shards"].test(run_conf={"shards": "0-1"})
    finally:
        stop.set()
        killer.join()
    states = {(t.task_id, t.map_index): str(t.state) for t in run.get_task_instances()}
    assert run.state == "success", states
    assert killed, "no pod was killed: all were done before it could be"
    assert captions(store) == captions_of_this_machine(links, tmp_path)
    left = namespace.core.list_namespaced_pod(namespace.name, label_selector=PODS).items
    assert [pod.metadata.name for pod in left if pod.status.phase == "Succeeded"] == []


def captions_of_this_machine(links, folder):
    environment = os.environ | {"CAPTIONS_ROOT": folder.as_uri(), "CAPTIONS_LINKS": str(links)}
    for stage in ("ingest", "caption"):
        command = [sys.executable, "-m", "sa1b_captions", stage, "--shards", "0-1"]
        subprocess.run(command, env=environment, check=True, capture_output=True)
    return captions(open_store_url(folder.as_uri()))
