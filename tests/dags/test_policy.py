"""What every DAG here keeps to, and what the two of them look like."""

import ast
import copy
import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization

from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.settings import load_settings
from sa1b_operators import planning
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


def call_plan(dag_bag, **kwargs):
    return dag_bag.dags["caption_shards"].get_task("plan").python_callable(**kwargs)


@pytest.mark.parametrize(("day", "shards"), [(1, ["sa_000000"]), (2, ["sa_000001"])])
def test_a_date_stands_for_its_shards(dag_bag, day, shards):
    date = dt.datetime(2026, 11, day, tzinfo=dt.UTC)
    assert call_plan(dag_bag, logical_date=date, params={"shards": None}) == shards


def test_past_the_last_shard_the_run_skips_with_a_note(dag_bag):
    date = dt.datetime(2026, 11, 3, tzinfo=dt.UTC)
    with pytest.raises(AirflowSkipException, match="takes 2 shards at 1 a day"):
        call_plan(dag_bag, logical_date=date, params={"shards": None})


def test_named_shards_need_no_date(dag_bag):
    shards = call_plan(dag_bag, logical_date=None, params={"shards": "1"})
    assert shards == ["sa_000001"]


def test_neither_date_nor_shards_is_a_clear_failure(dag_bag):
    with pytest.raises(AirflowFailException, match="name the shards in the form"):
        call_plan(dag_bag, logical_date=None, params={"shards": None})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("abc", "'abc' does not select shards; write numbers, ranges or names"),
        ("9-2", "'9-2' runs backwards; write 2-9"),
        ("0-1;rm", "'0-1;rm' does not select shards"),
        ("0-2000", "sa_000002 is not a shard of recipe"),
        (",", "no shards selected"),
    ],
)
def test_nonsense_is_refused_in_one_sentence_which_is_also_the_note(dag_bag, text, sentence):
    task = PlanTask()
    with pytest.raises(AirflowFailException, match=sentence) as refused:
        call_plan(dag_bag, ti=task, params={"shards": text})
    assert "\n" not in str(refused.value)
    assert task.note == f"refused: {refused.value}"


def test_what_is_understood_is_told(dag_bag, caplog):
    caplog.set_level("INFO")
    task = PlanTask()
    assert call_plan(dag_bag, ti=task, params={"shards": "sa_000001, 0"})
    assert task.note == "2 shards: 0-1"
    assert "2 shards: sa_000000, sa_000001" in caplog.messages


class PlanTask:
    """What `ti` is to a task that leaves a note."""

    note = None

    def xcom_push(self, key, value):
        assert key == "note"
        self.note = value


@pytest.mark.parametrize(
    ("settings", "engine", "sentence"),
    [
        ({}, "lmdeploy", "no model; set CAPTIONS_MODEL_PATH"),
        ({"CAPTIONS_MODEL_PATH": "/nowhere"}, "lmdeploy", "CAPTIONS_MODEL_PATH=/nowhere is no fol"),
        ({"CAPTIONS_MODEL_PATH": "/"}, "lmdeploy", "needs a GPU, and this machine has none"),
        ({}, "openai", "set CAPTIONS_OPENAI_URLS"),
    ],
)
def test_an_engine_that_cannot_start_is_refused_before_anything_is_downloaded(
    monkeypatch, settings, engine, sentence
):
    monkeypatch.setattr(planning, "_has_gpu", lambda: False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    deployment = load_settings()
    recipe = load_recipe(deployment.recipe)
    with pytest.raises(AirflowFailException, match=sentence):
        planning.choose_shards(None, None, {"shards": "0", "engine": engine}, recipe, deployment)


def test_the_engine_of_a_pod_is_the_pods_to_judge(monkeypatch, pod_settings):
    monkeypatch.setenv("CAPTIONS_RUNTIME", "pod")
    deployment = load_settings()
    recipe = load_recipe(deployment.recipe)
    params = {"shards": "0", "engine": "lmdeploy"}
    assert planning.choose_shards(None, None, params, recipe, deployment) == ["sa_000000"]


def note_of(run):
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        return session.get(DagRun, run.id).note


def test_a_plan_that_refuses_skips_the_rest_and_fails_the_run(dag_bag, run_dag):
    run = run_dag(dag_bag.dags["caption_shards"], run_conf={"shards": "9-2"})
    states = {one.task_id: str(one.state) for one in run.get_task_instances()}
    assert run.state == "failed"
    assert states.pop("plan") == "failed"
    assert states.pop("done") == "upstream_failed"
    assert set(states.values()) == {"skipped"}, states
    assert note_of(run) == "refused: '9-2' runs backwards; write 2-9"


def test_going_back_and_doing_again_exclude_each_other(dag_bag):
    task = PlanTask()
    params = {"shards": "0", "force": True, "restore": True}
    with pytest.raises(AirflowFailException, match="Do it again and Go back exclude each other"):
        call_plan(dag_bag, ti=task, params=params)
    assert task.note.startswith("refused: ")


def test_a_day_without_shards_says_so_in_the_runs_note(dag_bag, run_dag):
    date = dt.datetime(2026, 11, 3, tzinfo=dt.UTC)
    run = run_dag(dag_bag.dags["caption_shards"], logical_date=date, run_conf={"shards": None})
    assert run.state == "success"
    assert note_of(run).startswith("nothing to do: preview-sa1b-demo has no shards on 2026-11-03")


def test_a_second_release_is_refused_while_one_waits(dag_bag):
    class Task(PlanTask):
        run_id = "second"

        def get_dr_count(self, dag_id, states):
            assert (dag_id, states) == ("release_dataset", ["running"])
            return 2

    alone = dag_bag.dags["release_dataset"].get_task("alone").python_callable
    with pytest.raises(AirflowFailException, match="answer its gate under Required Actions"):
        alone(ti=Task())


@pytest.fixture
def waiting_release(dag_bag, airflow_db):
    """Another run of release_dataset that is unfinished."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunType

    run = DagRun(
        dag_id="release_dataset",
        run_id="waits_at_the_gate",
        run_type=DagRunType.MANUAL,
        run_after=dt.datetime.now(dt.UTC),
        state=DagRunState.RUNNING,
    )
    with create_session() as session:
        session.add(run)
    yield
    with create_session() as session:
        session.delete(session.get(DagRun, run.id))


def test_a_second_release_skips_the_rest_and_fails_its_run(dag_bag, run_dag, waiting_release):
    run = run_dag(dag_bag.dags["release_dataset"])
    states = {one.task_id: str(one.state) for one in run.get_task_instances()}
    assert run.state == "failed"
    assert states.pop("alone") == "failed"
    assert states.pop("done") == "upstream_failed"
    assert set(states.values()) == {"skipped"}, states
    assert note_of(run).startswith("refused: another run of release_dataset is unfinished")


def test_the_tasks_behind_a_refusal_are_skipped_in_its_words(dag_bag):
    class Task:
        def xcom_pull(self, task_ids, key):
            said = {("plan", "note"): "refused: '9-2' runs backwards; write 2-9"}
            return said.get((task_ids, key))

    dags = dag_bag.dags
    pack = dags["caption_shards"].get_task("pack").python_callable
    with pytest.raises(AirflowSkipException, match="skipped, for `plan` says: refused: '9-2' runs"):
        pack(None, ti=Task())
    start = dags["release_dataset"].get_task("start").python_callable
    with pytest.raises(AirflowSkipException, match="skipped, for `alone` failed; see its log"):
        start(None, ti=Task())
    assert start(True, ti=Task()) is None


def test_a_shard_of_another_dataset_is_refused(dag_bag):
    with pytest.raises(AirflowFailException, match="sa_000017 is not a shard of recipe"):
        call_plan(dag_bag, logical_date=None, params={"shards": "17"})


@pytest.mark.parametrize(
    "conf",
    [
        {"shards": "1," * 1001},
        {"tracks": []},
        {"tracks": ["single_fr"]},
        {"engine": "gpt"},
        {"force": "yes"},
        {"shards_per_pod": 0},
        {"shards_per_pod": 11},
    ],
)
def test_the_form_refuses_what_the_stages_would(dag_bag, conf):
    params = copy.deepcopy(dag_bag.dags["caption_shards"].params)
    with pytest.raises(ParamValidationError, match="Invalid input for param"):
        params.update(conf)


def test_the_form_offers_all_tracks(dag_bag):
    assert dag_bag.dags["caption_shards"].params["tracks"] == list(TRACKS)


@pytest.mark.parametrize(
    ("size", "selections"),
    [
        (1, ["sa_000000", "sa_000001", "sa_000002", "sa_000007"]),
        (3, ["0-2", "sa_000007"]),
        (10, ["0-2,7"]),
    ],
)
def test_the_form_says_how_many_shards_a_pod_takes(dag_bag, size, selections):
    pack = dag_bag.dags["caption_shards"].get_task("pack").python_callable
    shards = ["sa_000000", "sa_000001", "sa_000002", "sa_000007"]
    assert pack(shards, params={"shards_per_pod": size}) == selections


def test_a_pod_takes_one_shard_unless_told_otherwise(dag_bag):
    assert dag_bag.dags["caption_shards"].params["shards_per_pod"] == 1


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
