"""The bytes of one archive on their way: kept ones first, then downloaded ones, with progress."""

import logging
import time
from collections.abc import Iterator

from sa1b_captions.ingest.download import Download
from sa1b_captions.ingest.ranges import RangedDownload
from sa1b_captions.ingest.resume_state import KeptParts

log = logging.getLogger(__name__)

PROGRESS_INTERVAL_S = 5.0


class Transfer:
    """Iterates once over the whole archive; bytes that are new are kept as they pass."""

    def __init__(self, download: Download | RangedDownload, parts: KeptParts, shard: str) -> None:
        self.download = download
        self.parts = parts
        self._shard = shard
        self._images = 0
        self._started_at = self._logged_at = time.monotonic()
        self._logged_bytes = 0

    @property
    def seconds(self) -> float:
        """Since the transfer was set up."""
        return time.monotonic() - self._started_at

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces():
            yield piece
            if time.monotonic() - self._logged_at >= PROGRESS_INTERVAL_S:
                self.log_progress()

    def _pieces(self) -> Iterator[bytes]:
        for piece in self.parts.read():
            self.download.take(piece)
            yield piece
        if kept := self.parts.reused_bytes:
            log.info("%s: %.1f MB were kept by an earlier run", self._shard, kept / 1e6)
        for piece in self.download:
            self.parts.add(piece, self.download.identity)
            yield piece

    def count_images(self, images: int) -> None:
        """Say how many images have come out so far."""
        self._images = images

    def log_progress(self) -> None:
        """One line: bytes, speed since the last such line, images."""
        now, received = time.monotonic(), self.download.received_bytes
        rate = (received - self._logged_bytes) / max(now - self._logged_at, 1e-3)
        total = self.download.identity.total_bytes
        log.info(
            "%s: %.1f of %s MB, %.1f MB/s, %d images",
            self._shard,
            received / 1e6,
            f"{total / 1e6:.1f}" if total is not None else "?",
            rate / 1e6,
            self._images,
        )
        self._logged_at, self._logged_bytes = now, received
