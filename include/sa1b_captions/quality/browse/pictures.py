"""Photographs for pages: range reads of shard archives, made small, within bounds of memory."""

import threading

import numpy as np

from sa1b_captions import layout, records
from sa1b_captions.errors import PermanentError
from sa1b_captions.generations import FIRST
from sa1b_captions.quality.browse.bounded import Bounded
from sa1b_captions.quality.report.thumbnails import make_thumbnail
from sa1b_captions.receipts.receipt_files import ingest_place, read_receipt
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
        self._indexes: Bounded[str, tuple[str, np.ndarray]] = Bounded(_SHARDS)
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
            key, index = self._indexes.get(shard, lambda: self._read_index(shard))
            at = int(np.searchsorted(index[:, 0], image_id))
            if at == len(index) or index[at, 0] != image_id or index[at, 2] > MAX_JPEG_BYTES:
                return b""
            jpeg = self._store.read_range(key, int(index[at, 1]), int(index[at, 2]))
        except PermanentError:  # the archive is dropped, or ingested again since
            self._indexes.drop(shard)
            return b""
        with self._decoding:
            return make_thumbnail(jpeg, max_width_px) or b""

    def _read_index(self, shard: str) -> tuple[str, np.ndarray]:
        """Key of the archive; image ids, offsets and sizes, int64, by id, the first of each."""
        ingest = read_receipt(self._store, ingest_place(shard))
        generation = FIRST if ingest is None else ingest.generation
        columns = ["image_id", "offset", "size"]
        table = records.read_table(self._store, layout.index_key(shard, generation), columns)
        index = np.stack([table.column(name).to_numpy() for name in columns], axis=1)
        _, first = np.unique(index[:, 0], return_index=True)
        return layout.archive_key(shard, generation), index[first]
