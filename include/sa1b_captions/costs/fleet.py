"""The pods that caption, and what keeps them from it."""

from dataclasses import dataclass

from sa1b_captions.costs.sourced import Numbers
from sa1b_captions.errors import PermanentError

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Pods at work at once, and the times that are paid for and caption nothing."""

    gpus: float
    """Paid for with a pod: its own, and its part of those that no pod of a node takes."""
    places: int
    """Pods at once: what shards, nodes, pool and quota allow."""
    shards_per_pod: int
    passes: int = 1
    """Pods that each shard takes, one after the other: 2 with an audit."""
    node_start_s: float = 0.0
    """A new node joins and pulls the image; paid once for each place and after each preemption."""
    node_release_s: float = 0.0
    """A node without a pod is paid for so long at most."""
    pod_start_s: float = 0.0
    load_s: float = 0.0
    lost_s: float = 0.0
    """Work that a pod loses when it ends early."""
    preemptions_per_h: float = 0.0
    """Of a pod."""
    retried_pods: float = 0.0
    """Share of pods that end early once for another cause."""
    stragglers: float = 0.0
    """Share of pods that take `straggler_times` as long; in the simulation only."""
    straggler_times: float = 1.0
    ingest_s: float = 0.0
    """Of a shard."""
    downloads: int = 1
    """Shards that are ingested at once."""

    @property
    def begin_s(self) -> float:
        """From a pod's creation to its first caption."""
        return self.pod_start_s + self.load_s

    @property
    def retry_s(self) -> float:
        """What a pod costs that ends early on a node that stays."""
        return self.begin_s + self.lost_s

    @property
    def preemption_s(self) -> float:
        """What a pod costs whose node is taken away."""
        return self.node_start_s + self.retry_s

    @property
    def preempted_share(self) -> float:
        """Of all time of pods, what preemptions cost.

        Raises PermanentError: hardly any time would be left.
        """
        share = self.preemptions_per_h / HOUR_S * self.preemption_s
        if share > MOST_PREEMPTED:
            raise PermanentError(
                f"with {self.preemptions_per_h:g} preemptions an hour a pod spends "
                f"{min(share, 1):.0%} of its time on starting again; load the model faster, or "
                "take GPUs that stay"
            )
        return share


MOST_PREEMPTED = 0.9


def places_at_once(
    gpus: int, nodes: int, gpus_per_node: int, pool: int | None, quota_gpus: int | None
) -> int:
    """Pods that run at once.

    Args:
        gpus: of a pod.
        nodes: at most.
        gpus_per_node: of a node.
        pool: slots of Airflow's pool `gpu`; None for as many as there are nodes for.
        quota_gpus: GPUs that the namespace's quota allows; None for no quota.

    Raises PermanentError: not one pod fits.
    """
    if gpus_per_node < gpus:
        raise PermanentError(
            f"a pod takes {gpus} GPUs and a node has {gpus_per_node}; give --gpus-per-node"
        )
    if quota_gpus is not None and quota_gpus < gpus:
        raise PermanentError(
            f"a pod takes {gpus} GPUs and the quota allows {quota_gpus}; raise the quota"
        )
    places = nodes * (gpus_per_node // gpus)
    if quota_gpus is not None:
        places = min(places, quota_gpus // gpus)
    return places if pool is None else min(places, pool)


def lost_s(numbers: Numbers, window: int, shard_s: float, samples: float) -> float:
    """Work that a pod loses when it ends early; blocks that are stored stay.

    Args:
        numbers: says how many windows of captions.
        window: captions in flight.
        shard_s: seconds of a pod for a shard.
        samples: of a shard.
    """
    return numbers["lost_captions_windows"] * window * shard_s / samples
