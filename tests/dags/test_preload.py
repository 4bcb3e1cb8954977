"""What the processes that fork tasks and parsers import for them."""

import json
import os
import subprocess
import sys

from tests.support.deployment import ROOT

CODE = """
import json, sys
import airflow.executors.local_executor
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

folder = sys.argv[1]
said, before = {}, set(sys.modules)

def imported(title):
    global before
    found = {name.split(".")[0] for name in set(sys.modules) - before}
    said[title], before = sorted(found), set(sys.modules)

for command in ("triggerer", "scheduler"):
    sys.argv = ["airflow", command]
    SchedulerJobRunner(Job())
    imported(command)
bag = BundleDagBag(
    dag_folder=f"{folder}/caption_shards.py",
    safe_mode=False,
    load_op_links=False,
    bundle_path=folder,
    bundle_name="dags-folder",
)
assert bag.dags, bag.import_errors
imported("parse")
print(json.dumps(said))
"""
POD = {
    "CAPTIONS_RUNTIME": "pod",
    "CAPTIONS_ROOT": "s3://sa1b/captions",
    "CAPTIONS_WORKER_IMAGE": "registry.example/sa1b-captions-worker-cpu:0.2.0",
    "CAPTIONS_GPU_PROFILE": "cpu-preview",
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
}
HEAVY = {"kubernetes", "kubernetes_asyncio", "aiohttp", "boto3", "botocore"}


def test_tasks_find_imported_what_their_dag_costs_most():
    """In a process of its own: here everything is imported already."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(ROOT / "dags")],
        env=os.environ | POD,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = {title: set(names) for title, names in json.loads(done.stdout.splitlines()[-1]).items()}
    assert not said["triggerer"] & HEAVY
    assert said["scheduler"] >= HEAVY
    assert not said["parse"] & HEAVY


def test_only_what_forks_imports_for_others():
    from sa1b_operators.preload import forks

    assert forks("scheduler", "LocalExecutor")
    assert forks("scheduler", "LocalExecutor,KubernetesExecutor")
    assert not forks("scheduler", "KubernetesExecutor")
    assert forks("dag-processor", "KubernetesExecutor")
    assert not forks("triggerer", "LocalExecutor")
