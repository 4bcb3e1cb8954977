"""A stage as a pod with a GPU profile."""

import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NoReturn

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.triggers.pod import KubernetesPodTrigger
from airflow.providers.cncf.kubernetes.utils.pod_manager import (
    PodPhase,
    detect_pod_terminate_early_issues,
)
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
)
from airflow.triggers.base import BaseTrigger
from kubernetes.client import CoreV1Api, V1Pod
from kubernetes.client.exceptions import ApiException

from sa1b_captions.observing import telemetry
from sa1b_captions.settings import load_settings
from sa1b_captions.settings.profiles import load_profile
from sa1b_operators import api_errors
from sa1b_operators.base import (
    StageOperator,
    count_retry,
    raise_for,
    send,
    show_node,
    show_progress,
)
from sa1b_operators.pod_causes import ending, failure, gone
from sa1b_operators.pod_spec import pod_arguments
from sa1b_operators.pod_watch import overdue_since, start_s
from sa1b_operators.refusals import Refusals
from sa1b_operators.trigger import KNOWN, LOST, PROGRESS, SHOWN, TROUBLE, ProgressPodTrigger

QUOTA_WAITS = 10
"""Times a pod over the quota is tried again before that uses up a retry: another task may have got
the pool's slot while the one whose pod holds the GPUs woke up to note its progress."""
OUTAGE_WAITS = 20
"""Times a task waits for an API server that is away before that uses up a retry."""
WAIT = dt.timedelta(minutes=1)
DYING_WAIT = dt.timedelta(seconds=15)

ERRORS = "_redefer_count"
"""In the trigger's arguments and events, where the provider counts the same."""


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

    @cached_property
    def client(self) -> CoreV1Api:
        """The provider's client; what it is not permitted is said in the log."""
        client = super().client
        Refusals(self.log, self.kubernetes_conn_id).watch(client.api_client)
        return client

    def build_pod_request_obj(self, context: Any = None, *, dry_run: bool = False) -> V1Pod:
        """The pod, with a deadline for every shard it takes."""
        pod = super().build_pod_request_obj(context, dry_run=dry_run)
        if self.shard and pod.spec.active_deadline_seconds:
            pod.spec.active_deadline_seconds *= self.shard_count
        return pod

    def execute(self, context: Any) -> Any:
        """Make the pod, or find the one that an earlier worker made, and wait for it."""
        if not context.get("task_reschedule_count"):
            count_retry(self.arguments[0], context)
        with self._asking_kubernetes(context):
            return super().execute(context)

    @contextlib.contextmanager
    def _asking_kubernetes(self, context: Any) -> Iterator[None]:
        """Say in one sentence why Kubernetes did not do it.

        A quota that is used up and an API server that is away are waited for, without a worker and
        without using up a retry; the task then begins anew and finds its pod.
        """
        try:
            yield
        except api_errors.ERRORS as error:
            cause = api_errors.explain(error, self.kubernetes_conn_id)
            if isinstance(error, api_errors.UNCONFIGURED):
                raise AirflowFailException(cause) from error
            most = QUOTA_WAITS if api_errors.over_quota(error) else 0
            most = OUTAGE_WAITS if api_errors.is_outage(error) else most
            waits = context.get("task_reschedule_count", 0)
            if waits >= most:
                raise AirflowException(cause) from error
            reason = "quota" if api_errors.over_quota(error) else "outage"
            again = f"{cause}; trying again in a minute ({waits + 1} of {most})"
            self._come_again(WAIT, again, reason)

    def _come_again(self, after: dt.timedelta, why: str, reason: str) -> NoReturn:
        self.log.warning("%s", why)
        minutes = after.total_seconds() / 60
        wait = telemetry.of(telemetry.POD_WAITS, minutes, stage=self.arguments[0], reason=reason)
        send(wait)
        raise AirflowRescheduleException(  # type: ignore[no-untyped-call]
            dt.datetime.now(dt.UTC) + after
        )

    def get_or_create_pod(self, pod_request_obj: V1Pod, context: Any) -> V1Pod:
        """The pod of an earlier worker if there is one, else a new one.

        One that is being deleted is none: its end is waited for, so that no two work on a shard,
        and where its node is silent it is brought about.
        """
        selector = self._build_find_pod_label_selector(context, exclude_checked=False)
        namespace = pod_request_obj.metadata.namespace
        for pod in self.client.list_namespaced_pod(namespace, label_selector=selector).items:
            if pod.metadata.deletion_timestamp is not None:
                if not overdue_since(pod, dt.datetime.now(dt.UTC)):
                    why = f"waiting for the end of pod {pod.metadata.name}"
                    self._come_again(DYING_WAIT, why, "dying")
                self._end_by_force(pod)
            elif pod.status.phase == PodPhase.SUCCEEDED:
                return pod  # its end was not noted: the provider would make another
        return super().get_or_create_pod(pod_request_obj, context)

    def defer(self, *, trigger: BaseTrigger, **kwargs: Any) -> NoReturn:
        """Defer to a trigger that watches the pod's progress and node as well."""
        if type(trigger) is KubernetesPodTrigger:
            trigger = ProgressPodTrigger(**trigger.serialize()[1])
        super().defer(trigger=trigger, **kwargs)

    def trigger_reentry(self, context: Any, event: dict[str, Any]) -> Any:
        """Note the pod's progress and wait on, or finish with what became of the pod."""
        if event["status"] == PROGRESS:
            show_progress(event["message"], context)
        with self._asking_kubernetes(context):
            return self._resume(context, event)

    def _resume(self, context: Any, event: dict[str, Any]) -> Any:
        status, name = event["status"], event["name"]
        pod = self._read_pod(name, event["namespace"])
        if pod is None and status != "success":
            self._count_end("gone")
            raise AirflowException(gone(name, event.get(KNOWN), self._events(event)))
        if status == PROGRESS and pod is not None and pod.spec.node_name:
            show_node(pod.spec.node_name, context)
        if status == LOST:
            self._count_end("lost")
            self._end_by_force(pod)
            raise AirflowException(f"pod {name} is gone: {event['message']}; the next one resumes")
        unwatched = status == "error" and not detect_pod_terminate_early_issues(pod)
        if status == PROGRESS or (unwatched and self._waits_on(event)):
            keys = (SHOWN, TROUBLE, *((ERRORS,) if unwatched else ()))
            kept = {key: event[key] for key in keys if event.get(key)}
            self.trigger_kwargs = {**(self.trigger_kwargs or {}), **kept}
            self.pod = pod
            return self.invoke_defer_method(event.get("last_log_time"), context)
        return super().trigger_reentry(context, event)

    def _waits_on(self, event: dict[str, Any]) -> bool:
        """Count the times that Kubernetes did not let the triggerer watch the pod.

        Raises:
            AirflowException: too many. The pod runs on, and the next try finds it.
        """
        event[ERRORS] = event.get(ERRORS, 0) + 1
        if event[ERRORS] > self.MAX_REDEFER_ATTEMPTS:
            raise AirflowException(f"{event['message']}; pod {event['name']} is not watched")
        self.log.warning("%s; waiting on", event["message"])
        return True

    def _count_end(self, how: str) -> None:
        send(telemetry.of(telemetry.PODS, stage=self.arguments[0], ending=how))

    def _read_pod(self, name: str, namespace: str) -> V1Pod | None:
        try:
            return self.hook.get_pod(name, namespace)
        except ApiException as error:
            if api_errors.is_missing(error):
                return None
            raise

    def _events(self, event: dict[str, Any]) -> list[Any]:
        """What Kubernetes noted of the pod; it keeps that for an hour."""
        selector = f"involvedObject.name={event['name']}"
        try:
            found = self.client.list_namespaced_event(event["namespace"], field_selector=selector)
        except api_errors.ERRORS as error:
            cause = api_errors.explain(error, self.kubernetes_conn_id)
            self.log.info("no events of %s: %s", event["name"], cause)
            return []
        return list(found.items)

    def _end_by_force(self, pod: V1Pod) -> None:
        """Let Kubernetes forget a pod whose node is silent; without permission, forget it here.

        Should it run on all the same, it can only write what its successor writes as well.
        """
        metadata = pod.metadata
        try:
            self.client.delete_namespaced_pod(
                metadata.name, metadata.namespace, grace_period_seconds=0
            )
        except ApiException as error:
            if api_errors.is_outage(error):
                raise
            if not api_errors.is_missing(error):
                self.log.warning("%s", api_errors.explain(error, self.kubernetes_conn_id))
                self.patch_already_checked(pod, reraise=False)

    def cleanup(
        self,
        pod: V1Pod,
        remote_pod: V1Pod,
        xcom_result: dict[str, Any] | None = None,
        context: Any = None,
    ) -> None:
        """Clean up after the pod; say in one sentence why it failed, and whether to retry."""
        if (began := start_s(remote_pod, self.base_container_name)) is not None:
            send(telemetry.of(telemetry.POD_START, began, stage=self.arguments[0]))
        self._count_end(ending(remote_pod, self.base_container_name))
        try:
            super().cleanup(pod, remote_pod, xcom_result, context)
        except AirflowException as error:
            # Timed out, not ended: `delete_succeeded_pod` would leave it running on its GPUs.
            if remote_pod.status.phase in (PodPhase.PENDING, PodPhase.RUNNING):
                self.pod_manager.delete_pod(remote_pod)
            exit_code, cause = failure(remote_pod, self.base_container_name)
            if exit_code:
                raise_for(exit_code, cause)
            raise AirflowException(cause) from error
