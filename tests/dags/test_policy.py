"""What every DAG here keeps to, and what the two of them look like."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization

from sa1b_operators.local import LocalStageOperator

DAGS = Path(__file__).parents[2] / "dags"
CHEAP = {"typing", "airflow", "sa1b_captions", "sa1b_operators", "datetime"}
LEAVES = {"plurals", "recipe", "settings", "shards", "errors"}


def test_every_dag_file_loads(dag_bag):
    assert dag_bag.import_errors == {}
    assert set(dag_bag.dags) == {"caption_shards", "release_dataset"}


def test_every_dag_is_a_manual_with_owner_retries_and_timeouts(dag_bag):
    for dag in dag_bag.dags.values():
        assert dag.doc_md.startswith(f"# {dag.dag_id}")
        assert dag.tags
        assert dag.catchup is False
        for task in dag.tasks:
            assert task.owner == "data-team", task.task_id
            judges = task.task_id in (
                "pack",
                "route",
                "start",
            )  # they only decide: nothing to retry
            assert task.retries >= (0 if judges else 2), task.task_id
            assert task.execution_timeout or task.task_id == "gate", task.task_id


def test_every_task_is_explained_in_its_dags_manual(dag_bag):
    for dag in dag_bag.dags.values():
        for task in dag.tasks:
            assert f"| `{task.task_id}` |" in dag.doc_md


def test_dags_survive_serialization(dag_bag):
    for dag in dag_bag.dags.values():
        copy = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
        assert copy.dag_id == dag.dag_id


@pytest.mark.parametrize("path", sorted(DAGS.glob("*.py")), ids=lambda path: path.name)
def test_dag_files_import_only_airflow_and_cheap_leaves(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        for name in names:
            parts = name.split(".")
            assert parts[0] in CHEAP, name
            assert parts[0] != "sa1b_captions" or parts[1] in LEAVES, name


def test_parsing_opens_no_connection_and_imports_nothing_heavy(airflow_db):
    """Parse both files in a fresh process whose sockets raise."""
    code = f"""
import socket, sys
def refuse(*a, **k): raise AssertionError("network at parse time")
socket.socket.connect = refuse
from airflow.dag_processing.dagbag import DagBag
bag = DagBag({str(DAGS)!r})
assert not bag.import_errors, bag.import_errors
# boto3 is Airflow's: it asks the Amazon provider, for remote logs, about the URI of every asset.
heavy = {{"great_expectations", "torch", "lmdeploy", "polars", "pyarrow"}}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_the_stages_of_a_shard_follow_each_other(dag_bag):
    dag = dag_bag.dags["caption_shards"]
    assert dag.get_task("plan").downstream_task_ids == {"pack", "done"}
    assert dag.get_task("pack").downstream_task_ids >= {"shard.ingest"}
    assert dag.get_task("shard.ingest").downstream_task_ids == {"shard.caption"}
    assert dag.get_task("shard.caption").downstream_task_ids == {"shard.curate"}
    assert dag.get_task("shard.curate").downstream_task_ids == {"validate", "done"}
    assert dag.get_task("validate").downstream_task_ids == {"results", "done"}
    assert dag.get_task("publish").downstream_task_ids == {"done"}
    assert dag.get_task("shard.ingest").pool == "download"
    assert dag.get_task("shard.caption").pool == "gpu"


def test_a_recipe_with_an_audit_has_its_task_behind_curate(airflow_db, tmp_path):
    (tmp_path / "audited.toml").write_text('base = "internvl"\n[audit]\n')
    code = f"""
from airflow.dag_processing.dagbag import DagBag
bag = DagBag({str(DAGS)!r})
assert not bag.import_errors, bag.import_errors
dag = bag.dags["caption_shards"]
assert dag.get_task("shard.curate").downstream_task_ids == {{"shard.audit"}}
assert dag.get_task("shard.audit").downstream_task_ids == {{"validate", "done"}}
print(dag.get_task("shard.audit").arguments)
"""
    variables = {
        "CAPTIONS_RECIPE": str(tmp_path / "audited.toml"),
        "CAPTIONS_JUDGE_ENGINE": "openai",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | variables,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "'--engine', 'openai'" in done.stdout.strip().splitlines()[-1]


def test_every_stage_of_the_local_runtime_has_the_operator_of_processes(dag_bag):
    stages = [
        task
        for dag in dag_bag.dags.values()
        for task in dag.tasks
        if task.task_id.rpartition(".")[2]
        in ("ingest", "caption", "curate", "validate", "check", "dedup", "export")
    ]
    assert len(stages) == 8
    assert all(getattr(task, "operator_class", type(task)) is LocalStageOperator for task in stages)


def test_the_release_waits_for_exactly_the_recipes_shards(dag_bag):
    dag = dag_bag.dags["release_dataset"]
    window = dag.timetable.default_partition_mapper.window
    assert window._segments == {"sa_000000", "sa_000001"}


def test_raw_shards_are_dropped_only_by_setting_and_after_the_reports(dag_bag, monkeypatch):
    assert not dag_bag.dags["caption_shards"].has_task("drop")
    monkeypatch.setenv("CAPTIONS_DROP_RAW", "true")
    file = dag_bag.dags["caption_shards"].fileloc
    dropping = type(dag_bag)(file).dags["caption_shards"].get_task("drop")
    assert dropping.upstream_task_ids == {"validate"}
    assert dropping.arguments[0] == "drop"


class FinishedTask:
    """What `ti` is to the branch: the result of the validate task."""

    def __init__(self, verdict):
        self.result = {"verdict": verdict}

    def xcom_pull(self, task_ids):
        assert task_ids == "validate"
        return self.result


@pytest.mark.parametrize(("verdict", "task"), [("pass", "export"), ("warn", "gate")])
def test_only_warnings_ask_a_person(dag_bag, verdict, task):
    dag = dag_bag.dags["release_dataset"]
    assert dag.get_task("route").python_callable(ti=FinishedTask(verdict)) == task
    assert dag.get_task("gate").options_mapping == {"Release": "export", "Hold": "hold"}
    assert dag.get_task("gate").defaults == ["Hold"]


def test_a_failed_check_stops_the_release(dag_bag):
    route = dag_bag.dags["release_dataset"].get_task("route")
    with pytest.raises(AirflowFailException, match="open the quality report"):
        route.python_callable(ti=FinishedTask("fail"))
