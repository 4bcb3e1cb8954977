"""Meta's side: archives that come slowly, behind links whose signature can end.

python -m tests.chaos.sources PORT FOLDER SIGNATURE_FILE
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support import builders

PIECE_BYTES = 512
PAUSE_S = 0.15
"""Between two pieces, so that there is a middle."""
DAY_S = 86400


class Signed:
    """Refuses what is not signed as the file says, in the middle of a reply, too."""

    def __init__(self, application: Any, signature: Path) -> None:
        self._application, self._signature = application, signature

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
        elif not self._is_signed(scope):
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"URL signature expired"})
        else:

            async def drip(message: Any) -> None:
                body = message.get("body", b"")
                for place in range(0, len(body), PIECE_BYTES):
                    if not self._is_signed(scope):
                        raise ConnectionAbortedError
                    piece = body[place : place + PIECE_BYTES]
                    await send(message | {"body": piece, "more_body": True})
                    await asyncio.sleep(PAUSE_S)
                await send({**message, "body": b""} if body else message)

            await self._application(scope, receive, drip)

    def _is_signed(self, scope: Any) -> bool:
        return f"oh={self._signature.read_text()}&".encode() in scope["query_string"]


def write_archives(folder: Path, shards: Sequence[str], images: int) -> None:
    """Small archives with that many images each."""
    folder.mkdir()
    for number, shard in enumerate(shards):
        ids = range(number * images + 1, (number + 1) * images + 1)
        content = builders.make_archive(builders.sa1b_members(ids), shuffle_seed=number)
        (folder / f"{shard}.tar").write_bytes(content)


def links(shards: Sequence[str], port: int, signature: str) -> str:
    """A links file in Meta's form, good for a day."""
    end = f"{int(time.time()) + DAY_S:x}"
    address = f"http://127.0.0.1:{port}"
    rows = [f"{name}.tar\t{address}/{name}.tar?oh={signature}&oe={end}" for name in shards]
    return "\n".join(["file_name\tcdn_link", *rows])


def serve(port: int, folder: str, signature: str) -> None:
    """Serve for ever."""
    import uvicorn
    from starlette.staticfiles import StaticFiles

    application = Signed(StaticFiles(directory=folder), Path(signature))
    uvicorn.run(application, port=port, log_level="critical")


if __name__ == "__main__":
    serve(int(sys.argv[1]), *sys.argv[2:])
