"""The bytes of one archive on their way: those of the resume state, then downloaded ones."""

import logging
import time
from collections.abc import Iterator

from sa1b_captions.ingest.downloading.download import Download
from sa1b_captions.ingest.downloading.ranges import RangedDownload
from sa1b_captions.ingest.downloading.resume_state import ResumeState

log = logging.getLogger(__name__)

PROGRESS_INTERVAL_S = 5.0


class Transfer:
    """Iterates once over the whole archive; new bytes join the resume state as they pass."""

    def __init__(
        self, download: Download | RangedDownload, resume_state: ResumeState, shard: str
    ) -> None:
        self.download = download
        self.resume_state = resume_state
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
        for piece in self.resume_state.read():
            self.download.take(piece)
            yield piece
        if reused_bytes := self.resume_state.reused_bytes:
            log.info("%s: %.1f MB came from an earlier run", self._shard, reused_bytes / 1e6)
        for piece in self.download:
            self.resume_state.add(piece, self.download.identity)
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
