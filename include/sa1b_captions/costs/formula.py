"""GPU-hours and wall clock of a campaign as a formula, for pods that are all alike.

It is exact where nothing happens by chance. Preemptions and pods that are made again count with
what they cost on average; a slow node, which all others wait for at the end, does not count: the
simulation tells of those.
"""

from dataclasses import dataclass, replace

from sa1b_captions.costs.fleet import HOUR_S, Fleet
from sa1b_captions.costs.work import Work

PARTS = (
    "captioning",
    "captions tried again",
    "audit",
    "loading the model",
    "starting pods",
    "starting nodes",
    "pods made again",
    "preemptions",
    "nodes without a pod",
)
"""Of the GPU time, in the order they are told."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a campaign takes."""

    gpu_hours: dict[str, float]
    """Paid for, by part."""
    wall_hours: float

    @property
    def total_gpu_hours(self) -> float:
        """All parts together."""
        return sum(self.gpu_hours.values())


def estimate(work: Work, fleet: Fleet) -> Estimate:
    """Compute what some shards take. Raises PermanentError if preemptions leave hardly any time."""
    pods = -(-work.shards // fleet.shards_per_pod)
    places = min(fleet.places, pods)
    preempted = fleet.preempted_share
    seconds = {
        "captioning": work.shards * work.captioning_s,
        "captions tried again": work.shards * work.retried_s,
        "audit": work.shards * work.audit_s,
        "loading the model": pods * fleet.passes * fleet.load_s,
        "starting pods": pods * fleet.passes * fleet.pod_start_s,
        "pods made again": pods * fleet.retried_pods * fleet.retry_s,
    }
    seconds["preemptions"] = sum(seconds.values()) * preempted / (1 - preempted)
    seconds["starting nodes"] = places * fleet.node_start_s
    pod_s = _pod_s(fleet.shards_per_pod, work, fleet)
    seconds["nodes without a pod"] = places * fleet.node_release_s + (pods - places) * min(
        fleet.node_release_s, _wait_s(pod_s, fleet, places)
    )
    hours = {part: seconds[part] * fleet.gpus / HOUR_S for part in PARTS}
    return Estimate(hours, _wall_s(pods, places, work, fleet) / HOUR_S)


def interval(work: Work, fleet: Fleet) -> tuple[float, float]:
    """Wall hours if captioning is as fast, and as slow, as is likely."""
    low, high = (
        estimate(
            replace(
                work,
                captioning_s=work.captioning_s * factor,
                retried_s=work.retried_s * factor,
                audit_s=work.audit_s * factor,
            ),
            fleet,
        )
        for factor in (work.low, work.high)
    )
    return low.wall_hours, high.wall_hours


def _pod_s(shards: int, work: Work, fleet: Fleet) -> float:
    """Of the pods of some shards, one after the other, with what happens on average."""
    alone = fleet.passes * fleet.begin_s + shards * work.shard_s
    return (alone + fleet.retried_pods * fleet.retry_s) / (1 - fleet.preempted_share)


def _wait_s(pod_s: float, fleet: Fleet, places: int) -> float:
    """For archives, of a place between two pods."""
    ready_s = fleet.shards_per_pod * fleet.ingest_s / fleet.downloads
    return max(0.0, ready_s * places - pod_s)


def _wall_s(pods: int, places: int, work: Work, fleet: Fleet) -> float:
    """End of the last pod.

    Pods begin in the order that their archives come in, each when a place is free: pod n begins
    when its archives are in and pod n - places has ended. The longest of these chains decides.
    """
    rest = work.shards - (pods - 1) * fleet.shards_per_pod
    # The last one may have fewer shards than the one before it, whose end is then the later one.
    ends = [_end_s(pods - 1, rest, places, work, fleet)]
    if pods > 1:
        ends.append(_end_s(pods - 2, fleet.shards_per_pod, places, work, fleet))
    return max(ends)


def _end_s(pod: int, shards: int, places: int, work: Work, fleet: Fleet) -> float:
    """When a pod of some shards ends, all before it being full ones."""
    full_s = _pod_s(fleet.shards_per_pod, work, fleet)
    began_s = _ready_s(pod, shards, fleet)
    for i in range(1, pod // places + 1):
        ready_s = _ready_s(pod - i * places, fleet.shards_per_pod, fleet)
        began_s = max(began_s, ready_s + i * full_s)
    return began_s + fleet.node_start_s + _pod_s(shards, work, fleet)


def _ready_s(pod: int, shards: int, fleet: Fleet) -> float:
    """When the archives of a pod of some shards are in."""
    before = pod // fleet.downloads * fleet.shards_per_pod
    return (before + shards) * fleet.ingest_s
