"""Objects in a bucket of any S3-compatible service. Only this module imports boto3."""

import contextlib
import datetime as dt
import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from sa1b_captions.errors import MissingKeyError, PermanentError, RetryableError
from sa1b_captions.storage.store import Writer, checked_key, exactly

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

log = logging.getLogger(__name__)

PART_BYTES = 16 * 1024 * 1024
"""Size of one multipart piece: 10,000 of them, S3's limit, hold 156 GiB."""

_UPLOADS_AT_ONCE = 2
"""Pieces of one multipart upload on their way; with the one being filled, all that is in memory."""

MOST_SKEW = dt.timedelta(minutes=15)
"""How far S3 lets a request's time be from its own."""

MAX_ATTEMPTS = 8
"""Tries of one S3 request; with the client's backoff they span about a minute."""

BODY_ATTEMPTS = 3
"""Tries of one read whose bytes break off half-way."""


class S3Store:
    """Objects under a prefix of a bucket of any S3-compatible service.

    Credentials come from boto3's usual chain (environment, profile, pod identity).
    """

    def __init__(self, bucket: str, prefix: str, endpoint_url: str | None) -> None:
        import boto3
        from botocore.config import Config

        self.bucket, self.prefix = bucket, prefix
        self.url = f"s3://{bucket}/{prefix}".rstrip("/")
        config = Config(
            retries={"mode": "standard", "max_attempts": MAX_ATTEMPTS},
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=64,
        )
        self._client: S3Client = boto3.client("s3", endpoint_url=endpoint_url, config=config)

    def locate(self, key: str) -> str:
        """URL of a key."""
        return f"{self.url}/{checked_key(key)}"

    def _name(self, key: str) -> str:
        return f"{self.prefix}/{checked_key(key)}".lstrip("/")

    def read(self, key: str) -> bytes:
        """Whole object."""
        with self._errors(key):
            return self._body(key, {})

    def read_range(self, key: str, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`."""
        if size == 0:
            return b""
        with self._errors(key):
            data = self._body(key, {"Range": f"bytes={offset}-{offset + size - 1}"})
            return exactly(data, size, key, offset)

    def _body(self, key: str, what: dict[str, Any]) -> bytes:
        """Bytes of an object; asks again when they break off, which the client does not do."""
        from botocore.exceptions import (
            IncompleteReadError,
            ReadTimeoutError,
            ResponseStreamingError,
        )

        left = BODY_ATTEMPTS
        while True:
            reply = self._client.get_object(Bucket=self.bucket, Key=self._name(key), **what)
            try:
                return reply["Body"].read()
            except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError) as error:
                left -= 1
                if not left:
                    raise
                log.warning("%s: %s, reading it again", key, error)

    def write(self, key: str, data: bytes) -> None:
        """Replace the object atomically; one PUT is atomic in S3."""
        with self._errors(key):
            self._client.put_object(Bucket=self.bucket, Key=self._name(key), Body=data)

    @contextlib.contextmanager
    def open_writer(self, key: str) -> Iterator[Writer]:
        """Stream an object as a multipart upload, completed when the block ends."""
        with self._errors(key):
            writer = _MultipartWriter(self._client, self.bucket, self._name(key))
            try:
                yield writer
                writer.complete()
            except BaseException:
                writer.abort()
                raise

    def exists(self, key: str) -> bool:
        """Whether the object exists."""
        try:
            with self._errors(key):
                self._client.head_object(Bucket=self.bucket, Key=self._name(key))
        except MissingKeyError:
            return False
        return True

    def list(self, prefix: str) -> Iterator[str]:
        """Keys that begin with `prefix`, ascending."""
        whole = f"{self.prefix}/{prefix}".lstrip("/")
        cut = len(self.prefix) + 1 if self.prefix else 0
        with self._errors(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=whole
            )
            for page in pages:
                yield from (item["Key"][cut:] for item in page.get("Contents", ()))

    def delete(self, key: str) -> None:
        """Remove the object if it exists."""
        with self._errors(key):
            self._client.delete_object(Bucket=self.bucket, Key=self._name(key))

    def clear_unfinished(self, key: str, idle_s: float) -> None:
        """Abort multipart uploads of writers that were killed; without permission, only warn."""
        name = self._name(key)
        try:
            with self._errors(key):
                pages = self._client.get_paginator("list_multipart_uploads").paginate(
                    Bucket=self.bucket, Prefix=name
                )
                found = [upload for page in pages for upload in page.get("Uploads", ())]
                uploads = [u for u in found if u["Key"] == name or name.endswith("/")]
                for upload in uploads:
                    target: Any = {
                        "Bucket": self.bucket,
                        "Key": upload["Key"],
                        "UploadId": upload["UploadId"],
                    }
                    if self._idle_s(target, upload["Initiated"]) >= idle_s:
                        log.warning("aborting an upload of %s, left by a killed writer", key)
                        self._client.abort_multipart_upload(**target)
        except PermanentError as error:
            log.warning("unfinished uploads of %s cannot be cleared: %s", key, error)

    def _idle_s(self, target: Any, started_at: dt.datetime) -> float:
        """Seconds since an upload gained its last part, all by the server's clock."""
        pages = list(self._client.get_paginator("list_parts").paginate(**target))
        times = [part["LastModified"] for page in pages for part in page.get("Parts", ())]
        now = _server_time(pages[-1]["ResponseMetadata"]) or started_at
        idle_s = (now - max([started_at, *times])).total_seconds()
        return max(idle_s, 0.0)  # servers round up to the next second

    @contextlib.contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            NoCredentialsError,
            PartialCredentialsError,
        )

        where = f"{self.url}/{key}"
        try:
            yield
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise PermanentError(
                f"{where}: {error}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
            ) from error
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code == "NoSuchBucket":
                raise PermanentError(f"{where}: the bucket does not exist; create it") from error
            if code == "NoSuchUpload":
                raise RetryableError(
                    f"{where}: the upload was aborted: another process finished it"
                ) from error
            if code == "InvalidRange":
                raise PermanentError(f"{where} is shorter than its index says") from error
            if code in ("NoSuchKey", "404") or status == 404:
                raise MissingKeyError(key, self.url) from None
            if clock := _wrong_clock(error.response, code, status):
                raise RetryableError(f"{where}: {clock} ({error})") from error
            if status in (408, 429) or status >= 500:
                raise RetryableError(f"{where}: {error}") from error
            raise PermanentError(f"{where}: {error}") from error
        except (BotoCoreError, Boto3Error) as error:
            raise RetryableError(f"{where}: {error}") from error


def _server_time(reply: Mapping[str, Any]) -> dt.datetime | None:
    """When the server says it answered, from a reply's metadata; None when it does not say."""
    try:
        date = parsedate_to_datetime(reply.get("HTTPHeaders", {}).get("date", ""))
    except ValueError:
        return None
    return date.replace(tzinfo=dt.UTC)  # HTTP knows no other zone


def _wrong_clock(response: Mapping[str, Any], code: str, status: int) -> str:
    """Sentence on this machine's clock if that is why a request was refused, else empty.

    Signatures hold the time. Only some refusals name the cause: a HEAD has no body to say it in.
    """
    now = dt.datetime.now(dt.UTC)
    server = _server_time(response.get("ResponseMetadata", {}))
    is_off = server is not None and abs(server - now) > MOST_SKEW and status in (400, 401, 403)
    if not is_off and code != "RequestTimeTooSkewed":
        return ""
    theirs = f"{server:%Y-%m-%d %H:%M:%S}" if server else "another time"
    return (
        f"this machine's clock is wrong: it says {now:%Y-%m-%d %H:%M:%S} UTC and the store's "
        f"{theirs}, so requests are refused; set the clock (NTP), then run it again"
    )


class _MultipartWriter:
    """Uploads parts in the background while the next one fills; a small object is one PUT."""

    def __init__(self, client: "S3Client", bucket: str, name: str) -> None:
        self._client = client
        self._target: Any = {"Bucket": bucket, "Key": name}
        self._buffer = bytearray()
        self._upload_id: str | None = None
        self._parts: list[Future[CompletedPartTypeDef]] = []
        self._pool = ThreadPoolExecutor(_UPLOADS_AT_ONCE, "upload")

    def write(self, data: bytes, /) -> int:
        self._buffer += data
        while len(self._buffer) >= PART_BYTES:
            body = bytes(memoryview(self._buffer)[:PART_BYTES])
            del self._buffer[:PART_BYTES]
            self._send(body)
        return len(data)

    def _send(self, body: bytes) -> None:
        if self._upload_id is None:
            self._upload_id = self._client.create_multipart_upload(**self._target)["UploadId"]
        if len(self._parts) >= _UPLOADS_AT_ONCE:
            self._parts[-_UPLOADS_AT_ONCE].result()
        number = len(self._parts) + 1
        self._parts.append(self._pool.submit(self._upload, self._upload_id, number, body))

    def _upload(self, upload_id: str, number: int, body: bytes) -> "CompletedPartTypeDef":
        reply = self._client.upload_part(
            **self._target, UploadId=upload_id, PartNumber=number, Body=body
        )
        return {"PartNumber": number, "ETag": reply["ETag"]}

    def complete(self) -> None:
        if self._upload_id is None:
            self._client.put_object(**self._target, Body=bytes(self._buffer))
        else:
            if self._buffer:
                self._send(bytes(self._buffer))
            parts = [part.result() for part in self._parts]
            self._client.complete_multipart_upload(
                **self._target, UploadId=self._upload_id, MultipartUpload={"Parts": parts}
            )
        self._pool.shutdown()

    def abort(self) -> None:
        # A part that arrives after the abort would stay behind unseen.
        self._pool.shutdown(cancel_futures=True)
        if self._upload_id is not None:
            with contextlib.suppress(Exception):  # the error that led here says more
                self._client.abort_multipart_upload(**self._target, UploadId=self._upload_id)
