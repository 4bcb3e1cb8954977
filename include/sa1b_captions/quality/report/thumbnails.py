"""Small pictures for reports, cut from shard archives and carried inside the page."""

import base64
import io
from dataclasses import dataclass, field

import polars as pl
from PIL import Image, ImageFile

from sa1b_captions import layout, records
from sa1b_captions.errors import PermanentError
from sa1b_captions.generations import FIRST
from sa1b_captions.receipts.receipt_files import ingest_place, read_receipt
from sa1b_captions.storage import Store

MAX_PIXELS = 64_000_000
"""Largest photograph that is decoded, as in captioning."""

MAX_WIDTH_PX = 240
_JPEG_QUALITY = 72


def make_thumbnail(
    jpeg: bytes, max_width_px: int = MAX_WIDTH_PX, max_pixels: int = MAX_PIXELS
) -> bytes | None:
    """Shrink a JPEG to at most so wide and 4/3 as high; None if it cannot be decoded."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # half a photograph must not pass for one
    box = (max_width_px, max_width_px * 4 // 3)
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            if image.width * image.height > max_pixels:
                return None
            image.draft("RGB", (box[0] * 2, box[1] * 2))  # decodes an eighth of the pixels
            small = image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    small.thumbnail(box, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return buffer.getvalue()


@dataclass(slots=True)
class Thumbnails:
    """Thumbnails of photographs of any shards, by ranged reads; remembers what it has read."""

    store: Store
    _archives: dict[str, "_Archive | None"] = field(default_factory=dict)
    _uris: dict[tuple[str, int, int], str | None] = field(default_factory=dict)

    def uri(self, shard: str, image_id: int, max_width_px: int = MAX_WIDTH_PX) -> str | None:
        """`data:` address of a thumbnail; None if there is no such photograph or it is broken.

        Raises:
            RetryableError: the store failed. A missing archive is no error: a report of captions
                must still be possible when the photographs are gone.
        """
        key = (shard, image_id, max_width_px)
        if key not in self._uris:
            self._uris[key] = self._make_uri(shard, image_id, max_width_px)
        return self._uris[key]

    def _make_uri(self, shard: str, image_id: int, max_width_px: int) -> str | None:
        if shard not in self._archives:
            self._archives[shard] = self._open(shard)
        archive = self._archives[shard]
        place = None if archive is None else archive.places.get(image_id)
        if archive is None or place is None:
            return None
        try:
            jpeg = self.store.read_range(archive.key, *place)
        except PermanentError:
            return None
        small = make_thumbnail(jpeg, max_width_px)
        if small is None:
            return None
        return "data:image/jpeg;base64," + base64.b64encode(small).decode()

    def _open(self, shard: str) -> "_Archive | None":
        """Where a shard's JPEGs lie; None where that cannot be read."""
        columns = ["image_id", "offset", "size"]
        try:
            ingest = read_receipt(self.store, ingest_place(shard))
            generation = FIRST if ingest is None else ingest.generation
            table = records.read_table(self.store, layout.index_key(shard, generation), columns)
        except PermanentError:
            return None
        index = pl.DataFrame(table).unique("image_id", keep="first")
        places = {row[0]: (row[1], row[2]) for row in index.iter_rows()}
        return _Archive(layout.archive_key(shard, generation), places)


@dataclass(frozen=True, slots=True)
class _Archive:
    key: str
    places: dict[int, tuple[int, int]]
    """Offset and size of each image; of a repeated id the first counts."""
