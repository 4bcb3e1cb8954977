"""What the curate and dedup stages left of one track over many shards."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.receipt_files import (
    curate_place,
    dedup_place,
    digest,
    read_receipt,
    require_receipt,
)
from sa1b_captions.receipts import CurateReceipt, DedupReceipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.shards import format_selection

READERS = 16
"""Objects read at once: a thousand small ones from S3 one by one take minutes."""

_SHOWN_CHARS = 200


def read_curate_receipts(
    campaign: Campaign, track: str, shards: Sequence[str]
) -> list[CurateReceipt | None]:
    """Curate receipts in the order of `shards`; None where other rules than today's made it."""
    rules = campaign.quality_fingerprint

    def read(shard: str) -> CurateReceipt | None:
        receipt = read_receipt(campaign.store, curate_place(campaign.name, track, shard))
        return receipt if receipt and receipt.quality_fingerprint == rules else None

    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(read, shards))


def require_curated(campaign: Campaign, track: str) -> list[CurateReceipt]:
    """Curate receipts of all the recipe's shards, in its order.

    Raises:
        PermanentError: naming the shards that still have to be curated.
    """
    shards = campaign.recipe.shards
    found = read_curate_receipts(campaign, track, shards)
    receipts = [receipt for receipt in found if receipt is not None]
    if len(receipts) < len(shards):
        missing = [shard for shard, receipt in zip(shards, found, strict=True) if receipt is None]
        raise PermanentError(
            f"{track}: {len(missing)} of {len(shards)} shards are not curated by the present "
            f"rules; run sa1b-captions curate --tracks {track} --shards "
            + _shortened(format_selection(missing))
        )
    return receipts


def require_deduplicated(
    campaign: Campaign, track: str, curated: Sequence[CurateReceipt]
) -> DedupReceipt:
    """Dedup receipt of a track.

    Args:
        campaign: recipe, store and name.
        track: one of the recipe's.
        curated: what `require_curated` found for it.

    Raises:
        PermanentError: dedup has not run, or saw other captions.
    """
    place = dedup_place(campaign.name, track)
    receipt = require_receipt(campaign.store, place)
    if receipt.input != digest(*curated):
        raise PermanentError(
            f"{track}: shards were curated again since dedup ran; run {place.command}"
        )
    return receipt


def curated_version(receipts: Mapping[str, CurateReceipt]) -> str:
    """Digest of a shard's curate receipts by track; what was made of others is outdated."""
    return digest(*(receipts.get(track) for track in TRACKS))


def read_metrics(campaign: Campaign, track: str, shards: Sequence[str]) -> list[dict[str, Any]]:
    """`metrics.json` of curated shards, in their order."""

    def read(shard: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(
            campaign.store.read(layout.curated_key(campaign.name, track, shard, "metrics.json"))
        )
        return content

    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(read, shards))


def _shortened(selection: str) -> str:
    if len(selection) <= _SHOWN_CHARS:
        return selection
    return selection[:_SHOWN_CHARS].rpartition(",")[0] + ",…"
