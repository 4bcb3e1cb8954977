"""The shards next to one, whose captions its own are compared with."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sa1b_captions.campaign import Campaign
from sa1b_captions.outputs import read_metrics_of
from sa1b_captions.quality.curated import READERS
from sa1b_captions.quality.health.measures import nearest
from sa1b_captions.shards import shard_name, shard_number
from sa1b_captions.stages.status.status import ShardStatus, read_status

_LOOKED_AT = 2
"""Times as many shards are looked at as are wanted: some are not curated yet."""


class Neighbours:
    """Metrics of curated shards around others; each shard is looked at once."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._numbers = [shard_number(shard) for shard in campaign.recipe.shards]
        self._statuses: dict[str, ShardStatus] = {}
        self._metrics: dict[tuple[str, str], dict[str, Any]] = {}

    def of(self, track: str, shard: str) -> list[dict[str, Any]]:
        """Metrics of the nearest shards that are curated by the present rules, nearest first.

        Those that are curated later are not among them: a shard is judged by what there is.
        """
        wanted = self._campaign.recipe.quality.health.neighbours
        around = nearest(shard_number(shard), self._numbers, _LOOKED_AT * wanted)
        self._look_at(sorted(around))
        names = [shard_name(number) for number in around]
        near = [name for name in names if self._statuses[name].tracks[track] == "curated"][:wanted]
        lacking = [name for name in near if (track, name) not in self._metrics]
        with ThreadPoolExecutor(READERS) as pool:
            found = pool.map(lambda name: self._read(track, name), lacking)
            self._metrics |= {(track, name): m for name, m in zip(lacking, found, strict=True)}
        return [self._metrics[track, name] for name in near]

    def _look_at(self, numbers: list[int]) -> None:
        names = [shard_name(number) for number in numbers]
        new = [name for name in names if name not in self._statuses]
        if new:
            self._statuses |= {one.shard: one for one in read_status(self._campaign, new).shards}

    def _read(self, track: str, shard: str) -> dict[str, Any]:
        digest = self._statuses[shard].metrics.get(track)
        return read_metrics_of(self._campaign, track, shard, digest)
