"""Waiting for a pod in the triggerer, with a word now and then on how far it is."""

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.cncf.kubernetes.triggers.pod import KubernetesPodTrigger
from airflow.triggers.base import TriggerEvent

from sa1b_operators.lines import progress_of

PROGRESS = "progress"
"""Status of an event that only says how far the pod is; the task then waits on."""

PROGRESS_INTERVAL_S = 120.0
"""A task has to wake up to note its progress, which takes a worker's slot for some seconds."""

_OVERLAP_S = 10
"""The way to the worker's slot and back, in which a pod writes as well."""

SHOWN = "_shown"
"""In the trigger's arguments and events: the line that was reported last."""


class ProgressPodTrigger(KubernetesPodTrigger):
    """The provider's trigger; it also fires with the pod's progress when that has changed."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Arguments and path, as the triggerer needs them."""
        _, arguments = super().serialize()
        return f"{__name__}.{type(self).__name__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire with what the provider's trigger fires with, or with the pod's progress."""
        events = super().run()
        waiting = asyncio.ensure_future(anext(events))
        interval_s = self.trigger_kwargs.get("progress_interval_s", PROGRESS_INTERVAL_S)
        try:
            while True:
                done, _ = await asyncio.wait({waiting}, timeout=interval_s)
                if done:
                    yield waiting.result()
                    return
                line = await self._last_line(interval_s)
                if line and line != self.trigger_kwargs.get(SHOWN):
                    self._fired_event = True
                    yield TriggerEvent(self._progress(line))  # type: ignore[no-untyped-call]
                    return
        finally:
            waiting.cancel()

    def _progress(self, line: str) -> dict[str, Any]:
        return {
            **self.trigger_kwargs,
            "status": PROGRESS,
            "namespace": self.pod_namespace,
            "name": self.pod_name,
            "message": line,
            "last_log_time": self.last_log_time,
            SHOWN: line,
        }

    async def _last_line(self, interval_s: float) -> str | None:
        """What the pod says since last time of its progress, or else its newest line.

        None while it says nothing, or when its log cannot be read.
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
        return progress_of([line.partition(" ")[2] for line in lines]) or None
