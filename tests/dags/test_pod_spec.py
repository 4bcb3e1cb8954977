import json

import kubernetes_validate
import pytest
from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook
from kubernetes.client import ApiClient

from sa1b_captions.errors import SettingsError
from sa1b_captions.settings import load_settings
from sa1b_captions.settings.profiles import load_profile, profile_names
from tests.support.caption_pods import ARGUMENTS, IMAGE, caption


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
    assert environment["CAPTIONS_IMAGE"] == base(pod)["image"]
    assert environment["CAPTIONS_S3_ENDPOINT_URL"] == "http://store:8333"
    assert load_settings(environment).s3_endpoint_url == "http://store:8333"


def test_a_pod_is_not_moved_to_fill_a_node_better(pod):
    assert pod["metadata"]["annotations"] == {
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
        "karpenter.sh/do-not-disrupt": "true",
    }


def test_the_preview_fits_beside_the_systems_pods_on_a_small_node(monkeypatch, pod_settings):
    limits = base(build(monkeypatch, profile="cpu-preview"))["resources"]["limits"]
    assert (limits["cpu"], limits["memory"]) == ("1", "2Gi")


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
        (
            "CAPTIONS_GPU_PROFILE",
            "tpu",
            "has: a100x4, a10g-1gpu, awq-1gpu, cpu-openai, cpu-preview, h100x2",
        ),
    ],
)
def test_a_setting_pods_cannot_do_without_is_named(
    monkeypatch, pod_settings, airflow_db, name, value, message
):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=message):
        caption()
