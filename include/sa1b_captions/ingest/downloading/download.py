"""One archive as a stream of bytes that survives the network.

Guarantees: the bytes come out in order, each once, and are the object's own (never decoded, never
from two versions of it as far as ETag, Last-Modified, size and MD5 can tell); they are counted
and hashed; an end that came too early is never taken for the end. Errors show host and path of
the link, never its signature. Nothing is stored.
"""

import contextlib
import hashlib
import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx

from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.ingest.downloading.http_client import Patience, open_client, silence_url_logs
from sa1b_captions.ingest.downloading.links import Link
from sa1b_captions.ingest.downloading.replies import (
    Identity,
    Interrupted,
    Reply,
    read_reply,
    same_etag,
)
from sa1b_captions.plurals import counted
from sa1b_captions.settings.network import proxies_in_use

log = logging.getLogger(__name__)

MAX_ARCHIVE_BYTES = 64 * 2**30
"""Nearly six times SA-1B's archives; what is larger is not one."""

_BAD_ADDRESS = (httpx.TooManyRedirects, httpx.UnsupportedProtocol, httpx.InvalidURL)


class ChangedObjectError(RetryableError):
    """The object at the link is not the one that its first bytes came from."""


class Download:
    """Iterates over the bytes of one archive; iterating again continues where it stopped.

    Raises while iterating:
        PermanentError: the link is refused, leads to a page or nowhere, or the object is too big.
        RetryableError: the server kept failing.
        ChangedObjectError: the object changed meanwhile; what came of it is of no use.
    """

    def __init__(
        self,
        link: Link,
        patience: Patience | None = None,
        *,
        known: Identity | None = None,
        part: tuple[int, int] | None = None,
        client: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Describe the download; the first request is made by iterating.

        Args:
            patience: how long to wait for it.
            known: the object it must be.
            part: offsets of the first byte wanted and after the last, or less at the object's end;
                a server that then sends the whole object is a PermanentError. None takes all.
            client: used for the requests; by default one of its own.
            sleep: waits for so many seconds.
        """
        self.received_bytes = part[0] if part else 0
        """Offset in the object of the next byte."""
        self.resumes = 0
        """Requests after the first."""
        self._link = link
        self._patience = patience or Patience()
        self._sleep = sleep
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._part = part
        self._client = client
        known = known or Identity()
        self.total_bytes = known.total_bytes
        """Size of the object; None until a server says it."""
        self._etag = known.etag
        self._last_modified = known.last_modified
        self._complete = False

    @property
    def md5(self) -> str:
        """MD5 of the bytes so far, hexadecimal; of no use when only a part is wanted."""
        return self._md5.hexdigest()

    @property
    def identity(self) -> Identity:
        """The object, as far as servers told."""
        return Identity(self.total_bytes, self._etag, self._last_modified)

    def take(self, piece: bytes) -> None:
        """Count bytes that are at hand; the download goes on behind them."""
        if self._part is None:
            self._md5.update(piece)
        self.received_bytes += len(piece)

    def __iter__(self) -> Iterator[bytes]:
        silence_url_logs()
        failures = 0
        client: AbstractContextManager[httpx.Client] = (
            open_client(self._patience)
            if self._client is None
            else contextlib.nullcontext(self._client)
        )
        with client as opened:
            self._complete = self._complete or self.received_bytes == self._wanted_end
            while not self._complete:
                before = self.received_bytes
                interrupted = None
                try:
                    yield from self._request(opened)
                except Interrupted as error:
                    interrupted = error
                if interrupted is not None:
                    progress = self.received_bytes - before >= self._patience.progress_bytes
                    failures = 1 if progress else failures + 1
                    self._pause(interrupted, failures)

    def _request(self, client: httpx.Client) -> Iterator[bytes]:
        """Bytes that one request adds."""
        offset = self.received_bytes
        last = self._part[1] - 1 if self._part else ""
        headers = {"Range": f"bytes={offset}-{last}"} if offset or self._part else {}
        untrusted = False
        try:
            with client.stream("GET", self._link.url, headers=headers) as response:
                yield from self._accept(response)
            return
        except _BAD_ADDRESS as error:
            bad_address, trouble = True, type(error).__name__
        except httpx.HTTPError as error:
            untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
            bad_address, trouble = False, type(error).__name__
        # Raised out here, so that no exception of httpx, which may hold the URL, hangs on it.
        if bad_address:
            raise PermanentError(f"{self._name}: the address leads nowhere ({trouble})")
        if untrusted:
            raise PermanentError(
                f"{self._name}: the server's certificate is not trusted; set SSL_CERT_FILE to a "
                "file that holds its authority"
            )
        raise Interrupted(trouble)

    def _accept(self, response: httpx.Response) -> Iterator[bytes]:
        """New bytes of a reply; sets `_complete` when the object has ended."""
        reply = read_reply(response, self.received_bytes, self._name)
        if self._part and response.status_code == 200:
            raise PermanentError(
                f"{self._name}: the server sends no ranges; set CAPTIONS_DOWNLOAD_RANGES=1"
            )
        self._require_same_object(reply)
        offset = self.received_bytes
        if not reply.is_end:
            yield from self._take(response, reply)
        if self._wanted_end is not None:
            self._complete = self.received_bytes == self._wanted_end
        else:
            # No size: a chunked body says where it ends, any other is asked for what follows.
            self._complete = reply.is_end or reply.has_own_end or self.received_bytes == offset
        if not self._complete:
            raise Interrupted("the reply ended early")

    @property
    def _wanted_end(self) -> int | None:
        """Offset to stop at; None until a server says the object's size."""
        if self.total_bytes is None or self._part is None:
            return self.total_bytes
        return min(self.total_bytes, self._part[1])

    def _take(self, response: httpx.Response, reply: Reply) -> Iterator[bytes]:
        skip = self.received_bytes - reply.start
        end = reply.end if self._part is None else self._wanted_end
        skipped = hashlib.md5(usedforsecurity=False)
        for piece in self._paced(response.iter_raw()):
            if end is not None:
                piece = piece[: end - self.received_bytes + skip]
            if skip:
                skipped.update(piece[:skip])
                skip, piece = max(0, skip - len(piece)), piece[skip:]
                if not skip and skipped.digest() != self._md5.digest():
                    raise self._changed("its first bytes differ")
            if piece:
                self.take(piece)
                self._require_bounded(self.received_bytes)
                yield piece
        if skip:
            raise Interrupted("the reply ended before its new bytes")

    def _paced(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Pass pieces on; give up when waiting for them, not using them, takes too long."""
        patience = self._patience
        waited_s, brought = 0.0, 0
        while True:
            asked_at = time.monotonic()
            piece = next(pieces, None)
            waited_s += time.monotonic() - asked_at
            if piece is None:
                return
            brought += len(piece)
            yield piece
            if waited_s >= patience.stall_timeout_s:
                if brought < patience.min_bytes_per_s * waited_s:
                    raise Interrupted(f"under {patience.min_bytes_per_s} B/s for {waited_s:.0f} s")
                waited_s, brought = 0.0, 0

    def _require_same_object(self, reply: Reply) -> None:
        if reply.total is not None:
            self._require_bounded(reply.total)
            if self.total_bytes not in (None, reply.total):
                raise self._changed(f"{self.total_bytes} bytes, then {reply.total}")
            if reply.total < self.received_bytes:
                raise self._changed(f"{self.received_bytes} bytes came, it has {reply.total}")
            self.total_bytes = reply.total
        if not same_etag(reply.etag, self._etag):
            raise self._changed("another ETag")
        dates = {reply.last_modified, self._last_modified} - {None}
        if len(dates) > 1 and not (reply.etag and self._etag):
            raise self._changed("another Last-Modified")
        self._etag = self._etag or reply.etag
        self._last_modified = self._last_modified or reply.last_modified

    def _changed(self, how: str) -> ChangedObjectError:
        return ChangedObjectError(
            f"{self._name} changed while it was read ({how}); the parts that were kept of the "
            "old object are discarded, start the shard again"
        )

    def _require_bounded(self, size: int) -> None:
        if size > MAX_ARCHIVE_BYTES:
            raise PermanentError(
                f"{self._name} is larger than {MAX_ARCHIVE_BYTES} bytes, so it is no SA-1B archive"
            )

    def _pause(self, interrupted: Interrupted, failures: int) -> None:
        patience = self._patience
        at = f"after {counted(self.received_bytes, 'byte')}"
        if failures >= patience.attempts:
            proxies = proxies_in_use()
            raise RetryableError(
                f"{self._name}: {interrupted.reason} {at}, {failures} times in a row"
                f"{f'; requests may go through the proxy of {proxies}' if proxies else ''}"
            )
        wait_s = min(patience.backoff_max_s, patience.backoff_s * 2 ** (failures - 1))
        wait_s *= random.uniform(0.5, 1.0)  # workers that failed together return apart
        if interrupted.retry_after_s is not None:
            wait_s = max(wait_s, interrupted.retry_after_s)
            if wait_s > patience.retry_after_max_s:
                raise RetryableError(
                    f"{self._name}: {interrupted.reason} {at}; the server asks to wait "
                    f"{wait_s:.0f} s"
                )
        self.resumes += 1
        log.warning("%s: %s %s, asking again in %.1f s", self._name, interrupted.reason, at, wait_s)
        self._sleep(wait_s)

    @property
    def _name(self) -> str:
        return f"{self._link.shard} from {self._link.source}"
