"""GPU-hours that go to loading the model: pods that load it, and servers that stay up."""

from sa1b_captions.costs.fleet import HOUR_S
from sa1b_captions.costs.sourced import Numbers
from sa1b_captions.costs.work import Work


def lost_by_pods(work: Work, gpus: int, shards_per_pod: int, load_min: float) -> float:
    """GPU-hours that pods lose to it; one of fewer shards at the end counts by its share."""
    return work.shards / shards_per_pod * load_min / 60 * gpus


def lost_by_servers(
    work: Work, gpus: int, replicas: int, load_min: float, numbers: Numbers
) -> float:
    """GPU-hours that servers which stay up lose to loads and to waiting for work."""
    idle = work.shards * work.captioning_s / HOUR_S * gpus * numbers["fleet_idle_share"]
    return (replicas + numbers["fleet_restarts"]) * load_min / 60 * gpus + idle
