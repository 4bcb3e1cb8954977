"""The files in a tar stream, read once, front to back, without trust.

`tarfile` takes a damaged header for the end of the archive and reads extended headers of any size
into memory, so only its header parser is used here. What a name says is never used as a path.
"""

import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from sa1b_captions.errors import DamagedArchiveError

BLOCK_BYTES = tarfile.BLOCKSIZE
MAX_MEMBER_BYTES = 64 * 2**20
"""SA-1B's files are below 10 MiB; a member is held in memory whole."""
MAX_PLAIN_BYTES = 64 * 2**30
_MAX_EXTENSION_BYTES = 2**20
_READ_BYTES = 2**18
_EXTENSIONS = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME)
_NO_FILES = (b"V", b"D")
"""GNU's volume label and listing of a directory: they say something, and hold nothing."""
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_PAX_LENGTH = re.compile(rb"([1-9][0-9]{0,6}) ")


@dataclass(frozen=True, slots=True)
class Member:
    """One regular file of an archive."""

    name: str
    """As the archive has it; relative and without `..`."""
    content: bytes


def read_members(source: Iterable[bytes], where: str, warnings: list[str]) -> Iterator[Member]:
    """Regular files of a tar stream in archive order; directories are passed over.

    Reads `source` to its end. Labels are passed over, too.

    Args:
        source: plain tar in pieces of any size.
        where: the shard, for messages.
        warnings: gains a line for what is odd but loses nothing.

    Raises DamagedArchiveError if the stream is no tar, is damaged, ends without its end mark or
    goes on after it, or has a member that climbs out, is no file, or is over a bound.
    """
    stream = _Stream(source, where)
    while (header := _read_header(stream)) is not None:
        if not header.isdir():
            yield Member(header.name, stream.read_padded(header.size))
    _read_end(stream, warnings)


class _Stream:
    """Exact reads from an iterator of bytes."""

    def __init__(self, source: Iterable[bytes], where: str) -> None:
        self.where = where
        self._pieces = iter(source)
        self._piece = memoryview(b"")
        self.position = 0
        """Bytes read so far."""

    def error(self, what: str) -> DamagedArchiveError:
        return DamagedArchiveError(
            f"{self.where}: {what}, at byte {self.position} of the tar; the shard cannot be used"
        )

    def read(self, size: int) -> bytes:
        """`size` bytes; fewer only at the end of the stream."""
        parts: list[memoryview] = []
        missing = size
        while missing:
            if not self._piece:
                piece = next(self._pieces, None)
                if piece is None:
                    break
                self._piece = memoryview(piece)
                continue
            part, self._piece = self._piece[:missing], self._piece[missing:]
            parts.append(part)
            missing -= len(part)
        self.position += size - missing
        if self.position > MAX_PLAIN_BYTES:
            raise self.error(f"the archive is larger than {MAX_PLAIN_BYTES} bytes")
        return b"".join(parts)

    def read_padded(self, size: int) -> bytes:
        """Content of a member, leaving the stream at the next header."""
        padded = size + padding(size)
        data = self.read(padded)
        if len(data) < padded:
            raise self.error("the archive ends early, inside a member")
        return data[:size] if len(data) > size else data


def padding(size: int) -> int:
    """Zero bytes that follow content of this size in a tar."""
    return -size % BLOCK_BYTES


def _read_header(stream: _Stream) -> tarfile.TarInfo | None:
    """Next header of a regular file or directory, extensions applied; None at the end mark."""
    overrides: dict[str, str] = {}
    while True:
        block = stream.read(BLOCK_BYTES)
        header = _parse(block)
        if header is None:
            if len(block) < BLOCK_BYTES or any(block) or overrides:
                raise _damage(stream, block)
            return None
        if header.type in _NO_FILES and 0 <= header.size <= _MAX_EXTENSION_BYTES:
            stream.read_padded(header.size)
            overrides = {}
            continue
        if header.type not in _EXTENSIONS:
            _apply(header, overrides, stream)
            _require_harmless(header, stream)
            return header
        overrides |= _read_extension(header, stream)


def _damage(stream: _Stream, block: bytes) -> DamagedArchiveError:
    if stream.position <= BLOCK_BYTES:
        page = ", it looks like a web page" if block.lstrip()[:1] == b"<" else ""
        return stream.error(f"the archive is neither gzip nor tar{page}")
    if len(block) < BLOCK_BYTES:
        return stream.error("the archive ends early, without its end mark")
    return stream.error("the archive is damaged: a header cannot be read")


def _read_extension(header: tarfile.TarInfo, stream: _Stream) -> dict[str, str]:
    """What an extended header says about the next member, by pax keyword."""
    if not 0 <= header.size <= _MAX_EXTENSION_BYTES:
        raise stream.error(f"an extended header of {header.size} bytes is over the bound")
    content = stream.read_padded(header.size)
    if header.type == tarfile.XGLTYPE:
        return {}
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": content.rstrip(b"\0").decode(errors="replace")}
    return _pax_records(content, stream)


def _parse(block: bytes) -> tarfile.TarInfo | None:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.HeaderError, ValueError):
        return None


def _pax_records(content: bytes, stream: _Stream) -> dict[str, str]:
    """Records of a pax header: length, blank, keyword, `=`, value, newline."""
    records: dict[str, str] = {}
    position = 0
    while position < len(content):
        length = _PAX_LENGTH.match(content, position)
        end = position + int(length[1]) if length else 0
        record = content[length.end() : end] if length else b""
        keyword, equals, value = record.partition(b"=")
        if end > len(content) or not equals or not value.endswith(b"\n"):
            raise stream.error("the archive is damaged: an extended header cannot be read")
        records[keyword.decode(errors="replace")] = value[:-1].decode(errors="replace")
        position = end
    return records


def _apply(header: tarfile.TarInfo, overrides: dict[str, str], stream: _Stream) -> None:
    header.name = overrides.get("path", header.name)
    size = overrides.get("size", "")
    if size:
        if not re.fullmatch(r"[0-9]{1,18}", size):
            raise stream.error("the archive is damaged: an extended header has no usable size")
        header.size = int(size)
    if any(keyword.startswith("GNU.sparse") for keyword in overrides):
        raise stream.error(f"member {_shown(header.name)} is a sparse file")


def _require_harmless(header: tarfile.TarInfo, stream: _Stream) -> None:
    path = PurePosixPath(header.name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise stream.error(f"member {_shown(header.name)} climbs out of the archive")
    if not header.isdir() and header.type not in _FILES:
        raise stream.error(f"member {_shown(header.name)} is a link, a device or no plain file")
    if not 0 <= header.size <= MAX_MEMBER_BYTES:
        raise stream.error(
            f"member {_shown(header.name)} has {header.size} bytes, over the bound of "
            f"{MAX_MEMBER_BYTES}"
        )


def _shown(name: str) -> str:
    return ascii(name[:80])


def _read_end(stream: _Stream, warnings: list[str]) -> None:
    """Read the rest, which must be zeros: anything else would be members lost in silence."""
    zeros = BLOCK_BYTES
    while data := stream.read(_READ_BYTES):
        if data.count(0) != len(data):
            raise stream.error("the archive goes on after its end mark: damaged, or two in one")
        zeros += len(data)
    if zeros < 2 * BLOCK_BYTES:
        warnings.append("the tar ends with one empty block instead of two")
