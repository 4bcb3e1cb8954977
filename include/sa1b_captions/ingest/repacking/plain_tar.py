"""The plain tar that a shard's images lie in: bytes that depend on names and contents only."""

import tarfile

from sa1b_captions.ingest.repacking.members import padding
from sa1b_captions.storage import Writer


class PlainTar:
    """Appends files to an uncompressed tar."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.size = 0
        """Bytes so far."""

    def add(self, name: str, content: bytes) -> int:
        """Append a file; return the offset of its first byte."""
        info = tarfile.TarInfo(name)
        info.size = len(content)
        # A name that is long or not ASCII gets a header of its own; others are plain USTAR.
        self._write(info.tobuf(tarfile.PAX_FORMAT))
        offset = self.size
        self._write(content)
        self._write(bytes(padding(len(content))))
        return offset

    def end(self) -> None:
        """Write the end mark."""
        end_mark = 2 * tarfile.BLOCKSIZE
        self._write(bytes(end_mark + -(self.size + end_mark) % tarfile.RECORDSIZE))

    def _write(self, data: bytes) -> None:
        self._writer.write(data)
        self.size += len(data)
