"""One operator for every stage; the caption stage can also run as a GPU pod.

Both runtimes take the same arguments: what follows `sa1b-captions` on a command line. Exit codes
decide what Airflow does: 65 (permanent) and 2 (wrong usage) fail at once, 99 (nothing to do)
skips, anything else retries.
"""

import contextlib
import datetime as dt
import json
import signal
import sys
from collections.abc import Sequence
from typing import Any, Literal, NoReturn
from urllib.parse import urlsplit

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.triggers.pod import KubernetesPodTrigger
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodNotFoundException, PodPhase
from airflow.sdk import BaseHook, BaseOperatorLink
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
)
from airflow.triggers.base import BaseTrigger
from kubernetes.client import V1Pod
from kubernetes.client.exceptions import ApiException

import sa1b_pods
from sa1b_captions.errors import EXIT_NOTHING_TO_DO, EXIT_PERMANENT
from sa1b_captions.profiles import load_profile
from sa1b_captions.settings import Runtime, load_settings
from sa1b_captions.shards import parse_selection
from sa1b_process import Ending, StageProcess
from sa1b_triggers import PROGRESS, SHOWN, ProgressPodTrigger

STAGE_DEFAULTS: dict[str, Any] = {
    "owner": "data-team",
    # Two at least: one for a lost pod or worker, one for an API server that is still starting.
    "retries": 3,
    "retry_delay": dt.timedelta(seconds=30),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": dt.timedelta(minutes=15),
    "execution_timeout": dt.timedelta(hours=2),
}
"""`default_args` of every DAG here."""

QUOTA_WAITS = 10
"""Times a pod over the quota is tried again before that uses up a retry: another task may have got
the pool's slot while the one whose pod holds the GPUs woke up to note its progress."""
QUOTA_WAIT = dt.timedelta(minutes=1)

LOCAL_COMMAND = (sys.executable, "-m", "sa1b_captions")
_EXIT_USAGE = 2
_CONNECTION = "connection:"

PROGRESS_KEY = "progress"
"""In the task's state store: how far its stage is, as its last line says."""

Report = Literal["shard", "run", "release"]


class QualityReportLink(BaseOperatorLink):
    """The button that opens a task's quality report in the console."""

    name = "Quality report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Path of the report below the address Airflow is served at."""
        report = operator.report
        if report == "shard" and operator.shard_count > 1:
            report = "run"
        page = {
            "shard": f"shards/{operator.shard}",
            "run": f"runs/{ti_key.dag_id}/{ti_key.run_id}",
            "release": "release",
        }[report]
        base = urlsplit(conf.get("api", "base_url", fallback="") or "").path
        return f"{base.rstrip('/')}/captions/{page}"


class ShardStageOperator(KubernetesPodOperator):
    """Run one stage: as a process beside Airflow, or as a pod with a GPU profile."""

    template_fields: Sequence[str] = ("shard", *KubernetesPodOperator.template_fields)
    operator_extra_links = (QualityReportLink(),)

    def __init__(
        self,
        *,
        arguments: list[str],
        shard: str | None = None,
        runtime: Runtime = "local",
        profile: str | None = None,
        report: Report | None = None,
        command: Sequence[str] = LOCAL_COMMAND,
        map_index_template: str | None = "{{ task.label }}",
        **kwargs: Any,
    ) -> None:
        """Describe the stage.

        Args:
            arguments: stage and options, as after `sa1b-captions`; templated.
            shard: the shard worked on, or a selection of some as `--shards` takes it, for pod
                names, labels, deadlines and the report link; templated.
            runtime: `local` for a process, `pod` for Kubernetes.
            profile: name in `pod_profiles.toml`; by default CAPTIONS_GPU_PROFILE.
            report: what *Quality report* opens; by default the shard's, or else the run's.
            command: what the local runtime puts before the arguments.
            map_index_template: name of a mapped task instance.
            kwargs: as for KubernetesPodOperator; they win over the profile.
        """
        self.shard = shard
        self.runtime = runtime
        self.report: Report = report or ("shard" if shard is not None else "run")
        self.command = command
        self._process: StageProcess | None = None
        if runtime == "pod":
            settings = load_settings()
            chosen = load_profile(profile or settings.gpu_profile)
            pod = sa1b_pods.pod_arguments(settings, chosen, stage=arguments[0], sharded=bool(shard))
            kwargs = {**pod, **kwargs}
        super().__init__(
            arguments=arguments,
            # Pods leave their results in the store: the XCom sidecar needs exec permission.
            do_xcom_push=runtime == "local",
            map_index_template=map_index_template,
            **kwargs,
        )

    @property
    def label(self) -> str:
        """What the stage works on: its shard, shards or tracks, or else its own name."""
        values = dict(zip(self.arguments, self.arguments[1:], strict=False))
        found = self.shard or values.get("--shards") or values.get("--tracks")
        return str(found or self.arguments[0])

    @property
    def first_shard(self) -> str:
        """The shard worked on, or the first of them."""
        return parse_selection(self.shard or "")[0]

    @property
    def shard_count(self) -> int:
        """How many shards are worked on."""
        return len(parse_selection(self.shard or ""))

    def build_pod_request_obj(self, context: Any = None, *, dry_run: bool = False) -> V1Pod:
        """The pod, with a deadline for every shard it takes."""
        pod = super().build_pod_request_obj(context, dry_run=dry_run)
        if self.shard and pod.spec.active_deadline_seconds:
            pod.spec.active_deadline_seconds *= self.shard_count
        return pod

    def execute(self, context: Any) -> Any:
        """Run the stage. The local runtime returns its JSON result."""
        if self.runtime == "pod":
            try:
                return super().execute(context)
            except ApiException as error:
                self._refused(error, context)
        secret = self._links_text()
        arguments = [*self.arguments, *([] if secret is None else ["--links", "-"])]
        self._process = StageProcess(
            [*self.command, *arguments], self.log.info, secret, lambda line: _show(line, context)
        )
        return self._result(self._process.run())

    def _refused(self, error: ApiException, context: Any) -> NoReturn:
        """Fail, or come again in a minute when the quota is used up: that takes no retry."""
        cause = sa1b_pods.refusal(error)
        waits = context.get("task_reschedule_count", 0)
        if not sa1b_pods.over_quota(error) or waits >= QUOTA_WAITS:
            raise AirflowException(cause) from error
        self.log.warning("%s; trying again in a minute (%d of %d)", cause, waits + 1, QUOTA_WAITS)
        raise AirflowRescheduleException(  # type: ignore[no-untyped-call]
            dt.datetime.now(dt.UTC) + QUOTA_WAIT
        ) from error

    def _links_text(self) -> str | None:
        """Text of the links file when an Airflow connection holds it; a pipe takes it to ingest."""
        links = load_settings().links if self.arguments[0] == "ingest" else None
        if links is None or not links.startswith(_CONNECTION):
            return None
        found = BaseHook.get_connection(links.removeprefix(_CONNECTION))
        if not found.password:
            raise AirflowFailException(f"{links} has no password; put the links file's text there")
        return str(found.password)

    def _result(self, ending: Ending) -> Any:
        stage = f"sa1b-captions {self.arguments[0]}"
        if ending.exit_code < 0:
            name = signal.Signals(-ending.exit_code).name
            raise AirflowException(f"{stage} was killed by {name}; last line: {ending.last_error}")
        _raise_for(ending.exit_code, ending.last_error or f"{stage} said nothing")
        try:
            result = json.loads(ending.last_output)
        except ValueError:
            result = None
        if not isinstance(result, dict):
            raise AirflowFailException(
                f"{stage} ended well but its last line is no JSON object: {ending.last_output!r}"
            )
        return result

    def defer(self, *, trigger: BaseTrigger, **kwargs: Any) -> NoReturn:
        """Defer to a trigger that reports the pod's progress as well."""
        if type(trigger) is KubernetesPodTrigger:
            trigger = ProgressPodTrigger(**trigger.serialize()[1])
        super().defer(trigger=trigger, **kwargs)

    def trigger_reentry(self, context: Any, event: dict[str, Any]) -> Any:
        """Note the pod's progress and wait on, or finish with what became of the pod."""
        if event["status"] != PROGRESS:
            return self._finish(context, event)
        _show(event["message"], context)
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
            exit_code, cause = sa1b_pods.failure(remote_pod, self.base_container_name)
            if exit_code:
                _raise_for(exit_code, cause)
            raise AirflowException(cause) from error

    def on_kill(self) -> None:
        """Stop the process, or delete the pod."""
        if self._process is not None:
            self._process.stop()
        super().on_kill()


def _show(line: str, context: Any) -> None:
    """Keep a stage's last line where Airflow shows it beside the task."""
    store = context.get("task_state_store")
    if store is not None:
        with contextlib.suppress(Exception):  # whatever it is, the stage goes on without it
            store.set(PROGRESS_KEY, line)


def _raise_for(exit_code: int, message: str) -> None:
    if exit_code in (EXIT_PERMANENT, _EXIT_USAGE):
        raise AirflowFailException(message)
    if exit_code == EXIT_NOTHING_TO_DO:
        raise AirflowSkipException(message)
    if exit_code != 0:
        raise AirflowException(f"{message} (exit code {exit_code})")
