"""The operator works with exactly the documented Role: all other tests of pods run with it, too."""

import pytest
from airflow.sdk import DAG

from sa1b_operators.stage import STAGE_DEFAULTS
from tests.support.caption_pods import caption
from tests.support.fake_kubernetes import ended
from tests.support.role import documented

FLOWS = {
    ("pods", "create"): ended(0),
    ("pods", "get"): ended(0),
    ("pods", "list"): ended(0),
    ("pods", "delete"): ended(0),
    ("pods", "patch"): ended(75),
    ("pods/log", "get"): ended(75),
    ("events", "list"): ended(75),
    ("events", "watch"): {"phase": "Pending", "conditions": []},
}
"""Status of a pod whose task asks for the permission."""


def run_once(cluster, run_dag, status):
    """State of a task whose pod has a status; one that is pending ends once it is watched."""

    def end_once_watched(method, path):
        if ("events", "watch") in cluster.asked:
            for pod in cluster.pods.values():
                pod["status"] = ended(0) if pod["status"]["phase"] == "Pending" else pod["status"]

    cluster.statuses, cluster.answer = [status], end_once_watched
    with DAG("role", schedule=None, default_args=STAGE_DEFAULTS | {"retries": 0}) as dag:
        caption(poll_interval=0.05, startup_check_interval_seconds=1)
    return str(run_dag(dag).get_task_instance("caption").state)


def test_every_documented_permission_has_a_flow_that_needs_it():
    assert set(FLOWS) == documented()


@pytest.mark.parametrize("missing", sorted(FLOWS), ids=" ".join)
def test_a_permission_that_is_missing_is_named_in_a_sentence(cluster, run_dag, capsys, missing):
    resource, verb = missing
    cluster.allowed -= {missing}
    run_once(cluster, run_dag, FLOWS[missing])
    assert missing in cluster.asked
    told = "".join(capsys.readouterr())
    named = [one for one in told.splitlines() if f'cannot {verb} resource "{resource}"' in one]
    assert any(
        "; the account needs the role of deploy/kubernetes/rbac.yaml" in one for one in named
    )


def test_what_is_not_permitted_is_said_once(cluster, run_dag, capsys):
    cluster.allowed -= {("pods", "delete")}
    assert run_once(cluster, run_dag, ended(0)) == "success"
    told = "".join(capsys.readouterr())
    assert told.count('cannot delete resource "pods"') == 1
