"""Photographs for pages: range reads of shard archives, made small, within bounds of memory."""

import threading

from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.browse.bounded import Bounded
from sa1b_captions.quality.report.thumbnails import Archive, find_jpegs, make_thumbnail
from sa1b_captions.storage import Store

WIDTHS_PX = (160, 320, 640, 1280)
"""Widths that a photograph can be had in."""

MAX_JPEG_BYTES = 32 * 1024 * 1024
"""Largest photograph that is read; those of SA-1B have 1 MB."""

_SHARDS = 48
"""Indexes kept: 300 kB each."""
_PICTURE_BYTES = 32 * 1024 * 1024
_DECODERS = 2
"""Photographs decoded at once: one of 64 megapixels takes 200 MB until it is small."""


class Pictures:
    """Small photographs of any shard, the latest ones remembered."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._archives: Bounded[str, Archive] = Bounded(_SHARDS)
        self._made: Bounded[tuple[str, int, int], bytes] = Bounded(_PICTURE_BYTES, len)
        self._decoding = threading.Semaphore(_DECODERS)

    def jpeg(self, shard: str, image_id: int, max_width_px: int) -> bytes | None:
        """A photograph as a JPEG of at most such a width; None if it is not there or broken."""
        found = self._made.get(
            (shard, image_id, max_width_px), lambda: self._make(shard, image_id, max_width_px)
        )
        return found or None

    def _make(self, shard: str, image_id: int, max_width_px: int) -> bytes:
        try:
            archive = self._archives.get(shard, lambda: find_jpegs(self._store, shard))
            place = archive.place(image_id)
            if place is None or place[1] > MAX_JPEG_BYTES:
                return b""
            jpeg = self._store.read_range(archive.key, *place)
        except PermanentError:  # the archive is dropped, or ingested again since
            self._archives.drop(shard)
            return b""
        with self._decoding:
            return make_thumbnail(jpeg, max_width_px) or b""
