"""Dedup stage: find the captions of a track that repeat another shard's.

All shards' signatures are compared, in this process' memory or as tasks on other machines; of the
texts, only those that may be alike are read. Captions that curate left out as near duplicates take
part too: one of them can join captions of other shards into one cluster, as it would if all were
one shard.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import MissingKeyError
from sa1b_captions.outputs import read_curated
from sa1b_captions.plurals import counted
from sa1b_captions.process import cpu_lap_s
from sa1b_captions.quality.curated import READERS, require_curated
from sa1b_captions.quality.duplicates.clusters import Clusters, find_clusters
from sa1b_captions.quality.duplicates.image_hashes import SAME_BYTES, SAME_LOOK, find_repeats
from sa1b_captions.quality.duplicates.loaded import Loaded
from sa1b_captions.quality.duplicates.ranked_shard import RankedShard
from sa1b_captions.quality.duplicates.scattered import Scattered, Tasks
from sa1b_captions.quality.duplicates.signatures import duplicate_table
from sa1b_captions.receipts import CurateReceipt, DedupReceipt
from sa1b_captions.receipts.receipt_files import dedup_place, digest, read_receipt, write_receipt
from sa1b_captions.recipe import WHOLE_TRACK
from sa1b_captions.shards import format_selection, shard_number
from sa1b_captions.storage import ABANDONED_S

_log = logging.getLogger(__name__)


def dedup_track(
    campaign: Campaign,
    track: str,
    *,
    force: bool = False,
    run_id: str | None = None,
    tasks: Callable[[], Tasks] | None = None,
) -> dict[str, Any]:
    """Compare the signatures of all the recipe's shards in one track.

    Args:
        tasks: opens what does the work elsewhere; None for this process. What is stored is the
            same.

    Returns:
        Rows compared and duplicates found.

    Raises PermanentError naming the shards that are not curated by the recipe's present rules.
    """
    began = time.monotonic()
    store, shards = campaign.store, campaign.recipe.shards
    receipts = require_curated(campaign, track)
    version = digest(*receipts)
    place = dedup_place(campaign.name, track)
    done = None if force else read_receipt(store, place)
    if done is None or done.input != version:
        found, duplicates = _find_duplicates(campaign, receipts, tasks() if tasks else None)
        # Until the new receipt, an old one would vouch for what it has not seen.
        store.delete(place.key)
        store.clear_unfinished(layout.dedup_prefix(campaign.name, track), ABANDONED_S)
        written = records.write_table(
            store, layout.duplicates_key(campaign.name, track), duplicates, records.DUPLICATE_SCHEMA
        )
        files = {"duplicates.parquet": written}
        repeats: dict[str, int] = {}
        if track == WHOLE_TRACK:
            repeats, files["photographs.parquet"] = _report_repeats(campaign, receipts)
        done = write_receipt(
            store,
            place,
            DedupReceipt(
                track=track,
                shards=len(shards),
                selection=format_selection(shards),
                rows=sum(receipt.accepted for receipt in receipts),
                duplicates=duplicates.num_rows,
                near_duplicates=pc.sum(pc.equal(duplicates.column("kind"), "near")).as_py() or 0,
                candidate_pairs=found.candidates,
                confirmed_pairs=found.confirmed,
                large_buckets=found.large_buckets,
                alike=found.alike,
                repeated_photographs=repeats,
                input=version,
                files=files,
                cpu_s=None if tasks else cpu_lap_s(),
                run_id=run_id,
            ),
        )
    _log.info("%s: %s of %d", track, counted(done.duplicates, "duplicate"), done.rows)
    return {
        "rows": done.rows,
        "duplicates": done.duplicates,
        "seconds": round(time.monotonic() - began, 1),
    }


def _find_duplicates(
    campaign: Campaign, receipts: Sequence[CurateReceipt], tasks: Tasks | None
) -> tuple[Clusters, pa.Table]:
    in_order = sorted(receipts, key=lambda receipt: shard_number(receipt.shard))
    shards = [RankedShard(campaign, receipt) for receipt in in_order]
    captions = Loaded(shards) if tasks is None else Scattered(shards, tasks)
    found = find_clusters(captions, campaign.recipe.quality.near_duplicate_jaccard)
    table = duplicate_table(found, captions.name)
    # What curate left out is rejected already.
    return found, table.filter(pa.array(~np.isin(found.losers, captions.links[:, 0])))


def _report_repeats(
    campaign: Campaign, curated: Sequence[CurateReceipt]
) -> tuple[dict[str, int], str]:
    """Compare the images of all curated shards and store the groups of equal ones.

    Args:
        curated: receipts of the track that covers every image, one for each shard.

    Returns:
        Images in groups of each kind, and how many were compared. Shards that were curated before
        images were hashed count for none. And the digest of the stored groups.
    """
    unhashed: list[str] = []

    def read(receipt: CurateReceipt) -> pa.Table:
        try:
            return read_curated(campaign, receipt, "photographs.parquet")
        except MissingKeyError:
            unhashed.append(receipt.shard)
            return records.IMAGE_HASH_SCHEMA.empty_table()

    with ThreadPoolExecutor(READERS) as pool:
        hashes = pa.concat_tables(pool.map(read, curated))
    if unhashed:
        shards = format_selection(unhashed)
        _log.warning("shards %s: no hashes of images; curate them again with --force", shards)
    repeats = find_repeats(hashes)
    key = layout.repeated_images_key(campaign.name)
    written = records.write_table(campaign.store, key, repeats, records.REPEAT_SCHEMA)
    kinds = repeats.column("kind")
    counts = {kind: pc.sum(pc.equal(kinds, kind)).as_py() or 0 for kind in (SAME_BYTES, SAME_LOOK)}
    return counts | {"compared": hashes.num_rows}, written
