"""Files that are hashed and counted while they are written."""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from sa1b_captions.release.pieces import Piece
from sa1b_captions.storage import Store, Writer

ROWS_PER_GROUP = 20_000
"""Rows of a Parquet row group: about 20 MB of captions, which is all that is held in memory and
what a viewer reads to show one page."""


@dataclass(frozen=True, slots=True)
class Written:
    """A file of which all is known."""

    key: str
    bytes: int
    rows: int
    sha256: str | None
    """Hexadecimal; None of a file that its pieces prove."""
    pieces: list[Piece]
    """All of it, in order."""


class HashingWriter:
    """Passes bytes on and knows their number and SHA-256; binary file enough for pyarrow.

    SHA-256 of lines costs as much as to make them, so where pieces prove all, the whole has none.
    """

    closed = False
    rows = 0
    """The caller's count of the rows it wrote."""

    def __init__(self, name: str, sink: Writer, *, pieces_only: bool = False) -> None:
        self._name, self._sink = name, sink
        self._sha256 = None if pieces_only else hashlib.sha256()
        self.bytes = 0
        self.pieces: list[Piece] = []
        """Those that `cut` ended."""
        self._piece_sha256, self._piece_offset = hashlib.sha256(), 0

    def write(self, data: bytes | memoryview, /) -> int:
        """Append bytes."""
        self._sink.write(data)
        if self._sha256 is not None:
            self._sha256.update(data)
        self._piece_sha256.update(data)
        self.bytes += len(data)
        return len(data)

    def cut(self, *, shard: str = "", row_group: str = "") -> None:
        """End a piece: what was written since the last, if anything was."""
        size = self.bytes - self._piece_offset
        if size:
            digest = self._piece_sha256.hexdigest()
            self.pieces.append(
                Piece(self._name, self._piece_offset, size, digest, shard, row_group)
            )
            self._piece_sha256, self._piece_offset = hashlib.sha256(), self.bytes

    def flush(self) -> None:
        """Do nothing; the store decides when bytes leave."""

    def close(self) -> None:
        """Do nothing; the store ends the object."""

    @property
    def sha256(self) -> str | None:
        """Of all bytes so far, hexadecimal; None where pieces alone are hashed."""
        return None if self._sha256 is None else self._sha256.hexdigest()

    def written(self) -> Written:
        """What is known of the file, once it has appeared."""
        return Written(self._name, self.bytes, self.rows, self.sha256, self.pieces)


@contextlib.contextmanager
def open_hashed(store: Store, key: str, *, pieces_only: bool = False) -> Iterator[HashingWriter]:
    """Stream a file: it appears when the block ends, not at all if the block raises."""
    with store.open_writer(key) as sink:
        yield HashingWriter(key, sink, pieces_only=pieces_only)


class ParquetTable:
    """Gathers tables into row groups of ROWS_PER_GROUP rows of one Parquet file."""

    def __init__(self, writer: HashingWriter, schema: pa.Schema) -> None:
        self._writer = writer
        self._pending = schema.empty_table()
        self._groups = 0
        # Captions do not repeat, so a dictionary only costs time; see records.write_table.
        self._parquet = pq.ParquetWriter(
            writer,
            schema,
            compression="zstd",
            use_dictionary=False,
            write_page_index=True,
            write_page_checksum=True,
        )

    def add(self, table: pa.Table) -> None:
        """Append rows; the table's columns must be the schema's."""
        self._pending = pa.concat_tables([self._pending, table])
        while self._pending.num_rows >= ROWS_PER_GROUP:
            self._write(self._pending.slice(0, ROWS_PER_GROUP))
            self._pending = self._pending.slice(ROWS_PER_GROUP)

    def close(self) -> None:
        """End the file."""
        if self._pending.num_rows:
            self._write(self._pending)
        self._parquet.close()
        self._writer.cut()

    def give_up(self) -> None:
        """End it anyhow: pyarrow would write a footer later, to an object that is gone."""
        self._parquet.close()

    def _write(self, group: pa.Table) -> None:
        self._parquet.write_table(group)
        self._writer.cut(row_group=str(self._groups))
        self._groups += 1
        self._writer.rows += group.num_rows
