"""Resume state: what was downloaded of an archive, in the store until the shard is done.

A process that is killed loses nothing but its last bytes: the next one, on any machine, reads the
parts from the store and downloads only what follows. No local disk is used. Why the compressed
bytes and not the state of the decompressor: docs/decisions/0004-resume-from-kept-parts.md.
"""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from sa1b_captions import layout
from sa1b_captions.errors import MissingKeyError
from sa1b_captions.ingest.downloading.replies import Identity
from sa1b_captions.storage import Store

PART_BYTES = 16 * 2**20
"""An archive below this size leaves none. A kill costs less than two parts of download."""


class ResumeState:
    """The parts of one archive. Part k holds bytes [k*n, (k+1)*n); the rest is never stored.

    The part's key names the object's identity, so that a process believed dead, which reads
    another version of the object, cannot mix its bytes in. Raises what the store raises.
    """

    def __init__(self, store: Store, shard: str, path: str, part_bytes: int = PART_BYTES) -> None:
        """Look at what is stored.

        Args:
            path: the link's path, which refreshed links share; other objects have others.
            part_bytes: size of a part; 0 stores nothing.
        """
        self.identity = Identity()
        """Of the object that the parts belong to."""
        self.reused_bytes = 0
        """Bytes that `read` gave out."""
        self._store = store
        self._shard = shard
        self._path = path
        self._part_bytes = part_bytes
        self._parts = 0
        self._identity_digest: str | None = None
        self._buffer = bytearray()
        self._pool = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None
        self._look()

    def _look(self) -> None:
        try:
            found = json.loads(self._store.read(self._object_key))
            identity = Identity(**found["identity"])
        except (MissingKeyError, ValueError, KeyError, TypeError):
            return
        if found == self._describe(identity):
            self.identity = identity
            self._identity_digest = self._digest(identity)

    def read(self) -> Iterator[bytes]:
        """Parts in order, from the first byte to the first part that is missing."""
        if self._identity_digest is None:
            return
        following = self._pool.submit(self._read_part, 0)
        while (data := following.result()) is not None:
            self._parts += 1
            following = self._pool.submit(self._read_part, self._parts)
            self.reused_bytes += len(data)
            yield data

    def _read_part(self, number: int) -> bytes | None:
        try:
            data = self._store.read(self._part_key(number))
        except MissingKeyError:
            return None
        return data if len(data) == self._part_bytes else None

    def add(self, piece: bytes, identity: Identity) -> None:
        """Store bytes that follow all earlier ones; returns before they are stored."""
        if not self._part_bytes:
            return
        self._buffer += piece
        while len(self._buffer) >= self._part_bytes:
            part = bytes(memoryview(self._buffer)[: self._part_bytes])
            del self._buffer[: self._part_bytes]
            self._start_writing(part, identity)

    def _start_writing(self, part: bytes, identity: Identity) -> None:
        if self._identity_digest is None:
            description = self._describe(identity)
            self._store.write(self._object_key, json.dumps(description).encode())
            self._identity_digest = self._digest(identity)
        self._wait()
        self._writing = self._pool.submit(self._store.write, self._part_key(self._parts), part)
        self._parts += 1

    def _wait(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def close(self) -> None:
        """Let what was added be stored, the write that waits for its turn included."""
        self._pool.shutdown(wait=True)

    def forget(self) -> None:
        """Close, and delete every part of the shard, whatever object it belongs to."""
        self.close()
        forget_parts(self._store, layout.download_prefix(self._shard))

    @property
    def _object_key(self) -> str:
        return layout.download_object_key(self._shard)

    def _part_key(self, number: int) -> str:
        return layout.download_part_key(self._shard, self._identity_digest or "", number)

    def _describe(self, identity: Identity) -> dict[str, Any]:
        return {"path": self._path, "part_bytes": self._part_bytes, "identity": asdict(identity)}

    def _digest(self, identity: Identity) -> str:
        text = json.dumps(self._describe(identity), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def forget_parts(store: Store, prefix: str) -> None:
    """Delete the resume state of a download."""
    for key in list(store.list(prefix)):
        store.delete(key)
