"""Drop stage: delete raw shards that a campaign has no more use for; ingest brings them back.

Captions, reports and releases stay valid: what is written about a shard never points into its
archive. A report that is rendered later lacks the shard's images.
"""

import logging
from collections.abc import Iterable
from typing import Any

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.receipts.findings import Verdict
from sa1b_captions.receipts.receipt_files import (
    caption_place,
    read_receipt,
    require_receipt,
    shard_validation_place,
)
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.ingesting.shard_archive import delete_archive, stored_archives
from sa1b_captions.stages.status.status import is_done

log = logging.getLogger(__name__)


def drop_shards(campaign: Campaign, names: Iterable[str]) -> dict[str, Any]:
    """Delete archive, index and receipt of the shards that are done and did not fail their checks.

    The receipt goes first, so that a kill leaves none that vouches for what is gone; a second
    call deletes the rest.

    Returns:
        Names that were `dropped`, and for each one `kept` the reason.
    """
    store = campaign.store
    dropped, kept = [], {}
    for shard in names:
        if reason := _reason_to_keep(campaign, shard):
            log.info("%s is kept: %s", shard, reason)
            kept[shard] = reason
            continue
        store.delete(layout.ingest_receipt_key(shard))
        for generation in stored_archives(store, shard):
            delete_archive(store, shard, generation)
        log.info("%s is dropped; ingest --force brings it back", shard)
        dropped.append(shard)
    return {"stage": "drop", "dropped": dropped, "kept": kept}


def is_dropped(campaign: Campaign, shard: str) -> bool:
    """Whether a shard's archive is gone and all of its captions are there."""
    if campaign.store.exists(layout.ingest_receipt_key(shard)):
        return False
    return all(
        read_receipt(campaign.store, caption_place(campaign.name, track, shard)) for track in TRACKS
    )


def _reason_to_keep(campaign: Campaign, shard: str) -> str | None:
    if not is_done(campaign, shard):
        return "it is not captioned, curated and validated in all tracks"
    validation = require_receipt(campaign.store, shard_validation_place(campaign.name, shard))
    if validation.verdict == Verdict.FAIL:
        return "it failed its checks and may have to be captioned again"
    ingested = campaign.store.exists(layout.ingest_receipt_key(shard))
    if not ingested and not stored_archives(campaign.store, shard):
        return "it was dropped before; there is no archive to delete"
    return None
