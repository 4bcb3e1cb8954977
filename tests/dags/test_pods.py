"""The whole operator, with the provider's own hook and trigger, against a fake API server."""

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowException

from sa1b_operators import pod
from sa1b_operators.stage import STAGE_DEFAULTS
from tests.support.caption_pods import caption, run_caption
from tests.support.fake_kubernetes import ended


def test_a_pod_that_ends_well_is_deleted(cluster, run_dag):
    cluster.statuses = [ended(0)]
    assert run_caption(run_dag) == "success"
    assert len(cluster.created) == 1
    assert cluster.pods == {}


def test_a_retryable_exit_code_makes_a_second_pod(cluster, run_dag):
    cluster.statuses = [ended(75), ended(0)]
    assert run_caption(run_dag) == "success"
    assert len(cluster.created) == 2
    (kept,) = cluster.pods.values()
    assert kept["metadata"]["labels"]["already_checked"] == "True"


@pytest.mark.parametrize(("exit_code", "state"), [(65, "failed"), (99, "skipped")])
def test_a_final_exit_code_makes_no_second_pod(cluster, run_dag, exit_code, state):
    cluster.statuses = [ended(exit_code)]
    assert run_caption(run_dag) == state
    assert len(cluster.created) == 1


@pytest.mark.parametrize("status", ["error", "progress"])
def test_a_pod_that_vanished_while_nobody_looked_is_said_to_be_gone(cluster, airflow_db, status):
    """Pods that give way to others, or whose node is lost, are deleted and leave no status."""
    event = {"status": status, "message": "3/9 samples", "last_log_time": None}
    event |= {"name": "sa1b-caption-x", "namespace": "captions"}
    with pytest.raises(AirflowException, match="x is gone: it was deleted, evicted") as raised:
        caption().trigger_reentry({"ti": FakeTaskInstance}, event)
    assert raised.type is AirflowException


def test_a_pod_that_never_starts_is_deleted_and_tried_again(cluster, run_dag):
    condition = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes: no GPU"}
    cluster.statuses = [{"phase": "Pending", "conditions": [condition]}]
    assert run_caption(run_dag, startup_timeout_seconds=1) == "failed"
    assert len(cluster.created) == 2
    assert cluster.pods == {}


class FakeTaskInstance:
    dag_id, task_id, map_index, try_number = "caption_pod", "caption", -1, 1


def test_a_quota_that_is_used_up_is_named(cluster, airflow_db):
    cluster.refusal = (403, "pods is forbidden: exceeded quota: gpus, used: 4, limited: 4")
    operator = caption()
    operator.render_template_fields({"task": operator})
    context = {"ti": FakeTaskInstance, "run_id": "run", "dag": None}
    with pytest.raises(AirflowException, match="403: .*exceeded quota.*pool `gpu`") as raised:
        operator.execute(context | {"task_reschedule_count": pod.QUOTA_WAITS})
    assert raised.type is AirflowException


def test_a_pod_over_the_quota_comes_again_without_using_up_a_retry(cluster, run_dag):
    cluster.statuses = [ended(0)]
    cluster.refusals = [(403, "pods is forbidden: exceeded quota: gpus, used: 4, limited: 4")] * 2
    with DAG("quota", schedule=None, default_args=STAGE_DEFAULTS | {"retries": 0}) as dag:
        caption()
    task = run_dag(dag).get_task_instance("caption")
    assert (task.state, task.try_number) == ("success", 1)
    assert len(cluster.created) == 1


def test_a_pod_that_is_refused_for_another_reason_is_a_failure_at_once(cluster, airflow_db):
    cluster.refusal = (403, "pods is forbidden: violates PodSecurity")
    operator = caption()
    operator.render_template_fields({"task": operator})
    with pytest.raises(AirflowException, match="violates PodSecurity") as raised:
        operator.execute({"ti": FakeTaskInstance, "run_id": "run", "dag": None})
    assert raised.type is AirflowException
