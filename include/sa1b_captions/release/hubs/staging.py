"""Files of a release as files of this machine: as they lie in a folder, fetched from a bucket."""

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from sa1b_captions.errors import PermanentError
from sa1b_captions.release.hubs.hub import Outgoing
from sa1b_captions.storage import FileStore, Store

READ_BYTES = 16 * 1024 * 1024
"""What is held of a file at a time."""


class Staging:
    """Gives paths of a release's files; what it fetched goes with it."""

    def __init__(self, store: Store, prefix: str, files: Mapping[str, Outgoing]) -> None:
        """Prepare to give these files.

        Args:
            prefix: of its folder, with a final slash.
        """
        self._store, self._prefix, self._files = store, prefix, files
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._fetched: dict[str, Path] = {}

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Delete what was fetched."""
        if self._folder is not None:
            self._folder.cleanup()

    def read(self, name: str) -> bytes:
        """A small file."""
        return self._store.read(self._prefix + name)

    def path(self, name: str) -> Path:
        """Where a file lies. Raises PermanentError if its bytes are not those of the manifest."""
        if isinstance(self._store, FileStore):
            return self._store.root / self._prefix / name
        if name not in self._fetched:
            self._fetched[name] = self._fetch(self._files[name])
        return self._fetched[name]

    def done(self, name: str) -> None:
        """Delete a file that was fetched."""
        path = self._fetched.pop(name, None)
        if path is not None:
            path.unlink()

    def _fetch(self, file: Outgoing) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="sa1b-publish-")
        key, digest = self._prefix + file.name, hashlib.sha256()
        path = Path(self._folder.name) / str(len(self._fetched)) / Path(file.name).name
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as sink:
            for offset in range(0, file.size_bytes, READ_BYTES):
                part = self._store.read_range(
                    key, offset, min(READ_BYTES, file.size_bytes - offset)
                )
                digest.update(part)
                sink.write(part)
        if digest.hexdigest() != file.sha256:
            raise PermanentError(
                f"{self._store.locate(key)} changed since it was verified; nothing of it is "
                "published: run sa1b-captions verify"
            )
        return path
