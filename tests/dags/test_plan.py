"""What a run of caption_shards works on, what its form takes, and what it refuses."""

import copy
import datetime as dt

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, ParamValidationError

from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.settings import load_settings
from sa1b_operators import planning


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
