"""A release's folder while it is written: every file is hashed and counted on its way."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from sa1b_captions import layout
from sa1b_captions.release.manifest import ReleaseFile
from sa1b_captions.release.pieces import Piece
from sa1b_captions.storage import Store, Writer

ROWS_PER_GROUP = 20_000
"""Rows of a Parquet row group: about 20 MB of captions, which is all that is held in memory and
what a viewer reads to show one page."""
SHARD_BYTES = 400_000_000
"""Size from which a Parquet table goes on in another file; hubs show files below 500 MB."""


class HashingWriter:
    """Passes bytes on and knows their number and SHA-256; binary file enough for pyarrow."""

    closed = False
    rows: int | None = None
    """The caller's count of the rows it wrote."""

    def __init__(self, name: str, sink: Writer) -> None:
        self._name, self._sink = name, sink
        self._sha256 = hashlib.sha256()
        self.bytes = 0
        self.pieces: list[Piece] = []
        """Those that `cut` ended."""
        self._piece_sha256, self._piece_offset = hashlib.sha256(), 0

    def write(self, data: bytes, /) -> int:
        """Append bytes."""
        self._sink.write(data)
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
        self._pieces: dict[str, list[Piece]] = {}

    @property
    def files(self) -> list[ReleaseFile]:
        """Files written so far, by name."""
        return [self._files[name] for name in sorted(self._files)]

    @property
    def pieces(self) -> list[Piece]:
        """Pieces of the files written so far, by file and offset."""
        return [piece for name in sorted(self._pieces) for piece in self._pieces[name]]

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[HashingWriter]:
        """Stream a file: it appears when the block ends, not at all if the block raises."""
        with self.store.open_writer(layout.release_key(self.version, name)) as sink:
            writer = HashingWriter(name, sink)
            yield writer
            self._may_write()
        if writer.pieces:
            writer.cut()
        self._pieces[name] = writer.pieces
        self._files[name] = ReleaseFile(name, writer.rows, writer.bytes, writer.sha256)

    def write(self, name: str, data: bytes) -> None:
        """Write a file that is not a table."""
        with self.open(name) as writer:
            writer.write(data)

    @contextlib.contextmanager
    def open_parquet(
        self, prefix: str, schema: pa.Schema, shard_bytes: int = SHARD_BYTES
    ) -> Iterator["ParquetFiles"]:
        """Stream a table of any size into `train-00000.parquet` and so on under a prefix.

        All files appear when the block ends, none of the last if the block raises.
        """
        with ParquetFiles(self, prefix, schema, shard_bytes) as files:
            yield files
            files.flush()


class ParquetFiles:
    """Gathers tables into row groups of ROWS_PER_GROUP rows, and those into files."""

    def __init__(
        self, folder: ReleaseFolder, prefix: str, schema: pa.Schema, shard_bytes: int
    ) -> None:
        self._folder, self._prefix, self._schema = folder, prefix, schema
        self._shard_bytes = shard_bytes
        self._pending = schema.empty_table()
        self._number = 0
        self._open = contextlib.ExitStack()
        self._start()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        """End the last file, or leave it out on an error."""
        return self._open.__exit__(kind, error, traceback)

    def _start(self) -> None:
        name = f"{self._prefix}train-{self._number:05d}.parquet"
        self._writer = self._open.enter_context(self._folder.open(name))
        self._writer.rows = self._groups = 0
        # Captions do not repeat, so a dictionary only costs time; see records.write_table.
        self._parquet = pq.ParquetWriter(
            self._writer,
            self._schema,
            compression="zstd",
            use_dictionary=False,
            write_page_index=True,
            write_page_checksum=True,
        )
        # Also closed on an error, while the store's block is open: pyarrow would write the
        # footer later otherwise, to an object that is gone.
        self._open.callback(self._parquet.close)

    def add(self, table: pa.Table) -> None:
        """Append rows; the table's columns must be the schema's."""
        self._pending = pa.concat_tables([self._pending, table])
        while self._pending.num_rows >= ROWS_PER_GROUP:
            self._write(self._pending.slice(0, ROWS_PER_GROUP))
            self._pending = self._pending.slice(ROWS_PER_GROUP)

    def flush(self) -> None:
        """Write the rows that fill no group."""
        if self._pending.num_rows:
            self._write(self._pending)
            self._pending = self._pending.slice(self._pending.num_rows)

    def _write(self, group: pa.Table) -> None:
        if self._writer.bytes >= self._shard_bytes:
            self._open.close()
            self._number += 1
            self._start()
        self._parquet.write_table(group)
        self._writer.cut(row_group=str(self._groups))
        self._groups += 1
        self._writer.rows = (self._writer.rows or 0) + group.num_rows
