"""Undo gzip on a stream of bytes, when its magic number says it is gzip.

SA-1B's `.tar` files are gzip; copies of them elsewhere are not. Memory is constant for any input,
also for one that expands a thousandfold.
"""

import zlib
from collections.abc import Generator, Iterable, Iterator

from sa1b_captions.errors import DamagedArchiveError
from sa1b_captions.plurals import counted

_MAGIC = b"\x1f\x8b"
_OUTPUT_BYTES = 2**20
"""Most that one step inflates to."""


def gunzip(source: Iterable[bytes], where: str, warnings: list[str]) -> Iterator[bytes]:
    """Decompressed bytes of a gzip stream of one or more members; any other stream as it is.

    Reads `source` to its end. Bytes after the last member are passed over; unless they are zeros,
    `warnings` gains a line.

    Raises DamagedArchiveError if the gzip stream is damaged or ends early. CRC and length are
    checked.
    """
    pieces = iter(source)
    head = _lengthened(b"", pieces)
    if not head.startswith(_MAGIC):
        yield head
        yield from pieces
        return
    while head.startswith(_MAGIC):
        head = yield from _inflate(head, pieces, where)
        head = _lengthened(head.lstrip(b"\0"), pieces, skip=b"\0")
    if head:
        surplus = len(head) + sum(map(len, pieces))
        warnings.append(f"passed over {counted(surplus, 'byte')} after the end of the gzip data")


def _lengthened(head: bytes, pieces: Iterator[bytes], skip: bytes = b"") -> bytes:
    """`head` with following pieces, until a magic number fits; leading `skip` is dropped."""
    while len(head) < len(_MAGIC) and (piece := next(pieces, None)) is not None:
        head = (head + piece).lstrip(skip) if skip else head + piece
    return head


def _inflate(data: bytes, pieces: Iterator[bytes], where: str) -> Generator[bytes, None, bytes]:
    """Decompress one gzip member; return the bytes already read that follow it."""
    member = zlib.decompressobj(wbits=31)
    while not member.eof:
        try:
            output = member.decompress(data, _OUTPUT_BYTES)
        except zlib.error as error:
            raise DamagedArchiveError(
                f"{where}: the gzip data is damaged ({error}); {_ADVICE}"
            ) from None
        if output:
            yield output
        data = member.unconsumed_tail
        if not data and not member.eof:
            piece = next(pieces, None)
            if piece is None:
                raise DamagedArchiveError(f"{where}: the gzip data ends early; {_ADVICE}")
            data = piece
    return member.unused_data


_ADVICE = "compare its MD5 with a known list, and download it from Meta rather than a mirror"
