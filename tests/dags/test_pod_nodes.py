"""Pods that are lost, die slowly or do not start, and what the operator makes of them."""

import asyncio
import datetime as dt
import json
import time

import pytest
from airflow.providers.cncf.kubernetes.triggers.pod import KubernetesPodTrigger
from airflow.sdk import DAG
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowRescheduleException,
    TaskDeferred,
)

from sa1b_operators import trigger
from sa1b_operators.stage import STAGE_DEFAULTS
from sa1b_operators.state_keys import PROGRESS_KEY
from sa1b_operators.trigger import KNOWN, ProgressPodTrigger
from tests.support.caption_pods import caption, run_caption
from tests.support.fake_kubernetes import container, ended

LONG_AGO = "2026-01-01T00:00:00Z"
WATCHED = {"progress_interval_s": 0.1, "lost_node_s": 300}
RUNNING = {
    "phase": "Running",
    "containerStatuses": [container({"running": {"startedAt": LONG_AGO}}) | {"ready": True}],
}


class Task:
    dag_id, task_id, map_index, try_number = "caption_pod", "caption", -1, 1
    start_date = dt.datetime.now(dt.UTC)

    def xcom_push(self, key, value):
        pass


CONTEXT = {"ti": Task(), "run_id": "run", "dag": None}


UNREADY = container({"running": {"startedAt": LONG_AGO}})


def ready_since(when):
    return {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": when}]}


def just_now():
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("status", "metadata", "cause"),
    [
        (RUNNING | ready_since(LONG_AGO), {}, "is gone: its node is silent since 00:00:00 UTC"),
        (RUNNING, {"deletionTimestamp": LONG_AGO, "deletionGracePeriodSeconds": 60}, "00:00:00"),
        (
            RUNNING | {"startTime": LONG_AGO},
            {},
            "have ended at 06:00:00 UTC, and its node does not",
        ),
    ],
    ids=["node not ready", "deleted", "past its deadline"],
)
def test_a_pod_of_a_lost_node_is_followed_by_another(
    cluster, run_dag, capsys, status, metadata, cause
):
    cluster.statuses = [status, ended(0)]
    cluster.changes = [metadata, {}]
    cluster.silent_node = True
    assert run_caption(run_dag, trigger_kwargs=WATCHED) == "success"
    assert [pod["metadata"]["name"] for pod in cluster.created[:1]] == cluster.forced
    assert len(cluster.created) == 2
    assert cause in capsys.readouterr().out


def event_of(cluster, status, metadata=None, wait_s=30, told=None):
    """What the trigger fires with for a pod, or None if it does not."""
    cluster.pods["p"] = {
        "metadata": {"name": "p", "namespace": "captions"} | (metadata or {}),
        "spec": {"containers": [{"name": "base"}], "activeDeadlineSeconds": 600},
        "status": status,
    }
    waiting = ProgressPodTrigger(
        pod_name="p",
        pod_namespace="captions",
        trigger_start_time=dt.datetime.now(dt.UTC),
        base_container_name="base",
        connection_extras={"kube_config": cluster.kube_config()},
        poll_interval=0.05,
        startup_check_interval=0.05,
        trigger_kwargs=WATCHED | (told or {}),
    )

    async def first():
        try:
            return (await asyncio.wait_for(anext(waiting.run()), wait_s)).payload
        except TimeoutError:
            return None

    return asyncio.run(first())


@pytest.mark.parametrize(
    ("status", "metadata"),
    [
        (lambda: RUNNING | ready_since(just_now()), {}),
        (lambda: RUNNING | {"startTime": just_now()}, {}),
        (lambda: RUNNING | ready_since(LONG_AGO) | {"containerStatuses": [UNREADY]}, {}),
    ],
    ids=["a moment of silence", "within its deadline", "never was ready"],
)
def test_a_pod_that_may_come_back_is_waited_for(cluster, airflow_db, status, metadata):
    cluster.log = ""
    # Made now: the tests are collected minutes before they run.
    assert event_of(cluster, status(), metadata, wait_s=2) is None


def test_a_pod_that_runs_for_long_tells_its_progress_seldom(cluster, airflow_db, monkeypatch):
    """Each time a task process starts for it, which costs more than all else of the task."""
    cluster.log = f"{just_now()[:-1]}.000000000Z progress: 7/9 samples\n"
    began = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=trigger.EARLY_S + 30)
    status = RUNNING | {"startTime": began.strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert event_of(cluster, status)["message"] == "7/9 samples"
    told = {trigger.SHOWN: "6/9 samples"}
    assert event_of(cluster, status, wait_s=2, told=told) is None
    assert event_of(cluster, RUNNING | {"startTime": just_now()}, told=told) is not None
    monkeypatch.setattr(trigger, "LATER_INTERVAL_S", 0.5)
    assert event_of(cluster, status, told=told)["message"] == "7/9 samples"


def test_an_event_does_not_overtake_the_executors_report(cluster, airflow_db, monkeypatch):
    """A pod that fails at once would have the task resumed before it counts as deferred."""
    monkeypatch.setattr(trigger, "FIRST_EVENT_S", 0.7)
    began = time.monotonic()
    assert event_of(cluster, ended(1))["status"] == "failed"
    assert time.monotonic() - began > 0.6


PULL_ERROR = 'failed to pull: Head "https://10.1.2.3:5000/v2": dial tcp 10.1.2.3: i/o timeout'
PULLING = {
    "phase": "Pending",
    "startTime": just_now(),
    "conditions": [{"type": "PodScheduled", "status": "True"}],
    "containerStatuses": [
        container({"waiting": {"reason": "ErrImagePull", "message": PULL_ERROR}})
    ],
}


def test_an_image_that_cannot_be_pulled_is_progress_and_then_a_failure(
    cluster, run_dag, capsys, monkeypatch
):
    """The provider takes a time-out for transient, and would wait for half an hour."""
    from airflow.models.task_state_store import TaskStateStoreModel
    from airflow.utils.session import create_session

    monkeypatch.setattr(trigger, "PULL_PATIENCE_S", 0.5)
    cluster.statuses = [PULLING]
    with DAG("pulling", schedule=None, default_args=STAGE_DEFAULTS | {"retries": 0}) as dag:
        caption(poll_interval=0.05, startup_check_interval_seconds=1, trigger_kwargs=WATCHED)
    run = run_dag(dag)
    assert run.get_task_instance("caption").state == "failed"
    assert "did not start: ErrImagePull: failed to pull" in capsys.readouterr().out
    assert cluster.pods == {}
    with create_session() as session:
        found = session.query(TaskStateStoreModel).filter_by(run_id=run.run_id, key=PROGRESS_KEY)
        (line,) = [json.loads(row.value) for row in found]
    assert line == "the image cannot be pulled yet (ErrImagePull); Kubernetes tries again"


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (
            {
                "phase": "Pending",
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "message": "0/3 nodes: no GPU"}
                ],
            },
            "waits for a node: 0/3 nodes: no GPU",
        ),
        (
            PULLING
            | {"containerStatuses": [container({"waiting": {"reason": "ContainerCreating"}})]},
            "starts on its node (ContainerCreating): image and volumes",
        ),
    ],
)
def test_a_pod_that_starts_says_how_far_it_is(cluster, airflow_db, status, line):
    event = event_of(cluster, status)
    assert (event["status"], event["message"]) == ("progress", line)


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps({"kind": "Status", "code": 400, "message": "trying and failing to pull image"}),
        "unable to retrieve container logs for containerd://4711",
    ],
)
def test_what_the_api_says_instead_of_a_log_is_no_progress(cluster, airflow_db, answer):
    cluster.log = answer
    assert event_of(cluster, RUNNING, wait_s=2) is None
    cluster.log = "2026-11-28T10:00:00.123456789Z 10:00:00 progress: 1/3\n" + answer
    assert event_of(cluster, RUNNING)["message"] == "1/3"


def operator():
    made = caption()
    made.render_template_fields({"task": made})
    return made


def put_former(cluster, made, **metadata):
    """A pod that an earlier worker made for the same task."""
    labels = made.labels | made._get_ti_pod_labels(CONTEXT, include_try_number=False)
    metadata = {
        "name": "former",
        "namespace": "n",
        "labels": labels | {"try_number": "1"},
    } | metadata
    cluster.pods["former"] = {
        "metadata": metadata,
        "spec": {"containers": [{"name": "base"}]},
        "status": dict(RUNNING),
    }
    return cluster.pods["former"]


def test_a_cleared_task_waits_for_the_end_of_its_dying_pod(cluster, airflow_db):
    made = operator()
    put_former(cluster, made, deletionTimestamp=just_now(), deletionGracePeriodSeconds=60)
    with pytest.raises(AirflowRescheduleException):
        made.execute(CONTEXT)
    assert cluster.created == []


def test_a_dying_pod_whose_node_is_lost_is_not_waited_for(cluster, airflow_db):
    made = operator()
    put_former(cluster, made, deletionTimestamp=LONG_AGO, deletionGracePeriodSeconds=60)
    with pytest.raises(TaskDeferred):
        made.execute(CONTEXT)
    assert cluster.forced == ["former"]
    assert len(cluster.created) == 1


def test_a_pod_that_ended_well_unseen_is_not_repeated(cluster, airflow_db):
    made = operator()
    put_former(cluster, made)["status"] = ended(0)
    assert made.execute(CONTEXT) is None
    assert cluster.created == []
    assert cluster.pods == {}


@pytest.mark.parametrize(
    ("known", "events", "cause"),
    [
        ("Eviction API: evicting", [], "was evicted: Eviction API: evicting; the next one"),
        (
            None,
            [("Scheduled", "to node-1"), ("TaintManagerEviction", "Marking for deletion Pod n/x")],
            "is gone: TaintManagerEviction: Marking for deletion Pod n/x; the next one",
        ),
        (None, [("Scheduled", "to node-1")], "is gone: it was deleted, evicted or preempted, or"),
    ],
)
def test_what_is_known_of_a_pod_that_is_gone_is_said(cluster, airflow_db, known, events, cause):
    cluster.events = [
        {"metadata": {"name": "e"}, "involvedObject": {}, "reason": reason, "message": message}
        for reason, message in events
    ]
    event = {"status": "error", "message": "not found", "name": "x", "namespace": "n", KNOWN: known}
    with pytest.raises(AirflowException, match=f"pod x {cause}") as raised:
        operator().trigger_reentry(CONTEXT, event)
    assert raised.type is AirflowException


def test_why_a_pod_is_evicted_is_remembered_beyond_its_end(cluster, airflow_db):
    condition = {"type": "DisruptionTarget", "status": "True", "message": "Eviction API: evicting"}
    status = RUNNING | {"conditions": [condition]}

    def vanish(method, path):
        asked.append(path)
        if len(asked) > 6:
            cluster.pods.pop("p", None)

    asked = []
    cluster.answer, cluster.log = vanish, ""
    event = event_of(cluster, status)
    assert (event["status"], event[KNOWN]) == ("error", "Eviction API: evicting")


def test_the_providers_trigger_ends_though_it_loses_a_cancellation(
    cluster, airflow_db, monkeypatch
):
    """As when it is cancelled while it awaits what it has itself cancelled: it would watch on."""
    ended_by = []

    async def run(self):
        for _ in range(2):
            try:
                await asyncio.sleep(20)
            except asyncio.CancelledError as error:
                ended_by.append(error)
        yield None

    monkeypatch.setattr(trigger, "CANCEL_AGAIN_S", 0.1)
    monkeypatch.setattr(KubernetesPodTrigger, "run", run)
    began = time.monotonic()
    assert event_of(cluster, RUNNING | ready_since(LONG_AGO))["status"] == "lost"
    assert (len(ended_by), time.monotonic() - began < 15) == (2, True)
