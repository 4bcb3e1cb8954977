"""The whole operator, with pods that really run: processes behind an in-memory API server."""

import json
import sys

import pytest
from airflow.sdk import DAG
from airflow.sdk.module_loading import import_string

from sa1b_operators.stage import STAGE_DEFAULTS
from sa1b_operators.state_keys import NODE_KEY, PROGRESS_KEY
from sa1b_operators.trigger import ProgressPodTrigger
from tests.support.caption_pods import caption
from tests.support.process_kubernetes import NODE, ProcessKubernetes


@pytest.fixture
def machine(monkeypatch, pod_settings):
    machine = ProcessKubernetes(secrets={"sa1b-store": {"AWS_ACCESS_KEY_ID": "from the Secret"}})
    extra = {"kube_config": machine.kube_config()}
    connection = {"conn_type": "kubernetes", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_KUBERNETES_DEFAULT", json.dumps(connection))
    yield machine
    machine.close()


def run_script(run_dag, script, **arguments):
    command = [sys.executable, "-u", "-c", script]
    with DAG("script_pod", schedule=None, default_args=STAGE_DEFAULTS | {"retries": 0}) as dag:
        caption(cmds=command, poll_interval=0.05, startup_check_interval_seconds=1, **arguments)
    return run_dag(dag)


def test_progress_and_node_of_a_running_pod_are_in_the_tasks_state(machine, run_dag):
    from airflow.models.task_state_store import TaskStateStoreModel
    from airflow.utils.session import create_session

    script = """
import time
for done in (10, 20):
    print(f"12:00:00 progress: sa_000017 {done}/30 samples, 4.0 samples/s", flush=True)
    print("12:00:00 sa_000017/7: the caption repeats itself, trying again", flush=True)
    time.sleep(1.5)
"""
    run = run_script(run_dag, script, trigger_kwargs={"progress_interval_s": 0.5})
    assert run.get_task_instance("caption").state == "success"
    with create_session() as session:
        found = session.query(TaskStateStoreModel).filter_by(run_id=run.run_id)
        kept = {row.key: json.loads(row.value) for row in found}
    assert kept[PROGRESS_KEY] == "sa_000017 20/30 samples, 4.0 samples/s"
    assert kept[NODE_KEY] == NODE


def test_a_task_deferred_by_version_0_1_waits_on():
    """Airflow keeps a trigger by its path, and loads it by that path after the upgrade."""
    trigger = import_string("sa1b_triggers.ProgressPodTrigger")
    assert trigger is ProgressPodTrigger


def test_the_secrets_content_is_in_the_pod_alone(machine, run_dag):
    script = "import os, sys; sys.exit(os.environ['AWS_ACCESS_KEY_ID'] != 'from the ' 'Secret')"
    assert run_script(run_dag, script).get_task_instance("caption").state == "success"
    assert "from the Secret" not in json.dumps(machine.created)


@pytest.mark.parametrize(
    ("script", "deadline_s", "cause"),
    [
        ("print('12:00:00 error: no index'); raise SystemExit(65)", 60, "no index"),
        ("import time; time.sleep(60)", 1, "ran past its profile's active_deadline_s"),
        ("import os; os.kill(os.getpid(), 9)", 60, "was ended by SIGKILL"),
    ],
)
def test_the_cause_of_a_failed_pod_is_in_the_tasks_log(
    machine, run_dag, capsys, script, deadline_s, cause
):
    run = run_script(run_dag, script, active_deadline_seconds=deadline_s)
    assert run.get_task_instance("caption").state == "failed"
    assert cause in capsys.readouterr().out
