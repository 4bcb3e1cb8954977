"""What a pod that has not ended tells: that nothing more can come of it, or how far it is.

All from the pod itself: the operator's role may not read nodes. Pods are those of either client.
"""

import datetime as dt
from typing import Any

MARGIN = dt.timedelta(seconds=60)
"""What a kubelet that is alive takes at most, beyond the time it was given, to end a pod."""

PULL_TROUBLES = ("ErrImagePull", "ImagePullBackOff")
_DISRUPTION = "DisruptionTarget"
_MOST_CHARS = 200


def lost(pod: Any, container: str, lost_node_s: float, now: dt.datetime) -> str | None:
    """Why nothing more can come of a pod that has not ended, or None.

    Its node is silent: it does not end what it should have ended, or Kubernetes took the pod's
    `Ready` from it, as it does to the pods of a node that is NotReady, though the container's last
    word was that it is ready.
    """
    node = f"its node {pod.spec.node_name or ''}".rstrip()
    if (due := overdue_since(pod, now)) is not None:
        return f"it should have ended at {due:%H:%M:%S} UTC, and {node} does not end it"
    ready = _condition(pod, "Ready")
    status = _status_of(pod, container)
    silent = ready is not None and ready.status == "False" and status is not None and status.ready
    if silent and ready.last_transition_time + dt.timedelta(seconds=lost_node_s) < now:
        return f"{node} is silent since {ready.last_transition_time:%H:%M:%S} UTC"
    return None


def overdue_since(pod: Any, now: dt.datetime) -> dt.datetime | None:
    """When a pod should have ended, if that is well past: deleted, or beyond its deadline."""
    grace = dt.timedelta(
        seconds=pod.metadata.deletion_grace_period_seconds
        or pod.spec.termination_grace_period_seconds
        or 0
    )
    due = pod.metadata.deletion_timestamp
    if due is None and pod.spec.active_deadline_seconds and pod.status.start_time:
        due = pod.status.start_time + dt.timedelta(seconds=pod.spec.active_deadline_seconds)
    return due if due is not None and due + grace + MARGIN < now else None


def disruption(pod: Any) -> str | None:
    """Why Kubernetes ends a pod before its time, as far as the pod says."""
    found = _condition(pod, _DISRUPTION)
    if found is None or found.status != "True":
        return None
    return str(found.message or found.reason)


def pull_trouble(pod: Any, container: str) -> str | None:
    """Reason why a container's image is not pulled yet, if the last attempt failed."""
    reason = _waiting(pod, container)
    return reason if reason in PULL_TROUBLES else None


def start_of(pod: Any, container: str) -> str | None:
    """How far a pod is that has not started; None of one that has.

    What registries and kubelets say of their troubles is left out: it names internal addresses, and
    comes with the task's failure if it does not pass.
    """
    if pod.metadata.deletion_timestamp is not None:
        return "the pod is being deleted"
    if pod.status.phase != "Pending":
        return None
    scheduled = _condition(pod, "PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        return f"waits for a node: {scheduled.message or scheduled.reason}"[:_MOST_CHARS]
    if trouble := pull_trouble(pod, container):
        return f"the image cannot be pulled yet ({trouble}); Kubernetes tries again"
    return f"starts on its node ({_waiting(pod, container) or 'accepted'}): image and volumes"


def start_s(pod: Any, container: str) -> float | None:
    """Seconds from a pod's creation to its first process; None of one that had none."""
    status = _status_of(pod, container)
    state = status.state if status is not None else None
    begun = None if state is None else state.running or state.terminated
    if begun is None or begun.started_at is None or pod.metadata.creation_timestamp is None:
        return None
    waited = begun.started_at - pod.metadata.creation_timestamp
    return max(float(waited.total_seconds()), 0.0)


def _status_of(pod: Any, container: str) -> Any:
    found = pod.status.container_statuses or ()
    return next((status for status in found if status.name == container), None)


def _waiting(pod: Any, container: str) -> str | None:
    status = _status_of(pod, container)
    waiting = status.state.waiting if status is not None else None
    return None if waiting is None else waiting.reason


def _condition(pod: Any, kind: str) -> Any:
    return next((one for one in pod.status.conditions or () if one.type == kind), None)
