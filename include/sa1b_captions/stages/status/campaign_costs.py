"""What a campaign will take and cost, from what its store tells so far."""

import statistics
from collections.abc import Iterator, Sequence

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.costs.forecast import Forecast, Seen, Terms, forecast
from sa1b_captions.costs.sourced import Number
from sa1b_captions.costs.work import Mix, indexed_mix
from sa1b_captions.plurals import counted
from sa1b_captions.receipts import CaptionReceipt, IngestReceipt
from sa1b_captions.receipts.receipt_files import caption_place, ingest_place, read_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.status.status import ShardStatus, read_status

READ_SHARDS = 20
"""Shards whose receipts and indexes are read, spread evenly: more of them tell no more."""
WHOLE = 0.9
"""Share of a shard's samples that a run must have captioned for its pace to be the shard's."""


def forecast_campaign(
    campaign: Campaign, terms: Terms, given: dict[str, Number] | None = None
) -> Forecast | None:
    """Foretell the shards that are left, by the indexes and receipts of those that are not.

    Args:
        given: numbers that whoever asks knows better.

    Returns:
        The forecast; None where every shard is captioned.

    Raises PermanentError: a receipt or an index is damaged, or as `forecast` raises.
    """
    seen = see(campaign, terms.profile)
    return forecast(campaign.recipe, terms, seen, given) if seen.shards else None


def see(campaign: Campaign, profile: str) -> Seen:
    """Read what a campaign's store tells of pods of a profile.

    Raises PermanentError: a receipt or an index is damaged.
    """
    shards = read_status(campaign).shards
    captioned = [one.shard for one in shards if all(one.tracks.values())]
    ingests = _ingests(campaign, [one for one in shards if one.ingested])
    paces = list(_paces(campaign, _some(captioned), profile))
    loads = [load_s for _, load_s in paces if load_s is not None]
    numbers = {}
    if ingests:
        count = sum(one.images for one in ingests.values())
        size = sum(one.archive_bytes for one in ingests.values()) / 1e6
        numbers["megabytes_per_image"] = _measured(size / count, "MB", "ingest", len(ingests))
    timed = [
        (one.source_bytes - one.reused_bytes, one.seconds)
        for one in ingests.values()
        if one.seconds > 0 and one.source_bytes > one.reused_bytes
    ]
    if timed:
        speed = sum(size for size, _ in timed) / sum(seconds for _, seconds in timed) / 1e6
        numbers["download_mb_per_s"] = _measured(speed, "MB/s", "ingest", len(timed))
    if loads:
        minutes = statistics.fmean(loads) / 60
        numbers["load_min"] = _measured(minutes, "min", "caption", len(loads))
    return Seen(
        shards=len(shards) - len(captioned),
        mix=_mix(campaign, ingests),
        seconds=tuple(seconds for seconds, _ in paces),
        numbers=numbers,
    )


def _measured(value: float, unit: str, stage: str, receipts: int) -> Number:
    return Number(
        value, unit, "measured", f"{counted(receipts, f'{stage} receipt')} of this campaign's store"
    )


def _some(shards: Sequence[str]) -> Sequence[str]:
    return shards[:: max(1, -(-len(shards) // READ_SHARDS))]


def _ingests(campaign: Campaign, shards: Sequence[ShardStatus]) -> dict[str, IngestReceipt]:
    names = _some([one.shard for one in shards])
    found = {name: read_receipt(campaign.store, ingest_place(name)) for name in names}
    return {name: one for name, one in found.items() if one is not None and one.images}


def _mix(campaign: Campaign, ingests: dict[str, IngestReceipt]) -> Mix | None:
    if not ingests:
        return None
    sizes: list[tuple[int, int]] = []
    for shard, receipt in ingests.items():
        key = layout.index_key(shard, receipt.generation)
        table = records.read_table(
            campaign.store, key, ["width", "height"], digest=receipt.index
        ).to_pydict()
        sizes += zip(table["width"], table["height"], strict=True)
    return indexed_mix(campaign.recipe, len(ingests), sizes)


def _paces(
    campaign: Campaign, shards: Sequence[str], profile: str
) -> Iterator[tuple[float, float | None]]:
    """Seconds for each shard that one run of a pod captioned, and for its load where it had one."""
    for shard in shards:
        receipts: list[CaptionReceipt] = [
            found
            for track in TRACKS
            if (found := read_receipt(campaign.store, caption_place(campaign.name, track, shard)))
        ]
        planned = sum(receipt.planned for receipt in receipts)
        pace = receipts[0].pace if receipts else None
        if pace is None or pace.profile != profile or pace.samples < WHOLE * planned:
            continue
        if {receipt.model for receipt in receipts} == {campaign.recipe.model.id}:
            yield pace.seconds * planned / pace.samples, pace.load_s
