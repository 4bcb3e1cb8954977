"""A local server that speaks the chat-completions protocol as lmdeploy's api_server does.

Real sockets and threads. It checks requests as a strict server would, keeps them, and misbehaves
on request: each chat request takes the next fault of the list.
"""

import base64
import contextlib
import io
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

MODEL = "preview"


@dataclass(frozen=True)
class Fault:
    """How one chat request goes wrong."""

    status: int | None = None
    """Answer this with an error body."""
    message: str = "An internal server error occurred."
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False
    """End the connection with a TCP reset and no answer."""
    stall_s: float = 0.0
    """Wait before anything else."""
    body: bytes | None = None
    """Answer with these bytes, and 200 where no status is set."""
    drip_s: float = 0.0
    """Send the body byte by byte, with so long a pause between two."""


@dataclass(frozen=True)
class Answer:
    """A completion."""

    text: str
    finish_reason: str | None = "stop"
    first_tokens: dict[str, float] | None = None
    """Told to whoever asks: natural logarithms of the first tokens' probabilities."""
    prompt_tokens: int = 1800
    cached_tokens: int | None = None


def describe(body: dict[str, Any]) -> Answer:
    """Names the sizes of the images that came."""
    return Answer("Images of " + ", ".join(f"{w}x{h}" for w, h in image_sizes(body)))


def content(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Content parts of the user's message."""
    parts: list[dict[str, Any]] = body["messages"][-1]["content"]
    return parts


def image_bytes(body: dict[str, Any]) -> list[bytes]:
    urls = [part["image_url"]["url"] for part in content(body) if part["type"] == "image_url"]
    prefix = "data:image/jpeg;base64,"
    assert all(url.startswith(prefix) for url in urls)
    return [base64.b64decode(url.removeprefix(prefix), validate=True) for url in urls]


def image_sizes(body: dict[str, Any]) -> list[tuple[int, int]]:
    return [Image.open(io.BytesIO(data)).size for data in image_bytes(body)]


class OpenAIServer:
    """One replica. `requests` holds the bodies of chat requests in order of arrival."""

    def __init__(
        self,
        faults: Iterable[Fault] = (),
        *,
        models: Iterable[str] = (MODEL,),
        answer: Callable[[dict[str, Any]], Answer] = describe,
        key: str | None = None,
        model_list: Fault | None = None,
        odd: Callable[[dict[str, Any]], Fault | None] = lambda body: None,
    ) -> None:
        """Begin to listen.

        Args:
            faults: of the first chat requests, in order.
            models: names that it serves.
            answer: makes completions.
            key: refuse requests without it.
            model_list: what `GET /models` answers instead of the names.
            odd: the fault of a chat request, by its body, each time it comes.
        """
        self.faults = list(faults)
        self.model_list = model_list
        self.odd = odd
        self.models = list(models)
        self.answer = answer
        self.key = key
        self.requests: list[dict[str, Any]] = []
        self.in_flight = self.peak_in_flight = 0
        self.lock = threading.Lock()
        self._http: _Server | None = None
        self._port = 0
        self.start()
        self.url = f"http://127.0.0.1:{self._port}/v1"

    def start(self) -> None:
        """Listen, on the same port as before."""
        self._http = _Server(self, self._port)
        self._port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections, and drop those that are open."""
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http.drop_connections()
            self._http = None


@contextlib.contextmanager
def serve(*args: Any, **options: Any) -> Iterator[OpenAIServer]:
    server = OpenAIServer(*args, **options)
    try:
        yield server
    finally:
        server.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, owner: OpenAIServer, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.owner = owner
        self.connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def drop_connections(self) -> None:
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """The client hanging up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # as uvicorn has it: a reply is two writes

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self._refused():
            return
        if self.path != "/v1/models":
            self._error(404, "Not Found")
            return
        if (fault := self.server.owner.model_list) is not None:
            self._send(fault.status or 200, fault.body or b"", fault.headers, fault.drip_s)
            return
        cards = [
            {"id": name, "object": "model", "created": 1, "owned_by": "lmdeploy", "root": name}
            for name in self.server.owner.models
        ]
        self._json(200, {"object": "list", "data": cards})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._refused():
            return
        owner = self.server.owner
        with owner.lock:
            owner.requests.append(body)
            fault = owner.faults.pop(0) if owner.faults else owner.odd(body) or Fault()
            owner.in_flight += 1
            owner.peak_in_flight = max(owner.peak_in_flight, owner.in_flight)
        try:
            time.sleep(fault.stall_s)
            self._chat(body, fault)
        finally:
            with owner.lock:
                owner.in_flight -= 1

    def _refused(self) -> bool:
        key = self.server.owner.key
        refused = key is not None and self.headers.get("Authorization") != f"Bearer {key}"
        if refused:
            self._error(401, "Unauthorized.")
        return refused

    def _chat(self, body: dict[str, Any], fault: Fault) -> None:
        owner = self.server.owner
        if fault.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()
            self.wfile.close()
            self.connection.close()
        elif fault.body is not None:
            self._send(fault.status or 200, fault.body, fault.headers, fault.drip_s)
        elif fault.status is not None:
            self._error(fault.status, fault.message, fault.headers)
        elif self.path != "/v1/chat/completions" or body["model"] not in owner.models:
            self._error(404, f"The model {body['model']!r} does not exist.")
        else:
            self._complete(owner.answer(body), body)

    def _complete(self, answer: Answer, body: dict[str, Any]) -> None:
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": answer.text},
            "finish_reason": answer.finish_reason,
        }
        if body.get("logprobs") and answer.first_tokens:
            # As lmdeploy does: the token that was taken stands beside the other ones.
            (token, logprob), *others = answer.first_tokens.items()
            top = [{"token": other, "bytes": [], "logprob": value} for other, value in others]
            first = {"token": token, "bytes": [], "logprob": logprob, "top_logprobs": top}
            choice["logprobs"] = {"content": [first]}
        usage: dict[str, Any] = {
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": 7,
            "total_tokens": answer.prompt_tokens + 7,
        }
        if answer.cached_tokens is not None:
            usage["prompt_tokens_details"] = {"cached_tokens": answer.cached_tokens}
        completion = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": MODEL,
            "choices": [choice],
            "usage": usage,
        }
        self._json(200, completion)

    def _error(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        """Lmdeploy's error body: flat, its code is the HTTP status."""
        error = {"object": "error", "message": message, "type": "server_error", "code": status}
        self._json(status, error, headers)

    def _json(self, status: int, content: object, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(content).encode(), headers or {})

    def _send(self, status: int, data: bytes, headers: dict[str, str], drip_s: float = 0.0) -> None:
        self.send_response(status)
        length = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        for name, value in (length | headers).items():
            self.send_header(name, value)
        self.end_headers()
        for place in range(len(data) if drip_s else 0):
            self.wfile.write(data[place : place + 1])
            time.sleep(drip_s)
        if not drip_s:
            self.wfile.write(data)
