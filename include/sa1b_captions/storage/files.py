"""Objects as files of a folder."""

import contextlib
import glob
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sa1b_captions.errors import MissingKeyError, PermanentError, RetryableError
from sa1b_captions.storage.store import PARTIAL_SUFFIX, Writer, checked_key, exactly

log = logging.getLogger(__name__)


class FileStore:
    """Objects as files of a folder. Atomic by writing beside the target and renaming."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = root.as_uri()

    def locate(self, key: str) -> str:
        """URL of a key."""
        return self._path(key).as_uri()

    def _path(self, key: str) -> Path:
        return self.root / checked_key(key)

    def read(self, key: str) -> bytes:
        """Whole object."""
        with self._errors(key):
            return self._path(key).read_bytes()

    def read_range(self, key: str, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`."""
        with self._errors(key), self._path(key).open("rb") as file:
            file.seek(offset)
            return exactly(file.read(size), size, key, offset)

    def write(self, key: str, data: bytes) -> None:
        """Replace the object atomically."""
        with self.open_writer(key) as writer:
            writer.write(data)

    @contextlib.contextmanager
    def open_writer(self, key: str) -> Iterator[Writer]:
        """Stream an object into a temporary neighbour; rename it when the block ends."""
        path = self._path(key)
        with self._errors(key):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=path.parent, prefix=f".{path.name}.", suffix=PARTIAL_SUFFIX, delete=False
            ) as file:
                try:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                    os.fchmod(file.fileno(), 0o644)
                    _rename(Path(file.name), path)
                except BaseException:
                    Path(file.name).unlink(missing_ok=True)
                    raise

    def exists(self, key: str) -> bool:
        """Whether the object exists."""
        return self._path(key).is_file()

    def list(self, prefix: str) -> Iterator[str]:
        """Keys that begin with `prefix`, ascending."""
        folder = self.root / prefix.rpartition("/")[0]
        keys = (
            path.relative_to(self.root).as_posix() for path in folder.rglob("*") if path.is_file()
        )
        return iter(
            sorted(k for k in keys if k.startswith(prefix) and not k.endswith(PARTIAL_SUFFIX))
        )

    def delete(self, key: str) -> None:
        """Remove the object if it exists."""
        with self._errors(key):
            self._path(key).unlink(missing_ok=True)

    def clear_unfinished(self, key: str, idle_s: float) -> None:
        """Remove temporary files of writers that were killed."""
        path = self._path(key)
        if key.endswith("/"):
            files = path.rglob(f".*{PARTIAL_SUFFIX}")
        else:
            files = path.parent.glob(f".{glob.escape(path.name)}.*{PARTIAL_SUFFIX}")
        for file in list(files):
            with contextlib.suppress(FileNotFoundError):
                if max(_disk_time(file.parent) - file.stat().st_mtime, 0.0) >= idle_s:
                    log.warning("removing %s, left behind by a killed writer", file)
                    file.unlink()

    @contextlib.contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise MissingKeyError(key, self.url) from None
        except PermissionError as error:
            raise PermanentError(f"no permission for {self.locate(key)}: {error}") from error
        except OSError as error:
            free_gib = shutil.disk_usage(_existing(self.root)).free / 2**30
            raise RetryableError(
                f"{self.locate(key)}: {error} ({free_gib:.1f} GiB free on that disk)"
            ) from error


def _disk_time(folder: Path) -> float:
    """Now, by the clock that a folder's files get their times from; this machine's may differ."""
    with tempfile.TemporaryFile(dir=folder, prefix=".", suffix=PARTIAL_SUFFIX) as file:
        return os.fstat(file.fileno()).st_mtime


def _rename(partial: Path, path: Path) -> None:
    try:
        partial.replace(path)
    except FileNotFoundError:
        raise RetryableError(f"{partial} was removed: another process finished {path}") from None


def _existing(path: Path) -> Path:
    return path if path.exists() or path == path.parent else _existing(path.parent)
