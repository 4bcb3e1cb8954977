import hashlib
import json
import logging
import sys

import pytest
from airflow.models.taskinstance import TaskInstance
from airflow.sdk import DAG, task_group
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from sa1b_captions.shards import shard_name
from sa1b_operators import process
from sa1b_operators.base import QualityReportLink
from sa1b_operators.local import LocalStageOperator
from sa1b_operators.process import StageProcess
from sa1b_operators.stage import STAGE_DEFAULTS
from sa1b_operators.stage import stage as make_stage
from sa1b_operators.state_keys import PROGRESS_KEY

pytestmark = pytest.mark.usefixtures("airflow_db")


def python(code):
    return [sys.executable, "-c", code]


def stage(code, **arguments):
    """A task of the local runtime whose program is a few lines of Python."""
    settings = {"task_id": "stage", "arguments": ["caption", "--shards", "sa_000017"]} | arguments
    return LocalStageOperator(command=python(code), **settings)


def test_the_last_output_line_is_the_result():
    result = stage("print('not this'); print('{\"rows\": 3}')").execute({})
    assert result == {"rows": 3}


def test_the_program_gets_the_arguments():
    result = stage("import json, sys; print(json.dumps({'got': sys.argv[1:]}))").execute({})
    assert result == {"got": ["caption", "--shards", "sa_000017"]}


@pytest.mark.parametrize(
    ("exit_code", "error"),
    [
        (65, AirflowFailException),
        (2, AirflowFailException),
        (75, AirflowException),
        (1, AirflowException),
        (99, AirflowSkipException),
    ],
)
def test_exit_code_decides_what_airflow_does(exit_code, error):
    code = f"""
import sys
print("12:00:00 error: links expired", file=sys.stderr)
sys.exit({exit_code})
"""
    with pytest.raises(AirflowException, match="^links expired") as raised:
        stage(code).execute({})
    assert raised.type is error


def test_a_killed_program_is_retried():
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(AirflowException, match="killed by SIGKILL") as raised:
        stage(code).execute({})
    assert raised.type is AirflowException


def test_an_ending_without_result_fails():
    with pytest.raises(AirflowFailException, match="no JSON object: 'done'"):
        stage("print('done')").execute({})


def test_both_streams_reach_the_log_without_url_secrets():
    lines = []
    code = """
import sys
print("out https://host/a.tar?Signature=SECRET&Expires=1", flush=True)
print("err https://user:SECRET@host/a.tar?x=SECRET end", file=sys.stderr)
"""
    StageProcess(python(code), lines.append).run()
    assert "out https://host/a.tar?…" in lines
    assert "err https://host/a.tar?… end" in lines
    assert not [line for line in lines[1:] if "SECRET" in line]


def test_errors_of_a_stage_are_errors_of_the_task(monkeypatch):
    lines = {}

    class Log:
        def log(self, level, template, line):
            lines[template % line] = level

    task = stage("")
    monkeypatch.setattr(type(task), "log", Log())
    StageProcess(
        python("import sys; print('07:08:36 error: no index', file=sys.stderr); print('{}')"),
        task._log_line,
    ).run()
    assert lines["no index"] == logging.ERROR
    assert lines["{}"] == logging.INFO


def test_a_line_has_no_second_time_beside_that_of_the_task_log():
    lines = []
    StageProcess(python("print('07:08:36 sa_000000: pass')"), lines.append).run()
    assert "sa_000000: pass" in lines


def test_mapped_tasks_are_named_by_shard_and_link_to_its_report(run_dag):
    with DAG("mapped_stage", schedule=None, default_args=STAGE_DEFAULTS) as dag:

        @task_group(group_id="shard")
        def each_shard(shard):
            stage(
                "import json, sys; print(json.dumps({'got': sys.argv[1:]}))",
                shard=shard,
                arguments=["caption", "--shards", shard, "--run-id", "{{ run_id }}"],
            )

        each_shard.expand(shard=["sa_000003", "sa_000004"])
    run = run_dag(dag)
    tasks = sorted(run.get_task_instances(), key=lambda ti: ti.map_index)
    assert [ti.state for ti in tasks] == ["success", "success"]
    assert [ti.rendered_map_index for ti in tasks] == ["sa_000003", "sa_000004"]
    assert tasks[1].xcom_pull(task_ids="shard.stage", map_indexes=1) == {
        "got": ["caption", "--shards", "sa_000004", "--run-id", run.run_id]
    }
    link = tasks[1].xcom_pull(
        task_ids="shard.stage", map_indexes=1, key=QualityReportLink().xcom_key
    )
    assert link == "/captions/shards/sa_000004"


@pytest.mark.parametrize(
    ("numbers", "label"),
    [
        (range(25), ",".join(shard_name(number) for number in range(25))),
        (range(1000), "0-999"),
        (range(0, 1000, 2), None),
    ],
)
def test_a_name_of_any_number_of_shards_fits_airflows_database(numbers, label):
    names = ",".join(shard_name(number) for number in numbers)
    made = LocalStageOperator(task_id="x", arguments=["validate", "--shards", names])
    column = TaskInstance.__table__.c.rendered_map_index
    assert len(made.label) <= column.type.length
    if label is not None:
        assert made.label == label
    else:
        assert made.label.startswith("0,2,4,")
        assert made.label.endswith("…")


def test_a_stage_of_several_shards_links_to_the_runs_report():
    task_key = type("Key", (), {"dag_id": "caption_shards", "run_id": "r"})
    several, one = (stage("", shard=shard) for shard in ("3-5", "sa_000003"))
    assert several.label == "3-5"
    of_none = LocalStageOperator(
        task_id="x", arguments=["validate", "--shards", "", "--tracks", "single_en"]
    )
    assert of_none.label == "validate"
    assert (
        QualityReportLink().get_link(several, ti_key=task_key) == "/captions/runs/caption_shards/r"
    )
    assert QualityReportLink().get_link(one, ti_key=task_key) == "/captions/shards/sa_000003"


def test_a_stage_mapped_over_arguments_is_named_by_its_first_option(run_dag):
    with DAG("mapped_arguments", schedule=None, default_args=STAGE_DEFAULTS) as dag:
        make_stage(
            task_id="dedup",
            command=python("print('{}')"),
            each_arguments=[["dedup", "--tracks", track] for track in ("multi_en", "multi_zh")],
        )
    run = run_dag(dag)
    tasks = sorted(run.get_task_instances(), key=lambda ti: ti.map_index)
    assert [ti.state for ti in tasks] == ["success", "success"]
    assert [ti.rendered_map_index for ti in tasks] == ["multi_en", "multi_zh"]
    link = tasks[0].xcom_pull(task_ids="dedup", map_indexes=0, key=QualityReportLink().xcom_key)
    assert link == f"/captions/runs/mapped_arguments/{run.run_id}"


def test_links_in_a_connection_reach_ingest_by_pipe_and_nothing_else(monkeypatch, caplog):
    secret = "sa_000017.tar\thttps://h/17.tar?oh=SECRET\n" * 2_000  # more than an argument holds
    connection = json.dumps({"conn_type": "generic", "password": secret})
    monkeypatch.setenv("AIRFLOW_CONN_SA1B_LINKS", connection)
    monkeypatch.setenv("CAPTIONS_LINKS", "connection:sa1b_links")
    code = """
import hashlib, json, sys
digest = hashlib.sha256(sys.stdin.buffer.read()).hexdigest()
print(json.dumps({"arguments": sys.argv[1:], "digest": digest}))
"""
    task = stage(code, arguments=["ingest", "--shards", "sa_000017"])
    result = task.execute({})
    assert result["arguments"] == ["ingest", "--shards", "sa_000017", "--links", "-"]
    assert result["digest"] == hashlib.sha256(secret.encode()).hexdigest()
    assert "SECRET" not in f"{task.arguments}{task.command}"
    other = stage("print('{}')", arguments=["caption", "--shards", "sa_000017"])
    assert other._links_text() is None


PROGRESS = python("""
import sys, time
for received in (10, 20):
    print(f"12:00:00 sa_000017: {received}.0 of 20.0 MB", file=sys.stderr, flush=True)
    time.sleep(0.4)
print("{}")
""")


def test_progress_is_reported_while_the_program_runs(monkeypatch):
    monkeypatch.setattr(process, "REPORT_INTERVAL_S", 0.1)
    seen = []
    StageProcess(PROGRESS, lambda line: None, report=seen.append).run()
    assert seen == ["sa_000017: 10.0 of 20.0 MB", "sa_000017: 20.0 of 20.0 MB"]


def test_progress_is_in_the_tasks_state(run_dag):
    from airflow.models.task_state_store import TaskStateStoreModel
    from airflow.utils.session import create_session

    with DAG("progress", schedule=None, default_args=STAGE_DEFAULTS) as dag:
        LocalStageOperator(command=PROGRESS, task_id="stage", arguments=["ingest"])
    run = run_dag(dag)
    with create_session() as session:
        found = session.query(TaskStateStoreModel).filter_by(run_id=run.run_id).all()
        values = {row.key: json.loads(row.value) for row in found}
    assert values == {PROGRESS_KEY: "sa_000017: 20.0 of 20.0 MB"}
