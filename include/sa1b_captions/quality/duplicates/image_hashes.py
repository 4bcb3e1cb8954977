"""The same image under two ids: equal bytes, or an equal look.

It is reported and never a reason to reject: both captions are right. The look is a 64-bit
difference hash, which is a measure and no proof; it survives recompression nine times in ten, and
images of little but sky can share it.
"""

import numpy as np
import polars as pl
import pyarrow as pa

from sa1b_captions import records
from sa1b_captions.shards import shard_name

SAME_BYTES = "same_bytes"
SAME_LOOK = "same_look"

_FEW_BITS = 8
"""A look with fewer ones or noughts is a plain gradient and says nothing."""


def image_hash_table(rows: pa.Table, shard_number: int) -> pa.Table:
    """`records.IMAGE_HASH_SCHEMA` of single-image caption rows, those without hashes left out."""
    columns = pl.DataFrame(rows.select(["image_ids", "image_xxh3s", "image_dhashes"]))
    found = columns.select(
        pl.lit(shard_number, pl.Int32).alias("shard_number"),
        pl.col("image_ids").list.first().alias("image_id"),
        pl.col("image_xxh3s").list.first().alias("jpeg_xxh3"),
        pl.col("image_dhashes").list.first().alias("dhash"),
    )
    return found.drop_nulls("jpeg_xxh3").to_arrow().cast(records.IMAGE_HASH_SCHEMA)


def find_repeats(hashes: pa.Table) -> pa.Table:
    """Group images that are the same.

    Args:
        hashes: rows of `records.IMAGE_HASH_SCHEMA` of all shards. SA-1B's 11.2M take 6 s and,
            with everything loaded, 1.3 GiB.

    Returns:
        Rows of `records.REPEAT_SCHEMA`, ordered by group; groups of equal bytes come first, then
        those of an equal look whose bytes are not all equal. Within a group, and among groups by
        their first, images ascend by shard and id.
    """
    hashes = hashes.sort_by([("shard_number", "ascending"), ("image_id", "ascending")])
    column = {name: np.asarray(hashes.column(name)) for name in hashes.schema.names}
    bytes_hash, look = column["jpeg_xxh3"], column["dhash"]
    ones = np.bitwise_count(look.view(np.uint64))
    telling = np.flatnonzero(~hashes.column("dhash").is_null().to_numpy())
    telling = telling[(ones[telling] >= _FEW_BITS) & (ones[telling] <= 64 - _FEW_BITS)]
    groups = [(SAME_BYTES, group) for group in _equal(bytes_hash, np.arange(len(bytes_hash)))]
    groups += [
        (SAME_LOOK, group)
        for group in _equal(look, telling)
        if (bytes_hash[group] != bytes_hash[group[0]]).any()
    ]
    places = np.concatenate([np.empty(0, np.int64), *(group for _, group in groups)])
    numbers = np.repeat(np.arange(len(groups)), [len(group) for _, group in groups])
    kinds = [kind for kind, group in groups for _ in group]
    return pa.table(
        {
            "group": numbers,
            "kind": pa.array(kinds, pa.string()),
            "shard": [shard_name(int(number)) for number in column["shard_number"][places]],
            "image_id": column["image_id"][places],
        }
    ).cast(records.REPEAT_SCHEMA)


def _equal(keys: np.ndarray, places: np.ndarray) -> list[np.ndarray]:
    """Places with a key in common, two or more at a time; both orders ascend."""
    order = places[np.argsort(keys[places], kind="stable")]
    same = keys[order[1:]] == keys[order[:-1]]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    groups = [order[start : end + 1] for start, end in edges.reshape(-1, 2)]
    return sorted(groups, key=lambda group: int(group[0]))
