"""A laptop whose Airflow has no Kubernetes provider."""

import json
import subprocess
import sys

from tests.conftest import ROOT

WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

PROVIDER = "airflow.providers.cncf.kubernetes"
# Airflow finds providers by what their packages' metadata points at.
METADATA = ("airflow.providers.cncf", PROVIDER, PROVIDER + ".get_provider_info")

class Absent(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.startswith((PROVIDER, "kubernetes")) and name not in METADATA:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""


ECHO = "import json, sys; print(json.dumps({'got': sys.argv[1:]}))"


def run(code, **arguments):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT + code],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT / "plugins",
        **arguments,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip().splitlines()[-1]


def test_both_dags_load_and_a_stage_runs(airflow_db):
    found = run(f"""
import json
from airflow.dag_processing.dagbag import DagBag
bag = DagBag({str(ROOT / "dags")!r})
assert not bag.import_errors, bag.import_errors
task = bag.dags["release_dataset"].get_task("check")
task.arguments = ["status", "--require-done"]
task.command = [sys.executable, "-c", {ECHO!r}]
print(json.dumps([sorted(bag.dags), task.execute({{}})]))
""")
    assert json.loads(found) == [
        ["caption_shards", "release_dataset"],
        {"got": ["status", "--require-done"]},
    ]


def test_a_stage_in_a_pod_names_what_is_missing(airflow_db):
    found = run("""
from sa1b_operators.stage import stage
try:
    stage(runtime="pod", task_id="caption", arguments=["caption"])
except Exception as error:
    print(error)
""")
    assert found == (
        "CAPTIONS_RUNTIME=pod needs the package apache-airflow-providers-cncf-kubernetes, which "
        "is not installed here"
    )
