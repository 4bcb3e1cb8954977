import json
import re

import pytest
from kubernetes.client import ApiClient

from sa1b_operators import pod_causes
from tests.support.caption_pods import run_caption
from tests.support.fake_kubernetes import container, ended


def pending(**status):
    return {"phase": "Pending", **status}


def condition(kind, status, message):
    return {"type": kind, "status": status, "message": message}


def waiting(reason, message):
    return [container({"waiting": {"reason": reason, "message": message}})]


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (ended(137, reason="OOMKilled"), "ran out of memory; raise its profile's memory_gib"),
        (
            pending(containerStatuses=waiting("ErrImagePull", "no such image")),
            "did not start: ErrImagePull: no such image",
        ),
        (
            pending(conditions=[condition("PodScheduled", "False", "0/3 nodes: no GPU")]),
            "found no node: 0/3 nodes: no GPU",
        ),
    ],
    ids=["memory", "pull", "unschedulable"],
)
def test_the_last_line_of_the_tasks_log_is_the_cause(cluster, run_dag, capsys, status, cause):
    cluster.statuses = [status]
    state = run_caption(run_dag, startup_timeout_seconds=2, retries=0)
    assert state == "failed"
    assert cause in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "exit_code", "cause"),
    [
        (ended(65, "12:00:00 captioning\n12:01:00 error: no index\n"), 65, "no index"),
        (ended(1), 1, "pod p failed: it ended as Error"),
        (ended(137, reason="OOMKilled"), None, "pod p ran out of memory; raise .* memory_gib"),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "node low on disk"},
            None,
            "pod p was evicted: node low on disk",
        ),
        (
            ended(137) | {"conditions": [condition("DisruptionTarget", "True", "preempted")]},
            None,
            "pod p was evicted: preempted",
        ),
        (
            {"phase": "Failed", "reason": "DeadlineExceeded"},
            None,
            "pod p ran past its profile's active_deadline_s",
        ),
        (
            pending(containerStatuses=waiting("ErrImagePull", "denied")),
            None,
            "pod p did not start: ErrImagePull: denied",
        ),
        (
            pending(containerStatuses=waiting("InvalidImageName", "what is this")),
            None,
            "pod p did not start: InvalidImageName: what is this",
        ),
        (
            pending(conditions=[condition("PodScheduled", "False", "no GPU")]),
            None,
            "pod p found no node: no GPU",
        ),
        ({"phase": "Running"}, None, "pod p was Running when its time was up"),
    ],
)
def test_the_cause_of_a_failed_pod_is_one_sentence(status, exit_code, cause):
    reply = type("Reply", (), {"data": json.dumps({"metadata": {"name": "p"}, "status": status})})
    pod = ApiClient().deserialize(reply, "V1Pod")
    found_code, found_cause = pod_causes.failure(pod, "base")
    assert found_code == exit_code
    assert re.match(cause, found_cause)
    assert "\n" not in found_cause
