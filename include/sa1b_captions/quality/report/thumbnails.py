"""Small pictures for reports, cut from shard archives and carried inside the page."""

import base64
import io
from dataclasses import dataclass, field

import numpy as np
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


@dataclass(frozen=True, slots=True)
class Archive:
    """Where a shard's JPEGs lie."""

    key: str
    index: np.ndarray
    """Image ids, offsets and sizes, int64, by id; of a repeated id the first counts."""

    def place(self, image_id: int) -> tuple[int, int] | None:
        """Offset and size of an image; None where there is none of that id."""
        at = int(np.searchsorted(self.index[:, 0], image_id))
        if at == len(self.index) or self.index[at, 0] != image_id:
            return None
        return int(self.index[at, 1]), int(self.index[at, 2])


def find_jpegs(store: Store, shard: str) -> Archive:
    """Read where a shard's JPEGs lie. Raises PermanentError where that cannot be read."""
    ingest = read_receipt(store, ingest_place(shard))
    generation = FIRST if ingest is None else ingest.generation
    columns = ["image_id", "offset", "size"]
    table = records.read_table(store, layout.index_key(shard, generation), columns)
    index = np.stack([table.column(name).to_numpy() for name in columns], axis=1)
    _, first = np.unique(index[:, 0], return_index=True)
    return Archive(layout.archive_key(shard, generation), index[first])


@dataclass(slots=True)
class Thumbnails:
    """Thumbnails of photographs of any shards, by ranged reads; remembers what it has read."""

    store: Store
    _archives: dict[str, Archive | None] = field(default_factory=dict)
    _uris: dict[tuple[str, int, int], str | None] = field(default_factory=dict)

    def uri(self, shard: str, image_id: int, max_width_px: int = MAX_WIDTH_PX) -> str | None:
        """`data:` address of a thumbnail; None if there is no such photograph or it is broken.

        Raises RetryableError: the store failed. A missing archive is no error: a report of captions
        must still be possible when the photographs are gone.
        """
        key = (shard, image_id, max_width_px)
        if key not in self._uris:
            self._uris[key] = self._make_uri(shard, image_id, max_width_px)
        return self._uris[key]

    def _make_uri(self, shard: str, image_id: int, max_width_px: int) -> str | None:
        if shard not in self._archives:
            try:
                self._archives[shard] = find_jpegs(self.store, shard)
            except PermanentError:
                self._archives[shard] = None
        archive = self._archives[shard]
        place = None if archive is None else archive.place(image_id)
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
