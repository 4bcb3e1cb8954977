"""Duplicate captions: equal ones, and near ones that share most of their wording.

Two captions are equal when their normalised texts are: lower-case, every run of punctuation and
white space one space. They are near duplicates when the sets of their five-unit shingles have a
high Jaccard. Signatures stand for texts, so captions of all shards are compared without reading
any but the few that may be alike. The winner of a cluster is the caption with the lowest shard
number, then the lowest image ids, compared as numbers: the answer depends neither on order nor on
how samples are spread over shards.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from sa1b_captions import records
from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.duplicates import minhash
from sa1b_captions.quality.duplicates.clusters import Clusters, find_clusters
from sa1b_captions.quality.duplicates.in_memory import InMemory
from sa1b_captions.quality.duplicates.wording import buffers, normalised

SIGNATURE_BYTES = 16


def sign(captions: pl.Series) -> list[bytes]:
    """xxh3-128 of each normalised caption, 16 bytes big-endian."""
    return _exact(normalised(captions.to_arrow()))


def _exact(texts: pa.LargeStringArray) -> list[bytes]:
    data, offsets = buffers(texts)
    view, edges = data.data, offsets.tolist()
    # xxHash promises the same value in every version; polars' own hash does not.
    return [xxhash.xxh3_128_digest(view[start:end]) for start, end in pairwise(edges)]


def signature_table(rows: pa.Table, shard_number: int) -> pa.Table:
    """Signatures of rows (`sample_id`, `image_ids`, `caption`) of one shard, in their order."""
    texts = normalised(rows.column("caption"))
    bands = minhash.sign(texts).astype("<u8", copy=False)
    buffers = [None, pa.py_buffer(bands.tobytes())]
    binary = pa.binary(minhash.BAND_BYTES)
    return pa.table(
        {
            "sample_id": rows.column("sample_id"),
            "shard_number": pa.array([shard_number] * rows.num_rows, pa.int32()),
            "image_ids": rows.column("image_ids"),
            "text_xxh3": pa.array(_exact(texts), pa.binary(SIGNATURE_BYTES)),
            "signature_version": pa.array([minhash.SIGNATURE_VERSION] * rows.num_rows, pa.string()),
            "bands": pa.Array.from_buffers(binary, rows.num_rows, buffers),
        },
        schema=records.SIGNATURE_SCHEMA,
    )


class Signatures:
    """Exact and band hashes of a known number of captions, added in rank order."""

    def __init__(self, rows: int) -> None:
        self.rows = 0
        self.words = np.empty((rows, 2), np.uint64)
        self.bands = [np.empty(rows, np.uint64) for _ in range(minhash.BANDS)]

    def add(self, signatures: pa.Table, where: str) -> None:
        """Append rows of `records.SIGNATURE_SCHEMA`.

        Raises PermanentError: other code signed them, so their hashes mean something else.
        """
        for version in pc.unique(signatures.column("signature_version")).to_pylist():
            if version != minhash.SIGNATURE_VERSION:
                raise PermanentError(
                    f"{where} is signed by version {version}, this is "
                    f"{minhash.SIGNATURE_VERSION}; run sa1b-captions curate on the shard"
                )
        span = slice(self.rows, self.rows + signatures.num_rows)
        self.words[span] = _integers(signatures.column("text_xxh3"))
        for band, hashes in zip(self.bands, _integers(signatures.column("bands")).T, strict=True):
            band[span] = hashes
        self.rows = span.stop


def _integers(column: pa.ChunkedArray) -> np.ndarray:
    """Fixed-size binaries as rows of uint64."""
    width = column.type.byte_width
    pieces = [
        np.frombuffer(piece.buffers()[1], np.uint64, offset=piece.offset * width)[
            : len(piece) * width // 8
        ]
        for piece in column.chunks
        if len(piece)
    ]
    return np.concatenate([np.empty(0, np.uint64), *pieces]).reshape(-1, width // 8)


def rank(signatures: pa.Table) -> np.ndarray:
    """Places of the rows in the order in which captions win: by shard number, then image ids."""
    longest = pc.max(pc.list_value_length(signatures.column("image_ids"))).as_py() or 0
    frame = pl.DataFrame(signatures.select(["shard_number", "image_ids"])).with_row_index("place")
    ids = [pl.col("image_ids").list.get(place, null_on_oob=True) for place in range(longest)]
    # Nulls first: a group that ends sooner is lower, as with lists of numbers.
    return frame.sort([pl.col("shard_number"), *ids], nulls_last=False)["place"].to_numpy()


def find_duplicates(
    signatures: pa.Table, captions: pa.ChunkedArray, min_jaccard: float
) -> pa.Table:
    """Find the captions that another caption of a table in memory makes redundant.

    Args:
        signatures: rows of `records.SIGNATURE_SCHEMA` of one track, in any order, each sample
            once.
        min_jaccard: least Jaccard of near duplicates.

    Returns:
        Rows of `records.DUPLICATE_SCHEMA`, ascending by shard number and image ids.
    """
    order = rank(signatures)
    ranked = signatures.take(order)
    index = Signatures(ranked.num_rows)
    index.add(ranked, "the table")

    def read_texts(rows: np.ndarray) -> pa.LargeStringArray:
        return normalised(captions.take(pa.array(order[rows])))

    found = find_clusters(InMemory(index.words, index.bands, read_texts), min_jaccard)
    return duplicate_table(
        found, lambda rows: ranked.select(["sample_id", "shard_number"]).take(rows)
    )


def duplicate_table(found: Clusters, name: Callable[[np.ndarray], pa.Table]) -> pa.Table:
    """`records.DUPLICATE_SCHEMA` of clusters.

    Args:
        name: reads `sample_id` and `shard_number` of rows, in their order.
    """
    named = name(np.concatenate([found.losers, found.winners]))
    losers, winners = named.slice(0, len(found.losers)), named.slice(len(found.losers))
    return pa.table(
        {
            "sample_id": losers.column("sample_id"),
            "shard_number": losers.column("shard_number"),
            "winner": winners.column("sample_id"),
            "kind": pa.array(np.where(found.exact, "exact", "near"), pa.string()),
            "jaccard": found.jaccard,
        },
        schema=records.DUPLICATE_SCHEMA,
    )
