"""Waiting for a pod in the triggerer, with a word now and then on how far it is.

Fires with what the provider's trigger fires with, and besides with the pod's progress, with a pod
of which nothing more can come, and with one whose image cannot be pulled. An API server that does
not answer is waited for.
"""

import asyncio
import contextlib
import datetime as dt
import math
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator
from functools import cached_property
from typing import Any

from airflow.providers.cncf.kubernetes.hooks.kubernetes import AsyncKubernetesHook
from airflow.providers.cncf.kubernetes.triggers.pod import KubernetesPodTrigger
from airflow.triggers.base import TriggerEvent

from sa1b_operators import api_errors, pod_watch
from sa1b_operators.lines import progress_of
from sa1b_operators.refusals import Refusals

PROGRESS = "progress"
"""Status of an event that only says how far the pod is; the task then waits on."""
LOST = "lost"
"""Status of an event that says why nothing more can come of the pod."""

PROGRESS_INTERVAL_S = 120.0
"""Between two looks at a pod. Its task has to wake up to note its progress, which costs as much as
its start did and takes a worker's slot for some seconds."""
EARLY_S = 600.0
LATER_INTERVAL_S = 600.0
"""Of a pod that has run for `EARLY_S`: between two such notes."""
FIRST_EVENT_S = 10.0
"""An event may not overtake the executor's report on the process that deferred the task: Airflow
takes that for the report on the resumed one, and fails a task that has not run yet."""
PULL_PATIENCE_S = 600.0
"""For an image that cannot be pulled; one that is only slow has the profile's startup_timeout_s."""
LOST_NODE_S = 300.0
OUTAGE_PATIENCE_S = 1800.0
OUTAGE_POLL_S = 10.0
CANCEL_AGAIN_S = 1.0

_OVERLAP_S = 10
"""The way to the worker's slot and back, in which a pod writes as well."""
_STAMPED = re.compile(r"^\d{4}-\d\d-\d\dT\S+Z (.*)")

# In the trigger's arguments and events, kept from one waiting to the next.
SHOWN = "_shown"
"""The line that was reported last."""
TROUBLE = "_pull_trouble_since"
"""Seconds since 1970 when the image could first not be pulled."""
KNOWN = "_known"
"""Why Kubernetes was about to end the pod when it was last seen."""


class PatientHook(AsyncKubernetesHook):
    """Waits for an API server that does not answer; remembers what it saw and met last."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.error: BaseException | None = None
        """What the last question for the pod raised."""
        self.disruption: str | None = None
        """Why Kubernetes ends the pod, as the pod last said."""
        self._silent_since: float | None = None
        self._refusals = Refusals(self.log, self.conn_id)

    @contextlib.asynccontextmanager
    async def get_conn(self) -> AsyncIterator[Any]:
        """As in the provider; what it is not permitted is said in the log."""
        async with super().get_conn() as client:
            self._refusals.watch_async(client)
            yield client

    async def watch_pod_events_polling_fallback(
        self, name: str, namespace: str, resource_version: str | None = None, interval: int = 30
    ) -> AsyncGenerator[Any, None]:
        """As in the provider, which says why in a traceback."""
        self.log.warning(
            'the account cannot watch resource "events" and asks for them now and then; %s',
            api_errors.ROLE,
        )
        events = super().watch_pod_events_polling_fallback(
            name, namespace, resource_version, interval
        )
        async for event in events:
            yield event

    async def get_pod(self, name: str, namespace: str) -> Any:
        """As in the provider, after an outage if need be."""
        while True:
            try:
                pod = await super().get_pod(name, namespace)
            except Exception as error:
                self.error = error
                if not await self._wait_for(error):
                    raise
            else:
                self.error = self._silent_since = None
                self.disruption = pod_watch.disruption(pod) or self.disruption
                return pod

    async def _wait_for(self, error: BaseException) -> bool:
        """Wait a little for the API server; False where waiting does not help (any more)."""
        now = time.monotonic()
        self._silent_since = self._silent_since or now
        if not api_errors.is_outage(error) or now - self._silent_since > OUTAGE_PATIENCE_S:
            return False
        self.log.warning("%s; waiting for it", api_errors.explain(error, self.conn_id))
        await asyncio.sleep(OUTAGE_POLL_S)
        return True


class ProgressPodTrigger(KubernetesPodTrigger):
    """The provider's trigger with a watch on the pod of its own."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Arguments and path, as the triggerer needs them."""
        _, arguments = super().serialize()
        return f"{__name__}.{type(self).__name__}", arguments

    @cached_property
    def hook(self) -> PatientHook:
        """Of the triggerer, which has the connection's extras but not always the connection."""
        return PatientHook(
            conn_id=self.kubernetes_conn_id,
            in_cluster=self.in_cluster,
            config_dict=self.config_dict,
            cluster_context=self.cluster_context,
            connection_extras=self.connection_extras,
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire once."""
        await asyncio.sleep(self._until_first_event_s())
        events = super().run()
        waiting = asyncio.ensure_future(anext(events))
        interval_s = self.trigger_kwargs.get("progress_interval_s", PROGRESS_INTERVAL_S)
        try:
            while True:
                done, _ = await asyncio.wait({waiting}, timeout=interval_s)
                if done:
                    yield self._told(waiting.result())
                    return
                if event := await self._look(interval_s):
                    await _end(waiting)
                    self._fired_event = True
                    yield TriggerEvent(event)  # type: ignore[no-untyped-call]
                    return
        finally:
            await _end(waiting)

    def _until_first_event_s(self) -> float:
        waited = dt.datetime.now(dt.UTC) - self.trigger_start_time
        return min(max(FIRST_EVENT_S - waited.total_seconds(), 0), FIRST_EVENT_S)

    def _told(self, event: TriggerEvent) -> TriggerEvent:
        """The provider's event; where Kubernetes failed, with a sentence instead of a traceback."""
        told = event.payload
        if told["status"] == "error" and self.hook.error is not None:
            told.pop("stack_trace", None)
            told["message"] = api_errors.explain(self.hook.error, self.kubernetes_conn_id)
        told[KNOWN] = self.hook.disruption
        return event

    async def _look(self, interval_s: float) -> dict[str, Any] | None:
        """An event if there is something to tell of the pod."""
        try:
            pod = await self.hook.get_pod(self.pod_name, self.pod_namespace)
        except Exception:  # the provider's trigger meets the same, and tells
            return None
        now = dt.datetime.now(dt.UTC)
        lost_node_s = self.trigger_kwargs.get("lost_node_s", LOST_NODE_S)
        if why := pod_watch.lost(pod, self.base_container_name, lost_node_s, now):
            return self._event(LOST, why)
        trouble = self._trouble_since(pod)
        if trouble is not None and time.time() - trouble > PULL_PATIENCE_S:
            return self._event("timeout", "the image could not be pulled")
        line = pod_watch.start_of(pod, self.base_container_name)
        line = line or await self._last_line(interval_s)
        if not line or line == self.trigger_kwargs.get(SHOWN) or self._told_lately(pod, now):
            return None
        return self._event(PROGRESS, line) | {SHOWN: line, TROUBLE: trouble}

    def _told_lately(self, pod: Any, now: dt.datetime) -> bool:
        """Whether a pod that has run for long has told its progress, if any, not long ago."""
        began, told = pod.status.start_time, self.trigger_start_time
        if began is None or SHOWN not in self.trigger_kwargs:
            return False
        waited_s = (now - told).total_seconds()
        return (now - began).total_seconds() > EARLY_S and waited_s < LATER_INTERVAL_S

    def _trouble_since(self, pod: Any) -> float | None:
        since: float | None = None
        if pod_watch.pull_trouble(pod, self.base_container_name):
            since = self.trigger_kwargs.get(TROUBLE) or time.time()
        self.trigger_kwargs[TROUBLE] = since
        return since

    def _event(self, status: str, message: str) -> dict[str, Any]:
        return {
            **self.trigger_kwargs,
            "status": status,
            "namespace": self.pod_namespace,
            "name": self.pod_name,
            "message": message,
            "last_log_time": self.last_log_time,
        }

    async def _last_line(self, interval_s: float) -> str | None:
        """What the pod says since last time of its progress, or else its newest line.

        None while it says nothing, or when its log cannot be read: the answer is then no line of
        the pod, which would begin with its time, but a message of the API server or the kubelet.
        """
        try:
            lines = await self.hook.read_logs(
                name=self.pod_name,
                namespace=self.pod_namespace,
                container_name=self.base_container_name,
                since_seconds=math.ceil(interval_s) + _OVERLAP_S,
            )
        except Exception as error:
            self.log.info("no progress of %s this time: %s", self.pod_name, error)
            return None
        return progress_of([found[1] for line in lines if (found := _STAMPED.match(line))]) or None


async def _end(task: asyncio.Future[Any]) -> None:
    """Cancel until it has ended: the provider's trigger loses a cancellation between two steps."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_AGAIN_S)
