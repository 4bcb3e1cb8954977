"""A Kubernetes that refuses or does not answer, and what a task says and does then."""

import asyncio
import datetime as dt
import json

import pytest
from aiohttp import ClientConnectionError
from airflow.sdk import DAG
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    TaskDeferred,
)
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes_asyncio.client.exceptions import ApiException as AsyncApiException
from urllib3.exceptions import HTTPError

from sa1b_operators import pod, trigger
from sa1b_operators.api_errors import explain, is_outage
from sa1b_operators.stage import STAGE_DEFAULTS
from sa1b_operators.trigger import ProgressPodTrigger
from tests.support.caption_pods import caption
from tests.support.fake_kubernetes import container, ended

RUNNING = {"phase": "Running", "containerStatuses": [container({"running": {}})]}
RBAC = 'pods is forbidden: User "system:serviceaccount:airflow:x" cannot create resource "pods"'


class Task:
    dag_id, task_id, map_index, try_number = "caption_pod", "caption", -1, 1
    start_date = dt.datetime.now(dt.UTC)


CONTEXT = {"ti": Task(), "run_id": "run", "dag": None}


def refused(status, message="why", kind=ApiException):
    error = kind(status=status, reason="Reason")
    error.body = json.dumps({"kind": "Status", "message": message})
    return error


@pytest.mark.parametrize("kind", [ApiException, AsyncApiException], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("status", "message", "sentence", "outage"),
    [
        (401, "Unauthorized", "credentials of Airflow connection c are no longer valid", False),
        (403, RBAC, "needs the role of deploy/kubernetes/rbac.yaml", False),
        (403, 'violates PodSecurity "restricted"', "with 403: violates PodSecurity", False),
        (403, "exceeded quota: gpus", "pool `gpu` must not hold more pods", False),
        (404, 'namespaces "n" not found', "make it with kubectl apply -k deploy/kubernetes", False),
        (422, "bad\nname", "Kubernetes refused with 422: bad name", False),
        (429, "slow down", "cannot answer now (429: slow down)", True),
        (503, "etcd", "cannot answer now (503: etcd)", True),
    ],
)
def test_every_refusal_is_one_sentence(kind, status, message, sentence, outage):
    error = refused(status, message, kind)
    assert sentence in explain(error, "c")
    assert "\n" not in explain(error, "c")
    assert is_outage(error) is outage


@pytest.mark.parametrize(
    ("error", "sentence", "outage"),
    [
        (HTTPError("[Errno 111] Connection refused"), "not answer: Connection refused", True),
        (ClientConnectionError("reset\nby peer"), "does not answer: reset by peer", True),
        (TimeoutError(), "does not answer: TimeoutError", True),
        (ConfigException("no\nconfiguration"), "c does not say how to reach Kubernetes: no", False),
    ],
)
def test_every_silence_is_one_sentence(error, sentence, outage):
    assert sentence in explain(error, "c")
    assert "\n" not in explain(error, "c")
    assert is_outage(error) is outage


def operator():
    made = caption()
    made.render_template_fields({"task": made})
    return made


def run_once(run_dag):
    with DAG("outage", schedule=None, default_args=STAGE_DEFAULTS | {"retries": 0}) as dag:
        caption(poll_interval=0.05, startup_check_interval_seconds=1)
    task = run_dag(dag).get_task_instance("caption")
    return task.state, task.try_number


@pytest.mark.parametrize("answer", [(503, "etcd is away"), (0, "")], ids=["503", "no reply"])
def test_an_outage_when_the_pod_is_made_uses_up_no_retry(cluster, run_dag, answer):
    asked = []

    def away(method, path):
        asked.append(method)
        return answer if len(asked) < 12 else None

    cluster.statuses, cluster.answer = [ended(0)], away
    assert run_once(run_dag) == ("success", 1)
    assert len(cluster.created) == 1


def test_an_outage_while_the_task_is_deferred_uses_up_no_retry(cluster, run_dag, monkeypatch):
    looks = []

    def away(method, path):
        if cluster.created and method == "GET":
            looks.append(path)
            if len(looks) == 40:
                next(iter(cluster.pods.values()))["status"] = ended(0)
            return (503, "etcd is away") if 3 < len(looks) < 40 else None
        return None

    cluster.statuses, cluster.answer = [RUNNING], away
    assert run_once(run_dag) == ("success", 1)
    assert len(looks) >= 40


def test_an_outage_at_re_entry_is_waited_for_and_then_named(cluster, airflow_db):
    cluster.answer = lambda method, path: (0, "")
    event = {"status": "success", "name": "p", "namespace": "n", "message": ""}
    with pytest.raises(AirflowRescheduleException):
        operator().trigger_reentry(CONTEXT, event)
    late = CONTEXT | {"task_reschedule_count": pod.OUTAGE_WAITS}
    with pytest.raises(AirflowException, match="does not answer at 127.0.0.1:") as raised:
        operator().trigger_reentry(late, event)
    assert raised.type is AirflowException


def test_revoked_credentials_are_named_at_re_entry(cluster, airflow_db):
    cluster.answer = lambda method, path: (401, "Unauthorized")
    event = {"status": "failed", "name": "p", "namespace": "n", "message": ""}
    with pytest.raises(AirflowException, match="kubernetes_default are no longer valid") as raised:
        operator().trigger_reentry(CONTEXT, event)
    assert raised.type is AirflowException


def test_a_connection_that_says_nothing_fails_at_once(cluster, airflow_db, monkeypatch, tmp_path):
    connection = {"conn_type": "kubernetes", "extra": {"kube_config_path": str(tmp_path / "none")}}
    monkeypatch.setenv("AIRFLOW_CONN_KUBERNETES_DEFAULT", json.dumps(connection))
    with pytest.raises(AirflowFailException, match="does not say how to reach Kubernetes"):
        operator().execute(CONTEXT)


def fired(cluster):
    """What the trigger fires with for a pod that the triggerer may not read."""
    waiting = ProgressPodTrigger(
        pod_name="p",
        pod_namespace="captions",
        trigger_start_time=dt.datetime.now(dt.UTC),
        base_container_name="base",
        kubernetes_conn_id="kubernetes_default",
        connection_extras={"kube_config": cluster.kube_config()},
        poll_interval=0.05,
    )

    async def first():
        return (await anext(waiting.run())).payload

    return asyncio.run(first())


def test_a_triggerer_without_permission_says_so_without_a_traceback(cluster, airflow_db):
    cluster.answer = lambda method, path: (403, RBAC)
    event = fired(cluster)
    assert event["status"] == "error"
    assert event["message"].endswith("needs the role of deploy/kubernetes/rbac.yaml")
    assert "stack_trace" not in event


def test_patience_with_a_silent_api_server_has_an_end(cluster, airflow_db, monkeypatch):
    monkeypatch.setattr(trigger, "OUTAGE_PATIENCE_S", 0.2)
    cluster.answer = lambda method, path: (0, "")
    assert "Kubernetes does not answer" in fired(cluster)["message"]


def test_a_pod_that_nobody_may_watch_is_waited_for_thrice_and_then_named(cluster, airflow_db):
    cluster.pods["p"] = {
        "metadata": {"name": "p", "namespace": "n", "labels": {}},
        "spec": {"containers": [{"name": "base"}]},
        "status": RUNNING,
    }
    event = {"status": "error", "name": "p", "namespace": "n", "message": "refused with 403"}
    for waits in range(3):
        with pytest.raises(TaskDeferred) as deferred:
            operator().trigger_reentry(CONTEXT, event | {pod.ERRORS: waits})
        assert deferred.value.trigger.trigger_kwargs[pod.ERRORS] == waits + 1
    seen = {"status": "progress", "message": "1/3", "last_log_time": None, pod.ERRORS: 3}
    with pytest.raises(TaskDeferred) as deferred:
        operator().trigger_reentry(CONTEXT, event | seen)
    assert pod.ERRORS not in deferred.value.trigger.trigger_kwargs
    with pytest.raises(AirflowException, match="refused with 403; pod p is not watched") as raised:
        operator().trigger_reentry(CONTEXT, event | {pod.ERRORS: 3})
    assert raised.type is AirflowException
    assert cluster.pods["p"]
