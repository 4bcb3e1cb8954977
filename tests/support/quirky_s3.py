"""S3 servers that speak almost the protocol: moto behind a proxy that misbehaves like them.

The quirks are what their users report; the servers themselves do not run here. Each quirk sees a
request before moto does, and may answer in its place, or see moto's answer and change it.
"""

import contextlib
import functools
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import SplitResult, parse_qs, urlsplit


@dataclass
class Asked:
    """A request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    @property
    def lists_uploads(self) -> bool:
        return self.method == "GET" and "uploads" in self.query

    @property
    def completes(self) -> bool:
        return self.method == "POST" and "uploadId" in self.query

    @property
    def lists_keys(self) -> bool:
        return self.method == "GET" and "list-type" in self.query

    @property
    def has_checksum(self) -> bool:
        return any(
            name.startswith(("x-amz-checksum-", "x-amz-sdk-checksum")) and name != CHECKSUM_MODE
            for name in self.headers
        )


@dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


CHECKSUM_MODE = "x-amz-checksum-mode"
HANG_UP = Answer(0)
"""No answer: the connection ends."""

Forward = Callable[[Asked], Answer]
Quirk = Callable[[Asked, Forward], Answer]


def error(status: int, code: str, message: str = "No.") -> Answer:
    """A refusal in S3's form."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return Answer(status, body, {"Content-Type": "application/xml"})


def refuse(test: Callable[[Asked], bool], answer: Answer) -> Quirk:
    """Answer some requests so."""
    return lambda asked, forward: answer if test(asked) else forward(asked)


def no_checksums(status: int, code: str, message: str) -> Quirk:
    return refuse(lambda asked: asked.has_checksum, error(status, code, message))


def no_upload_list(status: int, code: str) -> Quirk:
    return refuse(lambda asked: asked.lists_uploads, error(status, code))


def hides_missing(asked: Asked, forward: Forward) -> Answer:
    """AWS, where the account lacks s3:ListBucket."""
    answer = forward(asked)
    if asked.method in ("GET", "HEAD") and answer.status == 404:
        return error(403, "AccessDenied", "Access Denied")
    return answer


def loses_completion() -> Quirk:
    """The upload is completed, the reply lost; asked again, the upload is unknown."""
    done: list[str] = []

    def answer(asked: Asked, forward: Forward) -> Answer:
        if not asked.completes:
            return forward(asked)
        if asked.path in done:
            return error(404, "NoSuchUpload", "The specified multipart upload does not exist.")
        done.append(asked.path)
        forward(asked)
        return HANG_UP

    return answer


def lists_folders(asked: Asked, forward: Forward) -> Answer:
    """Folders that a browser made are objects, and keys come in another order."""
    answer = forward(asked)
    if asked.lists_keys:
        entries = re.findall(rb"<Contents>.*?</Contents>", answer.body, re.DOTALL)
        folder = b"<Contents><Key>some/prefix/p/</Key><Size>0</Size></Contents>"
        rest = re.sub(rb"<Contents>.*</Contents>", b"", answer.body, flags=re.DOTALL)
        turned = b"".join([folder, *reversed(entries)])
        end = b"</ListBucketResult>"
        answer.body = rest.replace(end, turned + end)
    return answer


def forgets_token(asked: Asked, forward: Forward) -> Answer:
    """A listing goes on, but the reply does not say where."""
    answer = forward(asked)
    if asked.lists_keys:
        answer.body = re.sub(
            rb"<IsTruncated>.*?</IsTruncated>",
            b"<IsTruncated>true</IsTruncated>",
            answer.body,
        )
    return answer


def bare_parts(asked: Asked, forward: Forward) -> Answer:
    """Uploads and parts without their times."""
    answer = forward(asked)
    if asked.method == "GET" and {"uploads", "uploadId"} & asked.query.keys():
        answer.body = re.sub(rb"<(Initiated|LastModified)>.*?</\1>", b"", answer.body)
    return answer


SERVERS: dict[str, tuple[Quirk, ...]] = {
    "seaweedfs": (lists_folders, bare_parts),
    "r2": (no_checksums(501, "NotImplemented", "Header 'x-amz-checksum-crc32' not implemented"),),
    "r2-trailers": (no_checksums(401, "Unauthorized", "Unauthorized"),),
    "minio": (bare_parts,),
    "ceph": (
        no_checksums(400, "XAmzContentSHA256Mismatch", "The provided header does not match"),
        lists_folders,
    ),
    "garage": (
        no_checksums(400, "InvalidRequest", "Bad request"),
        no_upload_list(501, "NotImplemented"),
    ),
    "gcs": (
        no_checksums(403, "SignatureDoesNotMatch", "The request signature does not match"),
        no_upload_list(400, "InvalidArgument"),
    ),
    "b2": (no_checksums(400, "InvalidArgument", "Unsupported header 'x-amz-checksum-crc32'"),),
    "lakefs": (no_upload_list(405, "MethodNotAllowed"),),
    "s3proxy": (no_upload_list(501, "NotImplemented"),),
}
"""Name of a server to what is odd about it; all work."""


_HOP_HEADERS = {"connection", "transfer-encoding", "date", "server"}


@contextlib.contextmanager
def serve(moto_url: str, *quirks: Quirk) -> Iterator[tuple[str, list[Asked]]]:
    """The address of a server with these quirks, and the requests it has seen."""
    forward: Forward = functools.partial(_ask, urlsplit(moto_url))
    for quirk in quirks:
        forward = functools.partial(_behind, quirk, forward)
    server = _Server(forward)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.seen
    finally:
        server.shutdown()
        server.server_close()


def _behind(quirk: Quirk, forward: Forward, asked: Asked) -> Answer:
    return quirk(asked, forward)


def _ask(backend: SplitResult, asked: Asked) -> Answer:
    connection = HTTPConnection(backend.hostname or "", backend.port, timeout=10)
    connection.request(asked.method, asked.path, asked.body, asked.headers)
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    kept = {name: v for name, v in reply.getheaders() if name.lower() not in _HOP_HEADERS}
    return Answer(reply.status, body, kept)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, forward: Forward) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.forward = forward
        self.seen: list[Asked] = []


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        headers.pop("expect", None)  # met by BaseHTTPRequestHandler
        asked = Asked(self.command, self.path, headers, body)
        self.server.seen.append(asked)
        answer = self.server.forward(asked)
        if answer is HANG_UP:
            self.close_connection = True
            return
        self.send_response(answer.status)
        size = answer.headers.get("Content-Length") if self.command == "HEAD" else None
        for name, value in answer.headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", size or str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle

    def log_message(self, *args: object) -> None:
        pass
