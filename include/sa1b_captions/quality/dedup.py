"""Exact duplicates: captions that say the same, letter for letter.

Two captions are equal when their normalised texts are: lower-case, every run of punctuation and
white space one space. A signature stands for the text, so captions of all shards are compared
without reading one of them. The winner of equal captions is the one with the lowest shard number,
then the lowest image ids, compared as numbers: the answer depends neither on order nor on how
samples are spread over shards.
"""

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from sa1b_captions import records

SIGNATURE_BYTES = 16


def normalise(text: pl.Expr) -> pl.Expr:
    """Lower-case, runs of punctuation and white space as one space, none at either end."""
    return text.str.to_lowercase().str.replace_all(r"[\s\p{P}]+", " ").str.strip_chars(" ")


def sign(captions: pl.Series) -> list[bytes]:
    """xxh3-128 of each normalised caption, 16 bytes big-endian."""
    texts = captions.to_frame("caption").select(normalise(pl.col("caption"))).to_series()
    # xxHash promises the same value in every version; polars' own hash does not.
    return [xxhash.xxh3_128_digest(text.encode()) for text in texts]


def signature_table(rows: pa.Table, shard_number: int) -> pa.Table:
    """Signatures of rows (`sample_id`, `image_ids`, `caption`) of one shard, in their order."""
    signatures = sign(pl.Series(rows.column("caption").to_pylist(), dtype=pl.String))
    return pa.table(
        {
            "sample_id": rows.column("sample_id"),
            "shard_number": pa.array([shard_number] * rows.num_rows, pa.int32()),
            "image_ids": rows.column("image_ids"),
            "text_xxh3": pa.array(signatures, pa.binary(SIGNATURE_BYTES)),
        },
        schema=records.SIGNATURE_SCHEMA,
    )


def find_duplicates(signatures: pa.Table) -> pa.Table:
    """Find the captions that another caption of the table makes redundant.

    Args:
        signatures: rows of `records.SIGNATURE_SCHEMA` of one track, in any order, each sample
            once.

    Returns:
        Rows of `records.DUPLICATE_SCHEMA`, ascending by shard number and image ids.
    """
    # Two steps bound the memory: 8 bytes a row tell who may have an equal, and only those rows
    # (few, in captions that are any good) are sorted with everything they carry.
    suspects = _in_numeric_order(signatures.filter(pa.array(_repeated(signatures))))
    winners = suspects.group_by("text_xxh3", maintain_order=True).agg(
        winner=pl.col("sample_id").first()
    )
    losers = (
        suspects.join(winners, on="text_xxh3", maintain_order="left")
        .filter(pl.col("sample_id") != pl.col("winner"))
        .select("sample_id", "shard_number", "winner", kind=pl.lit("exact"))
    )
    return losers.to_arrow().cast(records.DUPLICATE_SCHEMA)


def _repeated(signatures: pa.Table) -> np.ndarray:
    """Whether another row begins with the same 8 bytes, per row."""
    return pl.Series(_first_words(signatures)).is_duplicated().to_numpy()


def _first_words(signatures: pa.Table) -> np.ndarray:
    column = signatures.column("text_xxh3")
    words = [_words(piece)[:, 0] for piece in column.chunks if len(piece)]
    return np.concatenate([np.empty(0, np.uint64), *words])


def _words(signatures: pa.FixedSizeBinaryArray) -> np.ndarray:
    """The two 64-bit words of each signature, (rows, 2) uint64."""
    words = np.frombuffer(signatures.buffers()[1], np.uint64).reshape(-1, 2)
    return words[signatures.offset : signatures.offset + len(signatures)]


def _in_numeric_order(signatures: pa.Table) -> pl.DataFrame:
    frame = pl.DataFrame(signatures)
    longest = pc.max(pc.list_value_length(signatures.column("image_ids"))).as_py() or 0
    ids = [pl.col("image_ids").list.get(place, null_on_oob=True) for place in range(longest)]
    # Nulls first: a group that ends sooner is lower, as with lists of numbers.
    return frame.sort([pl.col("shard_number"), *ids], nulls_last=False)
