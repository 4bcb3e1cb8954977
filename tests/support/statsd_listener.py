"""A StatsD listener: a UDP socket that keeps what it is sent."""

import contextlib
import socket
import time
from collections.abc import Iterator


class StatsdListener:
    """Lines sent to 127.0.0.1."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self._lines: list[str] = []
        self.datagrams: list[bytes] = []

    @property
    def address(self) -> str:
        """What CAPTIONS_STATSD is set to."""
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def lines(self, name: str = "", *, within_s: float = 2.0) -> list[str]:
        """Lines so far, or those of a metric, which is waited for."""
        until = time.monotonic() + within_s
        while True:
            with contextlib.suppress(BlockingIOError):
                while True:
                    self.datagrams.append(self._socket.recv(65536))
                    self._lines += self.datagrams[-1].decode().split("\n")
            found = [line for line in self._lines if line.startswith(f"{name}:" if name else "")]
            if found or time.monotonic() > until:
                return found
            time.sleep(0.01)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


@contextlib.contextmanager
def listening() -> Iterator[StatsdListener]:
    """A listener that ends with the block."""
    listener = StatsdListener()
    try:
        yield listener
    finally:
        listener.close()
