import datetime as dt
import json
import re
import sys

import kubernetes_validate
import pytest
from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowException
from kubernetes.client import ApiClient

import sa1b_operators
import sa1b_pods
from fake_kubernetes import FakeKubernetes, container, ended
from process_kubernetes import ProcessKubernetes
from sa1b_captions.errors import SettingsError
from sa1b_captions.profiles import load_profile, profile_names
from sa1b_captions.settings import load_settings
from sa1b_operators import PROGRESS_KEY, STAGE_DEFAULTS, ShardStageOperator

ARGUMENTS = ["caption", "--shards", "sa_000017", "--engine", "preview"]
IMAGE = "registry.example/sa1b-captions-worker:0.1.0"


@pytest.fixture
def pod_settings(monkeypatch):
    for name, value in {
        "CAPTIONS_ROOT": "s3://sa1b/demo",
        "CAPTIONS_S3_ENDPOINT_URL": "http://store:8333",
        "CAPTIONS_WORKER_IMAGE": IMAGE,
    }.items():
        monkeypatch.setenv(name, value)


def caption(**arguments):
    return ShardStageOperator(
        **{"task_id": "caption", "shard": "sa_000017", "arguments": ARGUMENTS, "runtime": "pod"}
        | arguments
    )


def build(monkeypatch, **arguments):
    """The pod as it is sent, without a cluster."""
    monkeypatch.setattr(KubernetesHook, "is_in_cluster", False)
    operator = caption(**arguments)
    operator.render_template_fields({"task": operator})
    operator.name = operator._set_name(operator.name)
    return ApiClient().sanitize_for_serialization(operator.build_pod_request_obj())


@pytest.fixture
def pod(monkeypatch, pod_settings, airflow_db):
    return build(monkeypatch)


def base(pod):
    (found,) = pod["spec"]["containers"]
    return found


@pytest.mark.parametrize("profile", profile_names())
def test_every_profile_makes_a_valid_pod(monkeypatch, pod_settings, airflow_db, profile):
    kubernetes_validate.validate(build(monkeypatch, profile=profile), "1.34", strict=True)


def test_pod_runs_the_same_arguments(pod):
    assert base(pod)["command"] == ["sa1b-captions"]
    assert base(pod)["args"] == ARGUMENTS
    assert base(pod)["image"] == IMAGE


def test_pod_is_named_and_labelled_by_its_shard(pod):
    assert pod["metadata"]["name"].startswith("sa1b-caption-sa-000017-")
    assert pod["metadata"]["namespace"] == "sa1b-captions"
    labels = pod["metadata"]["labels"]
    assert labels["sa1b-captions/shard"] == "sa_000017"
    assert labels["sa1b-captions/campaign"] == "test"
    assert labels["app.kubernetes.io/component"] == "caption"


def test_a_pod_of_several_shards_is_named_by_the_first_and_given_their_time(
    monkeypatch, pod_settings, airflow_db
):
    pod = build(monkeypatch, shard="17-19,40")
    kubernetes_validate.validate(pod, "1.34", strict=True)
    assert pod["metadata"]["name"].startswith("sa1b-caption-sa-000017-x4-")
    labels = pod["metadata"]["labels"]
    assert labels["sa1b-captions/shard"] == "sa_000017"
    assert labels["sa1b-captions/shards"] == "4"
    assert pod["spec"]["activeDeadlineSeconds"] == 4 * load_profile("h100x4").active_deadline_s


def test_pod_asks_for_what_its_profile_says(pod):
    profile = load_profile("h100x4")
    resources = base(pod)["resources"]
    assert resources["limits"] == resources["requests"]
    assert resources["limits"]["nvidia.com/gpu"] == "4"
    assert resources["limits"]["memory"] == f"{profile.memory_gib}Gi"
    spec = pod["spec"]
    assert spec["nodeSelector"] == profile.node_selector
    assert spec["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]
    assert spec["activeDeadlineSeconds"] == profile.active_deadline_s
    assert spec["terminationGracePeriodSeconds"] == profile.termination_grace_s
    assert spec["priorityClassName"] == profile.priority_class
    assert spec["restartPolicy"] == "Never"


def test_a_profile_without_gpus_needs_neither_gpu_nor_model(monkeypatch, pod_settings, airflow_db):
    pod = build(monkeypatch, profile="cpu-preview")
    assert "nvidia.com/gpu" not in base(pod)["resources"]["limits"]
    assert [volume["name"] for volume in pod["spec"]["volumes"]] == ["scratch"]
    assert "tolerations" not in pod["spec"] or pod["spec"]["tolerations"] == []


def test_pod_meets_pod_security_restricted(pod):
    """The rules of the Kubernetes profile `restricted`, besides those on what it must not have."""
    for context in (pod["spec"]["securityContext"], base(pod)["securityContext"]):
        assert context["runAsNonRoot"] is True
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["spec"]["securityContext"]["runAsUser"] == 1000
    assert base(pod)["securityContext"]["allowPrivilegeEscalation"] is False
    assert base(pod)["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    kinds = {kind for volume in pod["spec"]["volumes"] for kind in volume} - {"name"}
    assert kinds <= {"emptyDir", "persistentVolumeClaim"}


def test_pod_writes_to_its_scratch_and_shared_memory_only(pod):
    assert base(pod)["securityContext"]["readOnlyRootFilesystem"] is True
    mounts = {mount["mountPath"]: mount for mount in base(pod)["volumeMounts"]}
    assert [path for path, mount in mounts.items() if not mount.get("readOnly")] == [
        "/tmp",
        "/dev/shm",
    ]
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert volumes["shared-memory"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "16Gi"}
    assert volumes["models"]["persistentVolumeClaim"] == {
        "claimName": "sa1b-models",
        "readOnly": True,
    }
    environment = {item["name"]: item["value"] for item in base(pod)["env"]}
    assert environment["HOME"] == "/tmp"
    assert environment["HF_MODULES_CACHE"].startswith("/tmp/")


def test_secrets_reach_the_pod_by_reference_only(monkeypatch, pod_settings, airflow_db):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
    pod = build(monkeypatch)
    assert base(pod)["envFrom"] == [{"secretRef": {"name": "sa1b-store"}}]
    assert "SECRET" not in json.dumps(pod)
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["serviceAccountName"] == "sa1b-worker"


def test_pod_reads_its_settings_from_the_deployment(pod):
    environment = {item["name"]: item["value"] for item in base(pod)["env"]}
    assert environment["CAPTIONS_ROOT"] == "s3://sa1b/demo"
    assert environment["CAPTIONS_CAMPAIGN"] == "test"
    assert environment["CAPTIONS_S3_ENDPOINT_URL"] == "http://store:8333"
    assert load_settings(environment).s3_endpoint_url == "http://store:8333"


def test_operator_defers_and_survives_a_lost_worker(pod_settings, airflow_db):
    operator = caption()
    assert operator.deferrable
    assert operator.durable
    assert operator.logging_interval == 30
    assert operator.startup_timeout_seconds == 1800
    assert not operator.do_xcom_push
    assert operator.on_finish_action == "delete_succeeded_pod"
    assert not operator.log_pod_spec_on_failure


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("CAPTIONS_WORKER_IMAGE", "", "needs CAPTIONS_WORKER_IMAGE"),
        ("CAPTIONS_WORKER_IMAGE", "worker:latest", "not latest"),
        ("CAPTIONS_ROOT", "file:///data", "needs CAPTIONS_ROOT=s3://"),
        ("CAPTIONS_GPU_PROFILE", "tpu", "which has: a100x4, awq-1gpu, cpu-preview, h100x4, h200x2"),
    ],
)
def test_a_setting_pods_cannot_do_without_is_named(
    monkeypatch, pod_settings, airflow_db, name, value, message
):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=message):
        caption()


# The whole operator, with the provider's own hook and trigger, against a fake API server.


@pytest.fixture
def cluster(monkeypatch, pod_settings):
    cluster = FakeKubernetes()
    extra = {"kube_config": cluster.kube_config()}
    connection = {"conn_type": "kubernetes", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_KUBERNETES_DEFAULT", json.dumps(connection))
    yield cluster
    cluster.close()


def run_caption(run_dag, **arguments):
    defaults = STAGE_DEFAULTS | {"retries": 1, "retry_delay": dt.timedelta(seconds=0.1)}
    with DAG("caption_pod", schedule=None, default_args=defaults) as dag:
        caption(poll_interval=0.05, startup_check_interval_seconds=1, **arguments)
    return run_dag(dag).get_task_instance("caption").state


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


def test_a_pod_that_never_starts_is_deleted_and_tried_again(cluster, run_dag):
    condition = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes: no GPU"}
    cluster.statuses = [{"phase": "Pending", "conditions": [condition]}]
    assert run_caption(run_dag, startup_timeout_seconds=1) == "failed"
    assert len(cluster.created) == 2
    assert cluster.pods == {}


def test_a_quota_that_is_used_up_is_named(cluster, airflow_db):
    cluster.refusal = (403, "pods is forbidden: exceeded quota: gpus, used: 4, limited: 4")
    operator = caption()
    operator.render_template_fields({"task": operator})
    context = {"ti": FakeTaskInstance, "run_id": "run", "dag": None}
    with pytest.raises(AirflowException, match="403: .*exceeded quota.*pool `gpu`") as raised:
        operator.execute(context | {"task_reschedule_count": sa1b_operators.QUOTA_WAITS})
    assert raised.type is AirflowException


def test_a_pod_over_the_quota_comes_again_without_using_up_a_retry(cluster, run_dag, monkeypatch):
    monkeypatch.setattr(sa1b_operators, "QUOTA_WAIT", dt.timedelta(seconds=0))
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
            {"phase": "Failed", "reason": "Evicted", "message": "node low on disk"},
            "was evicted: node low on disk",
        ),
        (
            ended(137) | {"conditions": [condition("DisruptionTarget", "True", "preempted")]},
            "was evicted: preempted",
        ),
        (
            pending(containerStatuses=waiting("ErrImagePull", "no such image")),
            "did not start: ErrImagePull: no such image",
        ),
        (
            pending(containerStatuses=waiting("InvalidImageName", "what is this")),
            "did not start: InvalidImageName: what is this",
        ),
        (
            pending(conditions=[condition("PodScheduled", "False", "0/3 nodes: no GPU")]),
            "found no node: 0/3 nodes: no GPU",
        ),
    ],
    ids=["memory", "evicted", "preempted", "pull", "image", "unschedulable"],
)
def test_the_last_line_of_the_tasks_log_is_the_cause(cluster, run_dag, capsys, status, cause):
    cluster.statuses = [status]
    state = run_caption(run_dag, startup_timeout_seconds=2, retries=0)
    assert state == "failed"
    assert cause in capsys.readouterr().out


class FakeTaskInstance:
    dag_id, task_id, map_index, try_number = "caption_pod", "caption", -1, 1


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
            {
                **ended(137),
                "conditions": [
                    {"type": "DisruptionTarget", "status": "True", "message": "preempted"}
                ],
            },
            None,
            "pod p was evicted: preempted",
        ),
        (
            {"phase": "Failed", "reason": "DeadlineExceeded"},
            None,
            "pod p ran past its profile's active_deadline_s",
        ),
        (
            {
                "phase": "Pending",
                "containerStatuses": [
                    container({"waiting": {"reason": "ErrImagePull", "message": "denied"}})
                ],
            },
            None,
            "pod p did not start: ErrImagePull: denied",
        ),
        (
            {
                "phase": "Pending",
                "conditions": [{"type": "PodScheduled", "status": "False", "message": "no GPU"}],
            },
            None,
            "pod p found no node: no GPU",
        ),
        ({"phase": "Running"}, None, "pod p was Running when its time was up"),
    ],
)
def test_the_cause_of_a_failed_pod_is_one_sentence(status, exit_code, cause):
    reply = type("Reply", (), {"data": json.dumps({"metadata": {"name": "p"}, "status": status})})
    pod = ApiClient().deserialize(reply, "V1Pod")
    found_code, found_cause = sa1b_pods.failure(pod, "base")
    assert found_code == exit_code
    assert re.match(cause, found_cause)
    assert "\n" not in found_cause


# The same with pods that really run.


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


def test_progress_of_a_running_pod_is_in_the_tasks_state(machine, run_dag):
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
        found = session.query(TaskStateStoreModel).filter_by(run_id=run.run_id, key=PROGRESS_KEY)
        assert [json.loads(row.value) for row in found] == [
            "sa_000017 20/30 samples, 4.0 samples/s"
        ]


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
