"""The pod of a stage, as arguments of KubernetesPodOperator."""

from typing import Any

from kubernetes.client import models as k8s

from sa1b_captions.errors import SettingsError
from sa1b_captions.settings import Settings, worker_environment
from sa1b_captions.settings.profiles import PodProfile

_USER_ID = 1000
_SHARD_NAME = "{{ task.first_shard }}"
_SHARD_COUNT = "{{ task.shard_count }}"
_POD_NAME = (
    "sa1b-{stage}-{{{{ task.first_shard }}}}"
    "{{{{ '' if task.shard_count == 1 else '-x%d' % task.shard_count }}}}"
)
"""Told apart by their suffix; a selection like 0-3,17 is no name and no label."""


def pod_arguments(
    settings: Settings, profile: PodProfile, *, stage: str, sharded: bool
) -> dict[str, Any]:
    """Arguments of KubernetesPodOperator for a stage's pod.

    The pod meets PodSecurity `restricted`, writes to memory and scratch volumes only, has no
    Kubernetes token, and gets the store's credentials from a Secret by name.

    Raises:
        SettingsError: a setting that only pods need is missing.
    """
    if settings.worker_image is None:
        raise SettingsError("CAPTIONS_RUNTIME=pod needs CAPTIONS_WORKER_IMAGE")
    if not settings.captions_root.startswith("s3://"):
        raise SettingsError("CAPTIONS_RUNTIME=pod needs CAPTIONS_ROOT=s3://…: pods share no disk")
    volumes = _volumes(settings, profile)
    return {
        "name": _POD_NAME.format(stage=stage) if sharded else f"sa1b-{stage}",
        "namespace": settings.namespace,
        "labels": _labels(settings, stage, sharded),
        # Moving a pod to fill a node better costs a load of the model; a drain is not held up.
        "annotations": {
            "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
            "karpenter.sh/do-not-disrupt": "true",
        },
        "image": settings.worker_image,
        "image_pull_policy": "IfNotPresent",
        "cmds": ["sa1b-captions"],
        "env_vars": _environment(settings)
        | {"CAPTIONS_IMAGE": settings.worker_image, "CAPTIONS_GPU_PROFILE": profile.name},
        "env_from": [
            k8s.V1EnvFromSource(secret_ref=k8s.V1SecretEnvSource(name=settings.store_secret))
        ],
        "container_resources": _resources(profile),
        "node_selector": dict(profile.node_selector),
        "tolerations": [
            k8s.V1Toleration(
                key=item.key, operator=item.operator, value=item.value, effect=item.effect
            )
            for item in profile.tolerations
        ],
        "volumes": [volume for volume, _ in volumes],
        "volume_mounts": [mount for _, mount in volumes],
        "security_context": k8s.V1PodSecurityContext(
            run_as_non_root=True,
            run_as_user=_USER_ID,
            run_as_group=_USER_ID,
            fs_group=_USER_ID,
            fs_group_change_policy="OnRootMismatch",
            seccomp_profile=k8s.V1SeccompProfile(type="RuntimeDefault"),
        ),
        "container_security_context": k8s.V1SecurityContext(
            run_as_non_root=True,
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=k8s.V1Capabilities(drop=["ALL"]),
            seccomp_profile=k8s.V1SeccompProfile(type="RuntimeDefault"),
        ),
        "service_account_name": settings.service_account,
        "automount_service_account_token": False,
        "priority_class_name": profile.priority_class,
        "active_deadline_seconds": profile.active_deadline_s,
        "termination_grace_period": profile.termination_grace_s,
        "startup_timeout_seconds": profile.startup_timeout_s,
        # The pod's status then carries its last log lines, and `failure` can quote them.
        "termination_message_policy": "FallbackToLogsOnError",
        "deferrable": True,
        "logging_interval": 30,
        "poll_interval": 10,
        "on_finish_action": "delete_succeeded_pod",
        "log_events_on_failure": True,
        "log_pod_spec_on_failure": False,
        "trigger_kwargs": {"lost_node_s": profile.lost_node_s},
    }


def _labels(settings: Settings, stage: str, sharded: bool) -> dict[str, str]:
    labels = {
        "app.kubernetes.io/name": "sa1b-captions",
        "app.kubernetes.io/component": stage,
        "sa1b-captions/campaign": settings.campaign.rstrip("._-"),
    }
    if sharded:
        labels |= {"sa1b-captions/shard": _SHARD_NAME, "sa1b-captions/shards": _SHARD_COUNT}
    return labels


def _environment(settings: Settings) -> dict[str, str]:
    return worker_environment(settings) | {
        # A volume of this pod alone.
        "HOME": "/tmp",  # noqa: S108
        "HF_HOME": "/models",
        "HF_HUB_OFFLINE": "1",
        # The model's own code is copied before it is imported, and /models is read-only.
        "HF_MODULES_CACHE": "/tmp/hf-modules",  # noqa: S108
        # glibc's per-thread arenas double the resident size under the decoders' threads.
        "MALLOC_ARENA_MAX": "2",
    }


def _resources(profile: PodProfile) -> k8s.V1ResourceRequirements:
    """Requests equal limits: the pod is the last to be evicted."""
    amounts = {
        "cpu": str(profile.cpus),
        "memory": f"{profile.memory_gib}Gi",
        "ephemeral-storage": f"{profile.scratch_gib + 1}Gi",  # scratch and the container's log
    }
    if profile.gpus:
        amounts[profile.gpu_resource] = str(profile.gpus)
    return k8s.V1ResourceRequirements(requests=dict(amounts), limits=amounts)


def _volumes(
    settings: Settings, profile: PodProfile
) -> list[tuple[k8s.V1Volume, k8s.V1VolumeMount]]:
    scratch = k8s.V1EmptyDirVolumeSource(size_limit=f"{profile.scratch_gib}Gi")
    pairs = [
        (
            k8s.V1Volume(name="scratch", empty_dir=scratch),
            k8s.V1VolumeMount(name="scratch", mount_path="/tmp"),  # noqa: S108
        )
    ]
    if profile.shared_memory_gib:
        memory = k8s.V1EmptyDirVolumeSource(
            medium="Memory", size_limit=f"{profile.shared_memory_gib}Gi"
        )
        pairs.append(
            (
                k8s.V1Volume(name="shared-memory", empty_dir=memory),
                k8s.V1VolumeMount(name="shared-memory", mount_path="/dev/shm"),  # noqa: S108
            )
        )
    if profile.gpus:
        claim = k8s.V1PersistentVolumeClaimVolumeSource(
            claim_name=settings.model_claim, read_only=True
        )
        pairs.append(
            (
                k8s.V1Volume(name="models", persistent_volume_claim=claim),
                k8s.V1VolumeMount(name="models", mount_path="/models", read_only=True),
            )
        )
    return pairs
