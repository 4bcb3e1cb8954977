"""Objects in a bucket of any S3-compatible service. Only this module imports boto3."""

import contextlib
import hashlib
import logging
import os.path
import threading
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from sa1b_captions.errors import (
    CaptioningError,
    MissingKeyError,
    PermanentError,
    RetryableError,
    SettingsError,
)
from sa1b_captions.settings.network import S3_CERTIFICATES, fault_of_certificates, fault_of_keys
from sa1b_captions.storage.s3_copy import copy_objects
from sa1b_captions.storage.s3_errors import (
    CHECKSUM_CURE,
    may_dislike_checksums,
    store_errors,
)
from sa1b_captions.storage.s3_listing import take_objects
from sa1b_captions.storage.s3_unfinished import idle_s_of, unfinished_uploads
from sa1b_captions.storage.s3_upload import GuardedWriter, MultipartWriter
from sa1b_captions.storage.store import Writer, checked_key, exactly, require_size

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

PART_BYTES = 16 * 1024 * 1024
"""Size of one multipart piece: 10,000 of them, S3's limit, hold 156 GiB."""

MAX_ATTEMPTS = 8
"""Tries of one S3 request; with the client's backoff they span about a minute."""

BODY_ATTEMPTS = 3
"""Tries of one read whose bytes break off half-way."""


class S3Store:
    """Objects under a prefix of a bucket of any S3-compatible service.

    Credentials come from boto3's usual chain (environment, profile, pod identity).
    """

    def __init__(self, bucket: str, prefix: str, endpoint_url: str | None) -> None:
        self.bucket, self.prefix = bucket, prefix
        self.url = f"s3://{bucket}/{prefix}".rstrip("/")
        self._endpoint_url = endpoint_url
        self._client = self._open_client(None)
        self._sends_checksums = True
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type["S3Store"], tuple[str, str, str | None]]:
        """Another process opens the same place with credentials of its own."""
        return S3Store, (self.bucket, self.prefix, self._endpoint_url)

    def _open_client(self, checksums: Literal["when_required"] | None) -> "S3Client":
        """Open a client; None leaves checksums to the environment and boto3's default."""
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        config = Config(
            retries={"mode": "standard", "max_attempts": MAX_ATTEMPTS},
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=64,
            request_checksum_calculation=checksums,
            response_checksum_validation=checksums,
        )
        secure = not (self._endpoint_url or "").lower().startswith("http://")
        fault = fault_of_keys() or (fault_of_certificates(S3_CERTIFICATES) if secure else "")
        if fault:
            raise SettingsError(f"{self.url} cannot be opened: {fault}")
        try:
            client = boto3.client("s3", endpoint_url=self._endpoint_url, config=config)
            client.meta.events.register("before-parse.s3.ListObjectsV2", take_objects)
            return client
        except (BotoCoreError, ValueError, OSError) as error:
            raise SettingsError(
                f"{self.url} cannot be opened: {error}; check CAPTIONS_S3_ENDPOINT_URL, "
                "SSLKEYLOGFILE and the AWS variables and files"
            ) from error

    def _send(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Send a request; to a server that refuses its checksums, again without them."""
        from botocore.exceptions import ClientError

        try:
            return self._call(self._client, operation, arguments)
        except ClientError as error:
            if not self._sends_checksums or not may_dislike_checksums(error):
                raise
            return self._send_plainly(operation, arguments, error)

    def _send_plainly(
        self, operation: str, arguments: dict[str, Any], error: "ClientError"
    ) -> dict[str, Any]:
        """Send without checksums what was refused with them; if that helps, stay with it."""
        from botocore.exceptions import ClientError

        plain = self._open_client("when_required")
        try:
            reply = self._call(plain, operation, arguments)
        except ClientError:
            raise error from None
        with self._lock:
            if self._sends_checksums:
                log.warning(
                    "%s takes without checksums what it refused with them (%s); %s",
                    self.url,
                    error,
                    CHECKSUM_CURE,
                )
                self._client, self._sends_checksums = plain, False
        return reply

    def _call(
        self, client: "S3Client", operation: str, arguments: dict[str, Any]
    ) -> dict[str, Any]:
        reply: dict[str, Any] = getattr(client, operation)(Bucket=self.bucket, **arguments)
        return reply

    def locate(self, key: str) -> str:
        """URL of a key."""
        return f"{self.url}/{checked_key(key)}"

    def _name(self, key: str) -> str:
        return f"{self.prefix}/{checked_key(key)}".lstrip("/")

    def read(self, key: str) -> bytes:
        """Whole object."""
        with store_errors(key, self.url):
            return self._body(key, {})

    def read_range(self, key: str, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`."""
        if size == 0:
            return b""
        with store_errors(key, self.url):
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
            reply = self._send("get_object", Key=self._name(key), **what)
            try:
                data: bytes = reply["Body"].read()
                return data
            except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError) as error:
                left -= 1
                if not left:
                    raise
                log.warning("%s: %s, reading it again", key, error)

    def write(self, key: str, data: bytes) -> None:
        """Replace the object atomically; one PUT is atomic in S3."""
        with store_errors(key, self.url):
            self._send("put_object", Key=self._name(key), Body=data)

    @contextlib.contextmanager
    def open_writer(self, key: str) -> Iterator[Writer]:
        """Stream an object as a multipart upload, completed when the block ends."""
        writer = MultipartWriter(self._send, self._name(key), PART_BYTES)
        guarded = GuardedWriter(writer, key, self.url)
        try:
            yield guarded
            with store_errors(key, self.url):
                writer.complete()
        except BaseException:
            writer.abort()
            raise

    def concatenate(self, key: str, parts: Sequence[tuple[str, int]]) -> None:
        """Replace the object by others one after the other; the server copies what it can."""
        try:
            with store_errors(key, self.url):
                named = [(self._name(part), size) for part, size in parts]
                copy_objects(self._send, self.bucket, named, self._name(key))
        except MissingKeyError:
            raise
        except PermanentError as error:
            log.warning("%s cannot copy on its own, so the bytes pass through: %s", self.url, error)
            with self.open_writer(key) as writer:
                for part, size in parts:
                    for offset in range(0, size, PART_BYTES):
                        read = min(PART_BYTES, size - offset)
                        writer.write(self.read_range(part, offset, read))
        with store_errors(key, self.url):
            reply = self._send("head_object", Key=self._name(key))
        require_size(reply["ContentLength"], parts, key)

    def exists(self, key: str) -> bool:
        """Whether the object exists."""
        try:
            with store_errors(key, self.url):
                self._send("head_object", Key=self._name(key))
        except MissingKeyError:
            return False
        return True

    def list(self, prefix: str) -> Iterator[str]:
        """Keys that begin with `prefix`, ascending."""
        cut = len(self.prefix) + 1 if self.prefix else 0
        names = [item["Key"] for item in self._items(prefix)]
        # Some servers sort by other rules, and list the folders that browsers make as objects.
        return iter(sorted(name[cut:] for name in names if not name.endswith("/")))

    def stamps(self, keys: Collection[str]) -> dict[str, str]:
        """A text for each of these keys that exists, from a listing of what begins as they do."""
        names = {self._name(key): key for key in keys}
        start = os.path.commonprefix(list(keys))  # noqa: RUF071 (of texts, which keys are)
        return {
            names[item["Key"]]: self._stamp(names[item["Key"]], item)
            for item in (self._items(start) if keys else ())
            if item["Key"] in names
        }

    def _stamp(self, key: str, item: dict[str, Any]) -> str:
        """What a listing says of an object; of a server that leaves ETags out, its content's."""
        if item.keys() >= {"ETag", "Size", "LastModified"}:
            return f"{item['ETag']}-{item['Size']}-{item['LastModified']}"
        return hashlib.sha256(self.read(key)).hexdigest()

    def _items(self, prefix: str) -> Iterator[dict[str, Any]]:
        """What a listing says of each object whose key begins with `prefix`."""
        whole = f"{self.prefix}/{prefix}".lstrip("/")
        for page in self._pages(prefix, whole):
            yield from (item for item in page.get("Contents", ()) if item["Key"].startswith(whole))

    def _pages(self, prefix: str, whole: str) -> Iterator[dict[str, Any]]:
        """Replies of a listing. boto3 takes one that breaks off for its end."""
        where: dict[str, str] = {}
        while True:
            with store_errors(prefix, self.url):
                page = self._send("list_objects_v2", Prefix=whole, **where)
            if not page.keys() & {"Name", "IsTruncated", "KeyCount", "Contents"}:
                raise RetryableError(
                    f"{self.url}/{prefix}: the answer to a listing is not S3's; check that "
                    "CAPTIONS_S3_ENDPOINT_URL names the server itself"
                )
            yield page
            if not page.get("IsTruncated"):
                return
            token = page.get("NextContinuationToken")
            if not token or token == where.get("ContinuationToken"):
                raise PermanentError(
                    f"{self.url}/{prefix}: the server says that its listing goes on, but not "
                    "where; it does not speak S3's ListObjectsV2, use another store"
                )
            where = {"ContinuationToken": token}

    def delete(self, key: str) -> None:
        """Remove the object if it exists."""
        with store_errors(key, self.url):
            self._send("delete_object", Key=self._name(key))

    def clear_unfinished(self, key: str, idle_s: float) -> None:
        """Abort multipart uploads of writers that were killed.

        Where the server or the account does not let us, only warn: what is left takes up space,
        but nobody sees it.
        """
        name = self._name(key)
        try:
            with store_errors(key, self.url):
                found = unfinished_uploads(self._client, self.bucket, name)
            for upload in found:
                # One that ends meanwhile is no trouble, and what cannot be asked about can wait.
                with (
                    contextlib.suppress(MissingKeyError, RetryableError),
                    store_errors(key, self.url),
                ):
                    if idle_s_of(self._client, upload) >= idle_s:
                        log.warning("aborting an upload of %s, left by a killed writer", key)
                        self._client.abort_multipart_upload(**upload.target)
        except CaptioningError as error:
            log.warning("unfinished uploads of %s cannot be cleared: %s", key, error)
