"""A release's folder while it is written: every file is hashed and counted on its way."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from sa1b_captions import layout
from sa1b_captions.release.manifest import ReleaseFile
from sa1b_captions.storage import Store, Writer

ROWS_PER_GROUP = 20_000
"""Rows of a Parquet row group: about 20 MB of captions, which is all that is held in memory."""


class HashingWriter:
    """Passes bytes on and knows their number and SHA-256; binary file enough for pyarrow."""

    closed = False
    rows: int | None = None
    """The caller's count of the rows it wrote."""

    def __init__(self, sink: Writer) -> None:
        self._sink = sink
        self._sha256 = hashlib.sha256()
        self.bytes = 0

    def write(self, data: bytes, /) -> int:
        """Append bytes."""
        self._sink.write(data)
        self._sha256.update(data)
        self.bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing; the store decides when bytes leave."""

    def close(self) -> None:
        """Do nothing; the store ends the object."""

    @property
    def sha256(self) -> str:
        """Of all bytes so far, hexadecimal."""
        return self._sha256.hexdigest()


class ReleaseFolder:
    """Writes the files of one release and remembers them for the manifest."""

    def __init__(
        self, store: Store, version: str, may_write: Callable[[], None] = lambda: None
    ) -> None:
        """Open the folder; `may_write` raises once files must not appear in it any more."""
        self.store, self.version = store, version
        self._may_write = may_write
        self._files: dict[str, ReleaseFile] = {}

    @property
    def files(self) -> list[ReleaseFile]:
        """Files written so far, by name."""
        return [self._files[name] for name in sorted(self._files)]

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[HashingWriter]:
        """Stream a file: it appears when the block ends, not at all if the block raises."""
        with self.store.open_writer(layout.release_key(self.version, name)) as sink:
            writer = HashingWriter(sink)
            yield writer
            self._may_write()
        self._files[name] = ReleaseFile(name, writer.rows, writer.bytes, writer.sha256)

    def write(self, name: str, data: bytes) -> None:
        """Write a file that is not a table."""
        with self.open(name) as writer:
            writer.write(data)

    @contextlib.contextmanager
    def open_parquet(self, name: str, schema: pa.Schema) -> Iterator["RowGroups"]:
        """Stream a Parquet file from tables of any size."""
        with self.open(name) as writer:
            groups = RowGroups(writer, schema)
            # Also closed on an error, while the store's block is open: pyarrow would write the
            # footer later otherwise, to an object that is gone.
            with contextlib.closing(groups):
                yield groups
                groups.flush()


class RowGroups:
    """Gathers tables into row groups of ROWS_PER_GROUP rows."""

    def __init__(self, writer: HashingWriter, schema: pa.Schema) -> None:
        writer.rows = 0
        self._writer = writer
        self._pending = schema.empty_table()
        # Captions do not repeat, so a dictionary only costs time; see records.write_table.
        self._parquet = pq.ParquetWriter(writer, schema, compression="zstd", use_dictionary=False)

    def add(self, table: pa.Table) -> None:
        """Append rows; the table's columns must be the schema's."""
        self._writer.rows = (self._writer.rows or 0) + table.num_rows
        self._pending = pa.concat_tables([self._pending, table])
        while self._pending.num_rows >= ROWS_PER_GROUP:
            self._parquet.write_table(self._pending.slice(0, ROWS_PER_GROUP))
            self._pending = self._pending.slice(ROWS_PER_GROUP)

    def flush(self) -> None:
        """Write the rows that fill no group."""
        if self._pending.num_rows:
            self._parquet.write_table(self._pending)
            self._pending = self._pending.slice(self._pending.num_rows)

    def close(self) -> None:
        """Write the footer."""
        self._parquet.close()
