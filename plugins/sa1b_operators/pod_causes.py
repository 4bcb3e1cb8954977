"""Why a pod failed or was refused, in one sentence."""

import json
import signal
from http import HTTPStatus

from kubernetes.client import V1Pod
from kubernetes.client.exceptions import ApiException

from sa1b_operators.lines import message_of

_DISRUPTION = "DisruptionTarget"
_SIGNALLED = 128


def failure(pod: V1Pod, container: str) -> tuple[int | None, str]:
    """Exit code of a failed pod's container, if it has one, and the cause in one sentence."""
    name = f"pod {pod.metadata.name}"
    status = pod.status
    if status.reason == "DeadlineExceeded":
        return None, f"{name} ran past its profile's active_deadline_s; the next one resumes"
    disrupted = status.message if status.reason else _condition(pod, _DISRUPTION, "True")
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
    if unscheduled := _condition(pod, "PodScheduled", "False"):
        return None, f"{name} found no node: {unscheduled}"
    return None, f"{name} was {status.phase} when its time was up"


def _signal_name(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


def _condition(pod: V1Pod, kind: str, value: str) -> str | None:
    for condition in pod.status.conditions or ():
        if condition.type == kind and condition.status == value:
            return str(condition.message or condition.reason)
    return None


def over_quota(error: ApiException) -> bool:
    """Whether Kubernetes refused a pod because the namespace's quota is used up."""
    return error.status == HTTPStatus.FORBIDDEN and "exceeded quota" in str(error.body)


def refusal(error: ApiException) -> str:
    """Why Kubernetes refused a request, in one sentence."""
    try:
        message = json.loads(error.body)["message"]
    except (KeyError, TypeError, ValueError):
        message = error.reason
    if over_quota(error):
        message = f"{message}; pool `gpu` must not hold more pods than the quota has GPUs for"
    return f"Kubernetes refused the pod with {error.status}: {message}"
