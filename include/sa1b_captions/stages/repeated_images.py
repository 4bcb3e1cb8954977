"""Part of the dedup stage: report images that are there under several ids."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import MissingKeyError
from sa1b_captions.outputs import read_curated
from sa1b_captions.quality.curated import READERS
from sa1b_captions.quality.duplicates.image_hashes import SAME_BYTES, SAME_LOOK, find_repeats
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.shards import format_selection

_log = logging.getLogger(__name__)


def report_repeats(
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
