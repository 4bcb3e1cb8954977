"""A campaign played through, shard by shard, with what happens by chance.

What the formula cannot tell: pods on slow nodes that the others have finished before, shards that
differ, preemptions at the wrong time, and what pool, nodes and archives make each other wait for.
"""

import random
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sa1b_captions.costs.fleet import HOUR_S, Fleet
from sa1b_captions.costs.work import Work

if TYPE_CHECKING:
    import simpy


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one simulated campaign."""

    gpu_hours: float
    """Paid for."""
    wall_hours: float
    pods: int
    """Those made again included."""
    preemptions: int


@dataclass(slots=True)
class _Place:
    """Room for one pod, on a node that is paid for while it is there."""

    free_since_s: float | None = None
    """None before the first node."""


def simulate(work: Work, fleet: Fleet, seed: int = 0) -> Played:
    """Play a campaign through; the same arguments give the same answer.

    Raises PermanentError: preemptions leave hardly any time.
    """
    _ = fleet.preempted_share
    return _Campaign(work, fleet, seed).run()


class _Campaign:
    def __init__(self, work: Work, fleet: Fleet, seed: int) -> None:
        import simpy

        self._work, self._fleet = work, fleet
        self._random = random.Random(seed)
        self._clock = simpy.Environment()
        self._downloads = simpy.Resource(self._clock, fleet.downloads)
        self._places = simpy.Resource(self._clock, fleet.places)
        self._all_places = [_Place() for _ in range(fleet.places)]
        self._free = list(self._all_places)
        self._paid_s = self._end_s = 0.0
        self._pods = self._preemptions = 0

    def run(self) -> Played:
        left = self._work.shards
        while left > 0:
            shards = min(left, self._fleet.shards_per_pod)
            self._clock.process(self._group(shards))
            left -= shards
        self._clock.run()
        for place in self._all_places:
            if place.free_since_s is not None:
                self._paid_s += self._fleet.node_release_s
        hours = self._fleet.gpus / HOUR_S
        return Played(
            gpu_hours=self._paid_s * hours,
            wall_hours=self._end_s / HOUR_S,
            pods=self._pods,
            preemptions=self._preemptions,
        )

    def _group(self, shards: int) -> "Generator[simpy.Event, Any, None]":
        """Shards of one pod, from the download to the last caption."""
        fleet, clock = self._fleet, self._clock
        with self._downloads.request() as turn:
            yield turn
            yield clock.timeout(shards * fleet.ingest_s)
        with self._places.request() as turn:
            yield turn
            # The one that got free last: its node is the likeliest to be there still.
            place = self._free.pop()
            began_s = clock.now
            yield clock.timeout(self._node_s(place) + self._pods_s(shards))
            place.free_since_s = self._end_s = clock.now
            self._paid_s += clock.now - began_s
            self._free.append(place)

    def _node_s(self, place: _Place) -> float:
        """Until the place has a node; pays for one that stood there without a pod."""
        if place.free_since_s is not None:
            idle_s = self._clock.now - place.free_since_s
            self._paid_s += min(idle_s, self._fleet.node_release_s)
            if idle_s <= self._fleet.node_release_s:
                return 0.0
        return self._fleet.node_start_s

    def _pods_s(self, shards: int) -> float:
        """Of the pods that some shards take, those made again included."""
        fleet, chance = self._fleet, self._random
        work_s = sum(self._shard_s() for _ in range(shards))
        if chance.random() < fleet.stragglers:
            work_s *= fleet.straggler_times
        fails = chance.random() < fleet.retried_pods
        total_s = sum(self._pod_s(work_s / fleet.passes) for _ in range(fleet.passes))
        if fails:
            self._pods += 1
            total_s += fleet.retry_s
        return total_s

    def _shard_s(self) -> float:
        factor = self._random.gauss(1.0, self._work.spread) if self._work.spread else 1.0
        return self._work.shard_s * max(factor, 0.1)

    def _pod_s(self, work_s: float) -> float:
        """Until the work of one pod is done, preemptions included."""
        fleet = self._fleet
        per_s = fleet.preemptions_per_h / HOUR_S
        total_s, left_s, begin_s = 0.0, work_s, fleet.begin_s
        while True:
            self._pods += 1
            until_s = self._random.expovariate(per_s) if per_s else float("inf")
            if until_s >= begin_s + left_s:
                return total_s + begin_s + left_s
            self._preemptions += 1
            total_s += until_s
            done_s = max(0.0, until_s - begin_s - fleet.lost_s)
            left_s -= done_s
            begin_s = fleet.node_start_s + fleet.begin_s
