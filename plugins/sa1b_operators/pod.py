"""A stage as a pod with a GPU profile."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NoReturn

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.triggers.pod import KubernetesPodTrigger
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodNotFoundException, PodPhase
from airflow.sdk.exceptions import AirflowException, AirflowRescheduleException
from airflow.triggers.base import BaseTrigger
from kubernetes.client import V1Pod
from kubernetes.client.exceptions import ApiException

from sa1b_captions.profiles import load_profile
from sa1b_captions.settings import load_settings
from sa1b_operators import pod_causes
from sa1b_operators.base import StageOperator, raise_for, show_progress
from sa1b_operators.pod_spec import pod_arguments
from sa1b_operators.trigger import PROGRESS, SHOWN, ProgressPodTrigger

QUOTA_WAITS = 10
"""Times a pod over the quota is tried again before that uses up a retry: another task may have got
the pool's slot while the one whose pod holds the GPUs woke up to note its progress."""
QUOTA_WAIT = dt.timedelta(minutes=1)


class PodStageOperator(StageOperator, KubernetesPodOperator):
    """Runs a stage as a pod, and waits for it in the triggerer."""

    template_fields: Sequence[str] = ("shard", *KubernetesPodOperator.template_fields)

    def __init__(
        self,
        *,
        arguments: list[str],
        shard: str | None = None,
        profile: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Describe the stage.

        Args:
            arguments: as for StageOperator.
            shard: as for StageOperator, and for the pod's name, labels and deadline.
            profile: name in `pod_profiles.toml`; by default CAPTIONS_GPU_PROFILE.
            kwargs: as for StageOperator and KubernetesPodOperator; they win over the profile.

        Raises:
            SettingsError: a setting that only pods need is missing, or there is no such profile.
        """
        settings = load_settings()
        chosen = load_profile(profile or settings.gpu_profile)
        pod = pod_arguments(settings, chosen, stage=arguments[0], sharded=bool(shard))
        super().__init__(arguments=arguments, shard=shard, **{**pod, **kwargs})

    def build_pod_request_obj(self, context: Any = None, *, dry_run: bool = False) -> V1Pod:
        """The pod, with a deadline for every shard it takes."""
        pod = super().build_pod_request_obj(context, dry_run=dry_run)
        if self.shard and pod.spec.active_deadline_seconds:
            pod.spec.active_deadline_seconds *= self.shard_count
        return pod

    def execute(self, context: Any) -> Any:
        """Make the pod, or find the one that an earlier worker made, and wait for it."""
        try:
            return super().execute(context)
        except ApiException as error:
            self._refused(error, context)

    def _refused(self, error: ApiException, context: Any) -> NoReturn:
        """Fail, or come again in a minute when the quota is used up: that takes no retry."""
        cause = pod_causes.refusal(error)
        waits = context.get("task_reschedule_count", 0)
        if not pod_causes.over_quota(error) or waits >= QUOTA_WAITS:
            raise AirflowException(cause) from error
        self.log.warning("%s; trying again in a minute (%d of %d)", cause, waits + 1, QUOTA_WAITS)
        raise AirflowRescheduleException(  # type: ignore[no-untyped-call]
            dt.datetime.now(dt.UTC) + QUOTA_WAIT
        ) from error

    def defer(self, *, trigger: BaseTrigger, **kwargs: Any) -> NoReturn:
        """Defer to a trigger that reports the pod's progress as well."""
        if type(trigger) is KubernetesPodTrigger:
            trigger = ProgressPodTrigger(**trigger.serialize()[1])
        super().defer(trigger=trigger, **kwargs)

    def trigger_reentry(self, context: Any, event: dict[str, Any]) -> Any:
        """Note the pod's progress and wait on, or finish with what became of the pod."""
        if event["status"] != PROGRESS:
            return self._finish(context, event)
        show_progress(event["message"], context)
        try:
            self.pod = self.hook.get_pod(event["name"], event["namespace"])
        except ApiException:  # gone meanwhile, perhaps; the provider knows what to do about that
            return self._finish(context, {**event, "status": "error"})
        self.trigger_kwargs = {**(self.trigger_kwargs or {}), SHOWN: event[SHOWN]}
        return self.invoke_defer_method(event["last_log_time"], context)

    def _finish(self, context: Any, event: dict[str, Any]) -> Any:
        try:
            return super().trigger_reentry(context, event)
        except PodNotFoundException as error:
            raise AirflowException(
                f"pod {event['name']} is gone: it was deleted or preempted, or its node was lost; "
                "the next one resumes"
            ) from error

    def cleanup(
        self,
        pod: V1Pod,
        remote_pod: V1Pod,
        xcom_result: dict[str, Any] | None = None,
        context: Any = None,
    ) -> None:
        """Clean up after the pod; say in one sentence why it failed, and whether to retry."""
        try:
            super().cleanup(pod, remote_pod, xcom_result, context)
        except AirflowException as error:
            # Timed out, not ended: `delete_succeeded_pod` would leave it running on its GPUs.
            if remote_pod.status.phase in (PodPhase.PENDING, PodPhase.RUNNING):
                self.pod_manager.delete_pod(remote_pod)
            exit_code, cause = pod_causes.failure(remote_pod, self.base_container_name)
            if exit_code:
                raise_for(exit_code, cause)
            raise AirflowException(cause) from error
