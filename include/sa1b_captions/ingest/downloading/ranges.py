"""One archive over several connections: ranges are fetched side by side, given out in order."""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx

from sa1b_captions.errors import PermanentError
from sa1b_captions.ingest.downloading.download import Download
from sa1b_captions.ingest.downloading.http_client import Patience, open_client, silence_url_logs
from sa1b_captions.ingest.downloading.links import Link
from sa1b_captions.ingest.downloading.replies import Identity

RANGE_BYTES = 4 * 2**20
"""Held in memory per connection, twice: one range comes in while another waits for its turn."""


class RangedDownload:
    """Like `Download`, over several connections at once.

    Raises the same, and PermanentError if the server answers a range with the whole object.
    """

    def __init__(
        self,
        link: Link,
        patience: Patience | None = None,
        *,
        connections: int,
        known: Identity | None = None,
        range_bytes: int = RANGE_BYTES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.identity = known or Identity()
        self.received_bytes = 0
        self.resumes = 0
        self._link = link
        self._patience = patience or Patience()
        self._connections = connections
        self._range_bytes = range_bytes
        self._sleep = sleep
        self._md5 = hashlib.md5(usedforsecurity=False)

    @property
    def md5(self) -> str:
        """MD5 of the bytes so far, hexadecimal."""
        return self._md5.hexdigest()

    def take(self, piece: bytes) -> None:
        """Count bytes that are at hand; the download goes on behind them."""
        self._md5.update(piece)
        self.received_bytes += len(piece)

    def __iter__(self) -> Iterator[bytes]:
        silence_url_logs()
        with open_client(self._patience) as client:
            if self.identity.total_bytes is None:
                # The first range says how large the object is.
                yield self._finish(*self._fetch(client, self.received_bytes))
            pool = ThreadPoolExecutor(self._connections, "range")
            try:
                yield from self._ordered(client, pool)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _ordered(self, client: httpx.Client, pool: ThreadPoolExecutor) -> Iterator[bytes]:
        total = self.identity.total_bytes
        if total is None:
            raise PermanentError(
                f"{self._link.shard} from {self._link.source}: the server does not say the size; "
                "set CAPTIONS_DOWNLOAD_RANGES=1"
            )
        waiting: deque[Future[tuple[bytes, Download]]] = deque()
        for start in range(self.received_bytes, total, self._range_bytes):
            waiting.append(pool.submit(self._fetch, client, start))
            if len(waiting) == 2 * self._connections:
                yield self._finish(*waiting.popleft().result())
        while waiting:
            yield self._finish(*waiting.popleft().result())

    def _fetch(self, client: httpx.Client, start: int) -> tuple[bytes, Download]:
        download = Download(
            self._link,
            self._patience,
            known=self.identity,
            part=(start, start + self._range_bytes),
            client=client,
            sleep=self._sleep,
        )
        return b"".join(download), download

    def _finish(self, data: bytes, download: Download) -> bytes:
        self.resumes += download.resumes
        self.identity = download.identity
        self.take(data)
        return data
