"""Pieces of a release's tables: the lines of one shard, or one row group, each with its digest.

`pieces.csv` lists them, and the manifest holds the root of a Merkle tree over them. So damage has a
place in a file, and one shard's lines can be checked without reading the others.
"""

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

PIECES = "pieces.csv"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a file."""

    file: str
    """Relative to the release's folder."""
    offset: int
    """Of the first byte."""
    bytes: int
    sha256: str
    """Hexadecimal."""
    shard: str
    """Whose lines these are; empty in Parquet, whose row groups hold rows of several."""
    row_group: str
    """Number of the row group; empty in JSONL, and for the end of a Parquet file."""

    def describe(self) -> str:
        """What and where it is, for people."""
        if self.shard:
            what = f"the lines of {self.shard}"
        else:
            what = f"row group {self.row_group}" if self.row_group else "the footer"
        return f"{what} (bytes {self.offset} to {self.offset + self.bytes - 1})"


def render_pieces(pieces: Sequence[Piece]) -> str:
    """CSV with a header, a line for each piece."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(field.name for field in fields(Piece))
    lines.writerows(map(astuple, pieces))
    return text.getvalue()


def parse_pieces(text: str) -> list[Piece]:
    """What `render_pieces` wrote. Raises ValueError if it did not write this."""
    names = [field.name for field in fields(Piece)]
    try:
        lines = list(csv.reader(io.StringIO(text)))
    except csv.Error:
        raise ValueError("it is no CSV") from None
    if not lines or lines[0] != names:
        raise ValueError(f"it does not begin with the line {','.join(names)}")
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(names) or not (line[1].isdecimal() and line[2].isdecimal()):
            raise ValueError(f"its line {number} describes no piece")
    return [
        Piece(file, int(offset), int(size), sha256, shard, row_group)
        for file, offset, size, sha256, shard, row_group in lines[1:]
    ]


def merkle_root(pieces: Sequence[Piece]) -> str:
    """Root of the Merkle tree over the pieces, as RFC 6962 builds it, hexadecimal.

    A leaf is SHA-256 of a zero byte and the piece's line of `pieces.csv` without its end.
    """
    lines = render_pieces(pieces).splitlines()[1:]
    return _root([hashlib.sha256(b"\0" + line.encode()).digest() for line in lines]).hex()


def _root(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256().digest()
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + _root(leaves[:left]) + _root(leaves[left:])).digest()
