"""A local HTTP server that serves one archive and misbehaves on request.

Real sockets and threads. Each request takes the next fault of the list; when the list is empty
the server behaves.
"""

import contextlib
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SIGNATURE = "oh=SECRETSIGNATURE&oe=7fffffff"


@dataclass(frozen=True)
class Fault:
    """How one request goes wrong; the fields combine."""

    cut_after: int | None = None
    """Send this many body bytes, then end the connection."""
    reset: bool = False
    """End it with a TCP reset instead of a normal close."""
    stall_s: float = 0.0
    """Wait this long before the connection ends."""
    status: int | None = None
    """Answer this, with an empty body, instead of the archive."""
    headers: dict[str, str | None] = field(default_factory=dict)
    """Replace headers of the reply; None leaves one out."""
    body: bytes | None = None
    """Serve these bytes as the object instead."""
    ignore_range: bool = False
    range_shift: int = 0
    """Serve, and announce, another range than was asked for."""
    range_bytes: int | None = None
    """Serve at most this many bytes of a range, correctly announced."""
    redirect: bool = False
    chunked: bool = False
    no_length: bool = False
    drip_s: float = 0.0
    """Pause before every 4000 bytes."""

    def __str__(self) -> str:
        shown = []
        for spec in fields(self):
            value = getattr(self, spec.name)
            if value != (spec.default if spec.default is not MISSING else {}):
                text = f"{len(value)}B-{zlib.crc32(value):x}" if spec.name == "body" else str(value)
                shown.append(f"{spec.name}={text}")
        return ",".join(shown) or "none"


class FaultServer:
    """Serves `archive` at `/objects/sa_000000.tar`; `requests` holds the Range of each request."""

    def __init__(self, archive: bytes, faults: Iterable[Fault] = (), name: str = "sa_000000"):
        self.archive = archive
        self.faults = list(faults)
        self.requests: list[str | None] = []
        self.sent_bytes = 0
        self.etag: str | None = '"v1"'
        self.last_modified: str | None = "Mon, 01 Jan 2024 00:00:00 GMT"
        self.name = name
        self._http = _Server(self)
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        self.url = f"{self.address}/objects/{name}.tar?{SIGNATURE}"

    def links(self) -> str:
        """Links file in Meta's form."""
        return (
            f"file_name\tcdn_link\nsa_images_ids.txt\thttp://x/y.txt\n{self.name}.tar\t{self.url}"
        )


@contextlib.contextmanager
def serve(archive: bytes, faults: Iterable[Fault] = (), **options: str) -> Iterator[FaultServer]:
    server = FaultServer(archive, faults, **options)
    thread = threading.Thread(target=server._http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server._http.shutdown()
        server._http.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: FaultServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner

    def handle_error(self, request: object, client_address: object) -> None:
        """The client hanging up is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        owner = self.server.owner
        asked = self.headers.get("Range")
        owner.requests.append(asked)
        if "redirected" in self.path:
            fault = Fault()
        else:
            fault = owner.faults.pop(0) if owner.faults else Fault()
        if fault.redirect:
            self._reply(302, {"Location": f"{self.path}&redirected=1", "Content-Length": "0"})
        elif fault.status is not None:
            self._reply(fault.status, {"Content-Length": "0", **fault.headers})
        else:
            self._serve(fault, asked)

    def _serve(self, fault: Fault, asked: str | None) -> None:
        owner = self.server.owner
        body = owner.archive if fault.body is None else fault.body
        headers: dict[str, str | None] = {
            "Content-Type": "application/x-tar",
            "ETag": owner.etag,
            "Last-Modified": owner.last_modified,
        }
        status, start, end = 200, 0, len(body)
        if asked and not fault.ignore_range:
            status = 206
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start = int(first) + fault.range_shift
            end = min(end, int(last or end) + 1)
            if start >= len(body):
                self._reply(416, {"Content-Range": f"bytes */{len(body)}", "Content-Length": "0"})
                return
            if fault.range_bytes is not None:
                end = min(end, start + fault.range_bytes)
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(body)}"
        data = body[start:end]
        if fault.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif not fault.no_length:
            headers["Content-Length"] = str(len(data))
        self._reply(status, headers | fault.headers)
        self._send(fault, data)

    def _reply(self, status: int, headers: Mapping[str, str | None]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()

    def _send(self, fault: Fault, data: bytes) -> None:
        if fault.cut_after is not None:
            data = data[: fault.cut_after]
        pieces = [data[i : i + 4000] for i in range(0, len(data), 4000)]
        for piece in pieces:
            time.sleep(fault.drip_s)
            framed = b"%x\r\n%b\r\n" % (len(piece), piece) if fault.chunked else piece
            self.wfile.write(framed)
            self.server.owner.sent_bytes += len(piece)
        if fault.chunked and fault.cut_after is None:
            self.wfile.write(b"0\r\n\r\n")
        time.sleep(fault.stall_s)
        if fault.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # shutdown() first, as the server would, sends a normal end; closing now resets.
            self.rfile.close()
            self.wfile.close()
            self.connection.close()
        self.close_connection = fault.cut_after is not None or fault.no_length
