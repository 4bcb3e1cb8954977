"""Turn SA-1B's archive into a plain tar of its JPEGs and an index, in one pass.

Memory: one member and the index, whatever the size of the archive. What is wrong with one image
is a `Problem` in its row; what is wrong with the archive is a DamagedArchiveError.
"""

import enum
import re
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import xxhash

from sa1b_captions.errors import DamagedArchiveError
from sa1b_captions.ingest.annotation import Annotation, read_annotation
from sa1b_captions.ingest.gunzip import gunzip
from sa1b_captions.ingest.jpeg import JpegHeader, read_jpeg_header
from sa1b_captions.ingest.members import padding, read_members
from sa1b_captions.records import INDEX_SCHEMA
from sa1b_captions.storage import Writer

MAX_IMAGE_BYTES = 32 * 2**20
MAX_PIXELS = 100_000_000
"""SA-1B's largest images have a tenth of it."""
MIN_SIDE = 16
_MAX_MEMBERS = 1_000_000
_NAME = re.compile(r"sa_(0|[1-9][0-9]{0,17})\.(?i:(jpe?g)|json)")


class Problem(enum.StrEnum):
    """Why an image is doubted. Where several apply, the first of this list is recorded."""

    DUPLICATE_ID = "duplicate_id"  # an earlier JPEG has the same image id
    TOO_LARGE = "too_large"
    NOT_JPEG = "not_jpeg"
    TRUNCATED = "truncated"  # no end marker
    BAD_DIMENSIONS = "bad_dimensions"
    MULTI_FRAME = "multi_frame"
    NO_ANNOTATION = "no_annotation"  # the archive has no JSON for it
    BAD_ANNOTATION = "bad_annotation"  # unreadable, or about another image
    SIZE_MISMATCH = "size_mismatch"  # width or height differ between JPEG and JSON


@dataclass(frozen=True, slots=True)
class Repacked:
    """What became of one archive."""

    index: pa.Table
    """`records.INDEX_SCHEMA`, one row per JPEG, in archive order."""
    problems: dict[str, int]
    """Images per `Problem`."""
    annotations_without_image: int
    archive_bytes: int
    """Size of the plain tar."""
    warnings: list[str]
    """Oddities that cost no image."""


def repack(
    source: Iterable[bytes],
    tar_writer: Writer,
    *,
    where: str,
    on_image: Callable[[int], None] = lambda images: None,
) -> Repacked:
    """Write the JPEGs of an archive as a plain tar, in archive order.

    Every JPEG member is written, doubted or not, byte for byte, as `sa_<id>.jpg`.

    Args:
        source: the archive, gzip or plain tar, in pieces of any size; read to its end.
        tar_writer: where the plain tar goes.
        where: the shard, for messages.
        on_image: called with the number of images so far.

    Raises:
        DamagedArchiveError: if the archive is damaged, hostile or without images; what was written
            is then to be thrown away.
    """
    warnings: list[str] = []
    plain = _PlainTar(tar_writer)
    index = _Index()
    others: list[str] = []
    members = read_members(gunzip(source, where, warnings), where, warnings)
    for number, member in enumerate(members):
        if number >= _MAX_MEMBERS:
            raise DamagedArchiveError(
                f"{where}: more than {_MAX_MEMBERS} members; no SA-1B archive"
            )
        name = _NAME.fullmatch(PurePosixPath(member.name).name)
        if name is None:
            others.append(member.name)
        elif name[2] is None:
            index.add_annotation(int(name[1]), member.content)
        else:
            file_name = f"sa_{name[1]}.jpg"
            offset = plain.add(file_name, member.content)
            index.add_image(int(name[1]), file_name, member.content, offset)
            on_image(len(index.rows))
    if not index.rows:
        raise DamagedArchiveError(f"{where}: the archive has no member sa_<id>.jpg")
    plain.end()
    if others:
        warnings.append(f"{len(others)} other members passed over, first {others[0][:80]!a}")
    return index.finish(plain.size, warnings)


class _PlainTar:
    """Appends files to an uncompressed tar whose bytes depend on names and contents only."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.size = 0

    def add(self, name: str, content: bytes) -> int:
        """Append a file; return the offset of its first byte."""
        info = tarfile.TarInfo(name)
        info.size = len(content)
        self._write(info.tobuf(tarfile.USTAR_FORMAT))
        offset = self.size
        self._write(content)
        self._write(bytes(padding(len(content))))
        return offset

    def end(self) -> None:
        end_mark = 2 * tarfile.BLOCKSIZE
        self._write(bytes(end_mark + -(self.size + end_mark) % tarfile.RECORDSIZE))

    def _write(self, data: bytes) -> None:
        self._writer.write(data)
        self.size += len(data)


class _Index:
    """Rows of the JPEGs and what the annotations say, joined at the end: order is random."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._image_ids: set[int] = set()
        self._annotations: dict[int, Annotation | None] = {}
        self._repeated_annotations = 0

    def add_annotation(self, image_id: int, content: bytes) -> None:
        if image_id in self._annotations:
            self._repeated_annotations += 1
            return
        found = read_annotation(content)
        matches = found is not None and found.image_id == image_id
        self._annotations[image_id] = found if matches else None

    def add_image(self, image_id: int, file_name: str, content: bytes, offset: int) -> None:
        header = read_jpeg_header(content)
        row = {
            "image_id": image_id,
            "file_name": file_name,
            "offset": offset,
            "size": len(content),
            "width": header.width if header else 0,
            "height": header.height if header else 0,
            "jpeg_xxh3": xxhash.xxh3_128_hexdigest(content),
            "problem": _image_problem(header, len(content)),
        }
        if image_id in self._image_ids:
            row["problem"] = Problem.DUPLICATE_ID
        self._image_ids.add(image_id)
        self.rows.append(row)

    def finish(self, archive_bytes: int, warnings: list[str]) -> Repacked:
        for row in self.rows:
            row["problem"] = row["problem"] or self._annotation_problem(row)
        if self._repeated_annotations:
            warnings.append(f"{self._repeated_annotations} annotations repeat an image id")
        problems = Counter(str(row["problem"]) for row in self.rows if row["problem"])
        return Repacked(
            index=pa.Table.from_pylist(self.rows, schema=INDEX_SCHEMA),
            problems=dict(sorted(problems.items())),
            annotations_without_image=len(self._annotations.keys() - self._image_ids),
            archive_bytes=archive_bytes,
            warnings=warnings,
        )

    def _annotation_problem(self, row: dict[str, Any]) -> Problem | None:
        if row["image_id"] not in self._annotations:
            return Problem.NO_ANNOTATION
        annotation = self._annotations[row["image_id"]]
        if annotation is None:
            return Problem.BAD_ANNOTATION
        if (annotation.width, annotation.height) != (row["width"], row["height"]):
            return Problem.SIZE_MISMATCH
        return None


def _image_problem(header: JpegHeader | None, size: int) -> Problem | None:
    """What the JPEG alone shows."""
    if size > MAX_IMAGE_BYTES:
        return Problem.TOO_LARGE
    if header is None:
        return Problem.NOT_JPEG
    if not header.is_whole:
        return Problem.TRUNCATED
    if min(header.width, header.height) < MIN_SIDE or header.width * header.height > MAX_PIXELS:
        return Problem.BAD_DIMENSIONS
    if header.frames > 1:
        return Problem.MULTI_FRAME
    return None
