"""What is done, per shard and track, from receipts."""

from collections.abc import Sequence
from dataclasses import dataclass

from sa1b_captions.campaign import Campaign
from sa1b_captions.receipts import read_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.shards import ingest_receipt_key

STEPS = ("", "captioned", "curated")
"""How far a track of a shard can be, in order."""


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """How far one shard is."""

    shard: str
    ingested: bool
    tracks: dict[str, str]
    """One of STEPS for each track."""
    validated: bool

    @property
    def done(self) -> bool:
        """Whether every track is curated and the shard is validated."""
        return self.validated and all(step == "curated" for step in self.tracks.values())


def shard_statuses(campaign: Campaign, shards: Sequence[str] | None = None) -> list[ShardStatus]:
    """Status of some shards, by default of all the recipe's.

    Lists receipt keys, a page of a thousand at a time, rather than ask for each one.
    """
    wanted = campaign.recipe.shards if shards is None else shards
    keys = {key for key in campaign.store.list("shards/") if key.endswith(".receipt.json")}
    for folder in ("captions/", "curated/", "quality/shards/"):
        keys.update(
            key for key in campaign.store.list(campaign.prefix + folder) if key.endswith(".json")
        )
    return [_status(campaign, shard, keys) for shard in wanted]


def _status(campaign: Campaign, shard: str, keys: set[str]) -> ShardStatus:
    tracks = {}
    for track in TRACKS:
        captioned = campaign.caption_receipt(track, shard) in keys
        curated = captioned and campaign.curate_receipt(track, shard) in keys
        tracks[track] = STEPS[captioned + curated]
    return ShardStatus(
        shard=shard,
        ingested=ingest_receipt_key(shard) in keys,
        tracks=tracks,
        validated=campaign.shard_validation(shard) in keys,
    )


def is_done(campaign: Campaign, shard: str) -> bool:
    """Whether a shard is validated and curated in all tracks by the recipe's present rules."""
    if read_receipt(campaign.store, campaign.shard_validation(shard)) is None:
        return False
    receipts = (
        read_receipt(campaign.store, campaign.curate_receipt(track, shard)) for track in TRACKS
    )
    rules = campaign.recipe.quality_fingerprint
    return all(receipt and receipt["quality_fingerprint"] == rules for receipt in receipts)
