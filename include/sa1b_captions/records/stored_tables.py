"""How tables are stored as Parquet, proved by digests, and read."""

import json
from collections.abc import Collection

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from sa1b_captions.errors import PermanentError
from sa1b_captions.remedies import damaged
from sa1b_captions.storage import Store

OTHER_BYTES = (
    "its bytes are not those that its receipt names, unless its stage is running again right now"
)
"""How damage is noticed that nothing else shows."""


def content_digest(data: bytes) -> str:
    """What a receipt says of an object's bytes: xxh3-128, hexadecimal."""
    return xxhash.xxh3_128_hexdigest(data)


_ROWS = b"sa1b_rows"
"""Key of the metadata in which a part proves its own rows."""


def _rows_digest(table: pa.Table) -> bytes:
    return content_digest(json.dumps(table.to_pylist(), default=str).encode()).encode()


def with_proof(table: pa.Table) -> pa.Table:
    """The table with a digest of its rows beside its schema, which `proves_itself` checks."""
    return table.replace_schema_metadata({_ROWS: _rows_digest(table)})


def proves_itself(table: pa.Table) -> bool:
    """Whether the rows are those that were stored by `with_proof`.

    It tells a part that was written again, whole, from one whose bytes were damaged: neither is
    what its receipt names.
    """
    proof = (table.schema.metadata or {}).get(_ROWS)
    try:
        return proof is not None and proof == _rows_digest(table)
    except Exception:  # a flipped bit of the schema: of a time zone, a decimal, a text's end …
        return False


def write_table(
    store: Store,
    key: str,
    table: pa.Table,
    schema: pa.Schema,
    *,
    repeating: Collection[str] = (),
    group_rows: int | None = None,
) -> str:
    """Store a table as Parquet, atomically.

    The metadata of its schema, such as a proof, is stored as well.

    Args:
        schema: columns that it must have.
        repeating: columns whose values repeat.
        group_rows: rows of a row group, which has statistics of its own; None for one group.

    Returns:
        `content_digest` of what is stored, for the receipt.

    Raises PermanentError if the columns are not the schema's.
    """
    if table.schema.names != schema.names:
        raise PermanentError(f"{key}: columns {table.schema.names}, expected {schema.names}")
    sink = pa.BufferOutputStream()
    # Hashes do not compress; trying costs time.
    compression = {
        f.name: "NONE" if pa.types.is_fixed_size_binary(f.type) else "ZSTD" for f in schema
    }
    # Captions do not repeat, so a dictionary only costs time (measured: 17 %).
    pq.write_table(
        table.cast(schema).replace_schema_metadata(table.schema.metadata),
        sink,
        compression=compression,
        use_dictionary=list(repeating),
        row_group_size=group_rows,
        write_page_checksum=True,
    )
    data = sink.getvalue().to_pybytes()
    store.write(key, data)
    return content_digest(data)


def read_table(
    store: Store, key: str, columns: list[str] | None = None, *, digest: str | None = None
) -> pa.Table:
    """Read a stored Parquet table, or some of its columns.

    Args:
        columns: the wanted ones, in their order; None for all.
        digest: `content_digest` that its receipt names; None where that names none.

    Raises:
        MissingKeyError: there is no such object.
        DamagedObjectError: it is not what its receipt names, no Parquet, fails its own checksums,
            or lacks a column.
    """
    data = store.read(key)
    if digest is not None and content_digest(data) != digest:
        raise damaged(store.locate(key), key, OTHER_BYTES)
    return parse_table(data, store.locate(key), key, columns)


def parse_table(data: bytes, where: str, key: str, columns: list[str] | None = None) -> pa.Table:
    """A Parquet table, or some of its columns, of an object's bytes.

    Raises DamagedObjectError: it is no Parquet, fails its own checksums, or lacks a column.
    """
    try:
        # Not in Arrow's threads: letting go of Python's bytes there aborts a process that ends.
        file = pq.ParquetFile(
            pa.BufferReader(data), pre_buffer=False, page_checksum_verification=True
        )
        table = file.read(columns, use_threads=False)
        table.validate(full=True)  # or bytes that are no UTF-8 would only be found when used
    except (pa.ArrowException, OSError, KeyError, ValueError):
        raise damaged(where, key, "it is not readable Parquet") from None
    lacking = [name for name in columns or () if name not in table.column_names]
    if lacking:
        raise damaged(where, key, f"it has no column {', '.join(lacking)}")
    return table if columns is None else table.select(columns)
