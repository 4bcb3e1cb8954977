"""`make test-cluster`'s own code, against a cluster whose pods are processes of this machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.fake_kubernetes import FakeKubernetes
from tests.support.process_kubernetes import ProcessKubernetes

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "tests" / "cluster"


def run(**variables):
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("CAPTIONS_", "AIRFLOW", "AWS"))
    }
    command = [sys.executable, "-m", "pytest", "-q", "--show-capture=no", str(CLUSTER)]
    return subprocess.run(
        command,
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def test_without_a_cluster_it_says_what_it_needs():
    done = run(KUBECONFIG="", IMAGE="")
    assert done.returncode != 0
    assert "KUBECONFIG names a kubeconfig file" in done.stdout


def test_a_cluster_without_room_is_told_early_what_is_needed(tmp_path):
    cluster = FakeKubernetes()
    refused = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: Insufficient cpu"}
    cluster.statuses = [{"phase": "Pending", "conditions": [refused]}]
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(cluster.kube_config()))
    try:
        done = run(KUBECONFIG=str(kubeconfig), IMAGE="registry.example/cpu:1", PATIENCE_S="2")
    finally:
        cluster.close()
    assert done.returncode != 0
    assert "no node takes it: 0/1 nodes: Insufficient cpu" in done.stdout
    assert "needs room for a pod of 1 CPU, 2 GiB of memory and 5 GiB of disk" in done.stdout
    assert "one of 2 CPUs and 4 GiB will do" in done.stdout


def test_it_applies_runs_kills_compares_and_cleans_up(tmp_path):
    cluster = ProcessKubernetes()
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(cluster.kube_config()))
    try:
        done = run(KUBECONFIG=str(kubeconfig), IMAGE="registry.example/worker-cpu:0.2.0")
    finally:
        cluster.close()
    assert done.returncode == 0, done.stdout[-5000:]
    captioned = [p for p in cluster.created if p["metadata"]["name"].startswith("sa1b-caption-")]
    assert len(captioned) == 3
    kinds = {document["kind"] for document in cluster.applied}
    assert {"Namespace", "Role", "RoleBinding", "ResourceQuota", "PriorityClass"} <= kinds
    assert cluster.pods == {}
