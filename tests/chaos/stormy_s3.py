"""The S3 stand-in under weather that a file tells: errors, slowness, resets, and no server at all.

    python -m tests.chaos.stormy_s3 8333 /path/of/weather

What it stores stays in memory through a restart, as a server's disk would keep it.
"""

import random
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from tests.support.s3_stand_in import StandIn

CALM, DOWN, RESETS, SLOW = "calm", "restart", "resets", "slow"
STORMY_SHARE = 0.5
"""Of requests that meet the weather; a client that tries again may be luckier."""
SLOW_S = 2.0
PIECE_BYTES = 4096
_ERROR = (
    '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code>'
    "<Message>The weather is bad.</Message><RequestId>storm</RequestId></Error>"
)
_CODES = {"500": "InternalError", "503": "SlowDown"}


class Storm:
    """The application before the stand-in's."""

    def __init__(self, weather: Path) -> None:
        self.weather = weather
        self._calm = StandIn()

    @property
    def now(self) -> str:
        """The weather of this moment."""
        return self.weather.read_text() if self.weather.exists() else CALM

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request, or not."""
        # Whether a server is well is asked by what starts the others.
        calm = environ["PATH_INFO"] == "/healthz" or random.random() > STORMY_SHARE
        weather = CALM if calm else self.now
        if weather in _CODES:
            body = _ERROR.format(code=_CODES[weather])
            answer = Response(body, int(weather), content_type="application/xml")
            # A client that sends still would see a reset instead.
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            return answer(environ, start_response)
        if weather == RESETS and random.random() < 0.5:
            reset(environ["werkzeug.socket"])
            raise ConnectionResetError
        if weather == SLOW:
            time.sleep(SLOW_S)
        return self._sent(self._calm(environ, start_response), environ, weather)

    def _sent(
        self, answer: Iterable[bytes], environ: dict[str, Any], weather: str
    ) -> Iterator[bytes]:
        for data in answer:
            for place in range(0, len(data), PIECE_BYTES):
                yield data[place : place + PIECE_BYTES]
                if weather == RESETS or self.now == DOWN:
                    reset(environ["werkzeug.socket"])


def reset(connection: socket.socket) -> None:
    """End a connection with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()


class Quiet(WSGIRequestHandler):
    """Says nothing of requests, and speaks HTTP 1.1 for connections that stay."""

    protocol_version = "HTTP/1.1"

    def log(self, *_: object, **__: object) -> None:
        """Do nothing."""

    def handle(self) -> None:
        """As ever; a connection that the storm took is no news."""
        try:
            super().handle()
        except (OSError, ValueError):
            self.close_connection = True


def serve(port: int, storm: Storm) -> None:
    """Serve for ever, except while the weather is down."""
    while True:
        server: BaseWSGIServer = make_server(
            "127.0.0.1", port, storm, threaded=True, request_handler=Quiet
        )
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        while storm.now != DOWN:
            time.sleep(0.1)
        server.shutdown()
        server.server_close()
        while storm.now == DOWN:
            time.sleep(0.1)


if __name__ == "__main__":
    serve(int(sys.argv[1]), Storm(Path(sys.argv[2])))
