"""The shards next to one, whose captions its own are compared with."""

from typing import Any

from sa1b_captions.campaign import Campaign
from sa1b_captions.quality.curated import read_all_metrics, read_curate_receipts
from sa1b_captions.quality.health.measures import nearest
from sa1b_captions.shards import shard_name, shard_number

_LOOKED_AT = 2
"""Times as many shards are looked at as are wanted: some are not curated yet."""


class Neighbours:
    """Metrics of curated shards around others; each shard is read once."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._numbers = [shard_number(shard) for shard in campaign.recipe.shards]
        self._metrics: dict[tuple[str, str], dict[str, Any] | None] = {}

    def of(self, track: str, shard: str) -> list[dict[str, Any]]:
        """Metrics of the nearest shards that are curated by the present rules, nearest first.

        Those that are curated later are not among them: a shard is judged by what there is.
        """
        wanted = self._campaign.recipe.quality.health.neighbours
        around = nearest(shard_number(shard), self._numbers, _LOOKED_AT * wanted)
        names = [shard_name(number) for number in around]
        self._read(track, [name for name in names if (track, name) not in self._metrics])
        found = (self._metrics[track, name] for name in names)
        return [metrics for metrics in found if metrics is not None][:wanted]

    def _read(self, track: str, shards: list[str]) -> None:
        receipts = read_curate_receipts(self._campaign, track, shards)
        curated = [receipt for receipt in receipts if receipt is not None]
        self._metrics |= {(track, shard): None for shard in shards}
        metrics = read_all_metrics(self._campaign, curated)
        self._metrics |= {(track, one.shard): m for one, m in zip(curated, metrics, strict=True)}
