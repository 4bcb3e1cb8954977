"""Why a pod failed, in one sentence."""

import signal
from collections.abc import Iterable
from typing import Any

from kubernetes.client import V1Pod

from sa1b_captions.errors import EXIT_NOTHING_TO_DO, EXIT_PERMANENT, EXIT_RETRYABLE
from sa1b_operators.lines import message_of
from sa1b_operators.pod_watch import disruption

_SIGNALLED = 128
_ENDINGS = ("Evicted", "Preempted", "Preempting", "TaintManagerEviction", "NodeNotReady")
"""Reasons of events that tell why a pod had to go."""


def failure(pod: V1Pod, container: str) -> tuple[int | None, str]:
    """Exit code of a failed pod's container, if it has one, and the cause in one sentence."""
    name = f"pod {pod.metadata.name}"
    status = pod.status
    if status.reason == "DeadlineExceeded":
        return None, f"{name} ran past its profile's active_deadline_s; the next one resumes"
    disrupted = status.message if status.reason else disruption(pod)
    if disrupted:
        return None, f"{name} was evicted: {disrupted}"
    state = next((s.state for s in status.container_statuses or () if s.name == container), None)
    if state is not None and state.terminated is not None:
        ended = state.terminated
        if ended.reason == "OOMKilled":
            return None, f"{name} ran out of memory; raise its profile's memory_gib"
        lines = (ended.message or "").strip().splitlines()
        last = message_of(lines[-1]) if lines else f"it ended as {ended.reason}, without a word"
        if ended.exit_code > _SIGNALLED:
            number = ended.exit_code - _SIGNALLED
            return ended.exit_code, f"{name} was ended by {_signal_name(number)}; last line: {last}"
        return ended.exit_code, last if lines else f"{name} failed: {last}"
    if state is not None and state.waiting is not None and state.waiting.reason:
        return None, f"{name} did not start: {state.waiting.reason}: {state.waiting.message}"
    if unscheduled := _unscheduled(pod):
        return None, f"{name} found no node: {unscheduled}"
    return None, f"{name} was {status.phase} when its time was up"


def ending(pod: V1Pod, container: str) -> str:
    """How a pod ended, in one word for the metrics."""
    status = pod.status
    if status.phase == "Succeeded":
        return "succeeded"
    if status.reason == "DeadlineExceeded":
        return "deadline"
    if status.reason or disruption(pod):
        return "evicted"
    state = next((s.state for s in status.container_statuses or () if s.name == container), None)
    if state is None or state.terminated is None:
        return "not_started" if status.phase == "Pending" else "timeout"
    if state.terminated.reason == "OOMKilled":
        return "memory"
    return {
        0: "succeeded",
        EXIT_PERMANENT: "permanent",
        EXIT_RETRYABLE: "retryable",
        EXIT_NOTHING_TO_DO: "nothing",
    }.get(state.terminated.exit_code, "fault")


def gone(name: str, known: str | None, events: Iterable[Any]) -> str:
    """Why a pod is not there any more, as far as it said itself or its events say."""
    if known:
        return f"pod {name} was evicted: {known}; the next one resumes"
    told = [event for event in events if event.reason in _ENDINGS]
    if told:
        last = told[-1]
        return f"pod {name} is gone: {last.reason}: {last.message}; the next one resumes"
    return (
        f"pod {name} is gone: it was deleted, evicted or preempted, or its node was lost; "
        "the next one resumes"
    )


def _signal_name(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


def _unscheduled(pod: V1Pod) -> str | None:
    for condition in pod.status.conditions or ():
        if condition.type == "PodScheduled" and condition.status == "False":
            return str(condition.message or condition.reason)
    return None
