"""A release's folder while it is written: every file in it is remembered for the manifest."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sa1b_captions import layout
from sa1b_captions.errors import PermanentError
from sa1b_captions.release.manifest import ReleaseFile
from sa1b_captions.release.pieces import Piece
from sa1b_captions.release.written import HashingWriter, Written
from sa1b_captions.storage import Store


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
        self._pieces[name] = []
        self._files[name] = ReleaseFile(name, None, writer.bytes, writer.sha256)

    def write(self, name: str, data: bytes) -> None:
        """Write a file that is not a table."""
        with self.open(name) as writer:
            writer.write(data)

    def assemble(self, name: str, parts: Sequence[Written]) -> None:
        """Put a file together from written ones, in their order, without looking into them.

        What is assembled from several has no SHA-256 of its own: its pieces prove it.
        """
        self._may_write()
        size = sum(part.bytes for part in parts)
        key = layout.release_key(self.version, name)
        self.store.concatenate(key, [(part.key, part.bytes) for part in parts])
        rows = sum(part.rows for part in parts)
        sha256 = parts[0].sha256 if len(parts) == 1 else None
        self._pieces[name] = list(_moved(name, parts))
        self._files[name] = ReleaseFile(name, rows, size, sha256)

    def join(self, name: str, parts: Sequence[Written]) -> None:
        """As `assemble`, of files that are small enough to be read: the file has its SHA-256.

        Raises PermanentError: a file is not what was written.
        """
        with self.open(name) as writer:
            for part in parts:
                data = self.store.read(part.key)
                if not _is_as_written(data, part):
                    raise PermanentError(
                        f"{self.store.locate(part.key)} is damaged: it is not what was written, as "
                        "its SHA-256 shows; delete it and export again"
                    )
                writer.write(data)
        rows = sum(part.rows for part in parts)
        self._pieces[name] = list(_moved(name, parts))
        self._files[name] = replace(self._files[name], rows=rows)


def _is_as_written(data: bytes, part: Written) -> bool:
    view = memoryview(data)
    return len(data) == part.bytes and all(
        hashlib.sha256(view[one.offset : one.offset + one.bytes]).hexdigest() == one.sha256
        for one in part.pieces
    )


def _moved(name: str, parts: Sequence[Written]) -> Iterator[Piece]:
    """Pieces of files that follow each other in another."""
    offset = 0
    for part in parts:
        for piece in part.pieces:
            yield replace(piece, file=name, offset=offset + piece.offset)
        offset += part.bytes
