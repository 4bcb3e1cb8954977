"""The index of a shard's images, and what is doubted of them."""

import enum
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import xxhash

from sa1b_captions.ingest.repacking.annotation import Annotation, read_annotation
from sa1b_captions.ingest.repacking.jpeg import JpegHeader, read_jpeg_header
from sa1b_captions.records import INDEX_SCHEMA

MAX_IMAGE_BYTES = 32 * 2**20
MAX_PIXELS = 100_000_000
"""SA-1B's largest images have a tenth of it."""
MIN_SIDE = 16
MAX_IMAGES = 1_000_000
"""Of one shard; no SA-1B archive has a tenth of it."""


class Problem(enum.StrEnum):
    """Why an image is doubted. Where several apply, the first of this list is recorded."""

    DUPLICATE_ID = "duplicate_id"  # an earlier JPEG has the same image id, or name
    TOO_LARGE = "too_large"
    NOT_JPEG = "not_jpeg"
    TRUNCATED = "truncated"  # no end marker
    BAD_DIMENSIONS = "bad_dimensions"
    MULTI_FRAME = "multi_frame"
    NO_ANNOTATION = "no_annotation"  # the archive has no JSON for it
    BAD_ANNOTATION = "bad_annotation"  # unreadable, or about another image
    SIZE_MISMATCH = "size_mismatch"  # width or height differ between JPEG and JSON


UNUSABLE = frozenset(
    {Problem.TOO_LARGE, Problem.NOT_JPEG, Problem.TRUNCATED, Problem.BAD_DIMENSIONS}
)
"""Problems of a file that no engine can caption."""


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


class Index:
    """Rows of the JPEGs and what the annotations say, joined at the end: order is random."""

    def __init__(self, *, annotated: bool = True) -> None:
        """Begin an index.

        Args:
            annotated: whether an image without annotation is doubted.
        """
        self.rows: list[dict[str, Any]] = []
        self._annotated = annotated
        self._image_ids: set[int] = set()
        self._file_names: set[str] = set()
        self._annotations: dict[int, Annotation | None] = {}
        self._repeated_annotations = 0

    def add_annotation(self, image_id: int, content: bytes) -> None:
        """Note what an annotation file says; the first of an image counts."""
        if image_id in self._annotations:
            self._repeated_annotations += 1
            return
        found = read_annotation(content)
        matches = found is not None and found.image_id == image_id
        self._annotations[image_id] = found if matches else None

    def add_image(self, image_id: int, file_name: str, content: bytes, offset: int) -> None:
        """Add a row for a JPEG whose first byte lies at `offset` of the plain tar."""
        header = read_jpeg_header(content)
        row = {
            "image_id": image_id,
            "file_name": file_name,
            "offset": offset,
            "size": len(content),
            "width": header.width if header else 0,
            "height": header.height if header else 0,
            "jpeg_xxh3": xxhash.xxh3_128_hexdigest(content),
            "problem": image_problem(header, len(content)),
        }
        if image_id in self._image_ids or file_name in self._file_names:
            row["problem"] = Problem.DUPLICATE_ID
        self._image_ids.add(image_id)
        self._file_names.add(file_name)
        self.rows.append(row)

    def finish(self, archive_bytes: int, warnings: list[str]) -> Repacked:
        """Join rows and annotations."""
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
        if not self._annotated:
            return None
        if row["image_id"] not in self._annotations:
            return Problem.NO_ANNOTATION
        annotation = self._annotations[row["image_id"]]
        if annotation is None:
            return Problem.BAD_ANNOTATION
        if (annotation.width, annotation.height) != (row["width"], row["height"]):
            return Problem.SIZE_MISMATCH
        return None


def image_problem(header: JpegHeader | None, size: int) -> Problem | None:
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
