"""Dedup stage: find the captions of a track that repeat another shard's."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa

from sa1b_captions import records
from sa1b_captions.campaign import Campaign
from sa1b_captions.quality.curated import READERS, require_curated
from sa1b_captions.quality.dedup import find_duplicates
from sa1b_captions.receipts import digest, read_receipt, write_receipt

_log = logging.getLogger(__name__)


def dedup_track(
    campaign: Campaign, track: str, *, force: bool = False, run_id: str | None = None
) -> dict[str, Any]:
    """Compare the signatures of all the recipe's shards in one track.

    Returns:
        Rows compared and duplicates found.

    Raises:
        PermanentError: naming the shards that are not curated by the recipe's present rules.
        RetryableError: the store failed.
    """
    began = time.monotonic()
    store, shards = campaign.store, campaign.recipe.shards
    receipts = require_curated(campaign, track)
    version = digest(*receipts)
    standing = None if force else read_receipt(store, campaign.dedup_receipt(track))
    if standing is None or standing["input"] != version:
        keys = [campaign.curated(track, shard, "signatures.parquet") for shard in shards]
        with ThreadPoolExecutor(READERS) as pool:
            parts = pool.map(lambda key: records.read_table(store, key), keys)
            signatures = pa.concat_tables(parts)
        duplicates = find_duplicates(signatures)
        # Until the new receipt, an old one would vouch for what it has not seen.
        store.delete(campaign.dedup_receipt(track))
        records.write_table(store, campaign.duplicates(track), duplicates, records.DUPLICATE_SCHEMA)
        standing = write_receipt(
            store,
            campaign.dedup_receipt(track),
            stage="dedup",
            track=track,
            shards=len(shards),
            rows=signatures.num_rows,
            duplicates=duplicates.num_rows,
            input=version,
            run_id=run_id,
        )
    _log.info("%s: %d duplicates of %d", track, standing["duplicates"], standing["rows"])
    return {
        "rows": standing["rows"],
        "duplicates": standing["duplicates"],
        "seconds": round(time.monotonic() - began, 1),
    }
