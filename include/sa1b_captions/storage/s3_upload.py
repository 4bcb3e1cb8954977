"""An object that is written as it comes: a multipart upload, or one PUT if it is small."""

import contextlib
import datetime as dt
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from sa1b_captions.errors import PermanentError
from sa1b_captions.storage.s3_errors import may_be_done, server_time, store_errors

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

log = logging.getLogger(__name__)

_UPLOADS_AT_ONCE = 2
"""Pieces of one multipart upload on their way; with the one being filled, all that is in memory."""


class Send(Protocol):
    """Sends a request of boto3's S3 client about one bucket; raises what that raises."""

    def __call__(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Reply to a request."""


class MultipartWriter:
    """Uploads parts in the background while the next one fills; a small object is one PUT."""

    def __init__(self, send: Send, name: str, part_bytes: int) -> None:
        self._send = send
        self._target: Any = {"Key": name}
        self._part_bytes = part_bytes
        self._buffer = bytearray()
        self._size = 0
        self._upload_id: str | None = None
        self._began_at: dt.datetime | None = None
        self._parts: list[Future[CompletedPartTypeDef]] = []
        self._pool = ThreadPoolExecutor(_UPLOADS_AT_ONCE, "upload")

    def write(self, data: bytes | memoryview, /) -> int:
        """Append bytes."""
        self._buffer += data
        self._size += len(data)
        while len(self._buffer) >= self._part_bytes:
            body = bytes(memoryview(self._buffer)[: self._part_bytes])
            del self._buffer[: self._part_bytes]
            self._start(body)
        return len(data)

    def _start(self, body: bytes) -> None:
        if self._upload_id is None:
            reply = self._send("create_multipart_upload", **self._target)
            self._upload_id = _field(reply, "UploadId", "CreateMultipartUpload")
            self._began_at = server_time(reply.get("ResponseMetadata", {}))
        if len(self._parts) >= _UPLOADS_AT_ONCE:
            self._parts[-_UPLOADS_AT_ONCE].result()
        number = len(self._parts) + 1
        self._parts.append(self._pool.submit(self._upload, self._upload_id, number, body))

    def _upload(self, upload_id: str, number: int, body: bytes) -> "CompletedPartTypeDef":
        reply = self._send(
            "upload_part", **self._target, UploadId=upload_id, PartNumber=number, Body=body
        )
        return {"PartNumber": number, "ETag": _field(reply, "ETag", "UploadPart")}

    def complete(self) -> None:
        """Make the object appear."""
        if self._upload_id is None:
            self._send("put_object", **self._target, Body=bytes(self._buffer))
        else:
            if self._buffer:
                self._start(bytes(self._buffer))
            self._finish([part.result() for part in self._parts])
        self._pool.shutdown()

    def _finish(self, parts: "list[CompletedPartTypeDef]") -> None:
        try:
            self._send(
                "complete_multipart_upload",
                **self._target,
                UploadId=self._upload_id,
                MultipartUpload={"Parts": parts},
            )
        except Exception as error:
            # A reply can get lost; asked again, the server knows no such upload any more.
            if not may_be_done(error) or not self._is_there():
                raise
            log.warning("%s is there, although: %s", self._target["Key"], error)

    def _is_there(self) -> bool:
        """Whether an object of the right size came to be since this upload began."""
        with contextlib.suppress(Exception):  # the error that led here says more
            found = self._send("head_object", **self._target)
            changed_at = found.get("LastModified")
            is_new = (
                self._began_at is None
                or changed_at is None
                or changed_at >= self._began_at - dt.timedelta(seconds=1)  # servers round
            )
            return is_new and found.get("ContentLength") == self._size
        return False

    def abort(self) -> None:
        """Leave nothing behind."""
        # A part that arrives after the abort would stay behind unseen.
        self._pool.shutdown(cancel_futures=True)
        if self._upload_id is not None:
            with contextlib.suppress(Exception):  # the error that led here says more
                self._send("abort_multipart_upload", **self._target, UploadId=self._upload_id)


def _field(reply: dict[str, Any], name: str, operation: str) -> str:
    value = reply.get(name)
    if not value:
        raise PermanentError(f"the store's answer to {operation} has no {name}: it is not S3's")
    return str(value)


class GuardedWriter:
    """Turns the store's errors of a write into this package's; the caller's own stay theirs."""

    def __init__(self, writer: MultipartWriter, key: str, store_url: str) -> None:
        self._writer, self._key, self._store_url = writer, key, store_url

    def write(self, data: bytes | memoryview, /) -> int:
        """Append bytes."""
        with store_errors(self._key, self._store_url):
            return self._writer.write(data)
