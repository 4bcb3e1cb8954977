"""Objects as files of a folder."""

import contextlib
import errno
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import IO

from sa1b_captions.errors import (
    CaptioningError,
    MissingKeyError,
    PermanentError,
    RetryableError,
    SettingsError,
)
from sa1b_captions.storage.abandoned import clear_abandoned, lock, partial_files
from sa1b_captions.storage.store import PARTIAL_SUFFIX, checked_key, exactly, require_size

log = logging.getLogger(__name__)

_LASTING = (
    *(errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EEXIST),
    *(errno.EINVAL, errno.ENODEV, errno.ENXIO),
)
"""Errors of a place that cannot hold a store, which waiting does not change."""

_COPIED_AT_ONCE = 1 << 30
_BUFFER_BYTES = 1 << 20

_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM, errno.EACCES)
"""What folders that cannot do something answer: CIFS, FUSE, and others."""


class FileStore:
    """Objects as files of a folder. Atomic by writing beside the target and renaming."""

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            self.url = root.as_uri()
            if "\0" in str(root):
                raise ValueError("it holds a zero byte")
        except ValueError as error:  # UnicodeEncodeError is one
            raise SettingsError(
                f"CAPTIONS_ROOT={str(root)!a} is no folder that this process can name ({error}); "
                "set LC_ALL=C.UTF-8 if it holds letters beyond ASCII"
            ) from None

    def __reduce__(self) -> tuple[type["FileStore"], tuple[Path]]:
        """Another process opens the same folder."""
        return FileStore, (self.root,)

    def locate(self, key: str) -> str:
        """URL of a key."""
        return self._path(key).as_uri()

    def _path(self, key: str) -> Path:
        return self.root / checked_key(key)

    def read(self, key: str) -> bytes:
        """Whole object."""
        with self._errors(key), self._missing(key):
            return self._path(key).read_bytes()

    def read_range(self, key: str, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`."""
        with self._errors(key), self._missing(key), self._path(key).open("rb") as file:
            file.seek(offset)
            return exactly(file.read(size), size, key, offset)

    def write(self, key: str, data: bytes) -> None:
        """Replace the object atomically."""
        with self.open_writer(key) as writer:
            writer.write(data)

    @contextlib.contextmanager
    def open_writer(self, key: str) -> Iterator["_GuardedWriter"]:
        """Stream an object into a temporary neighbour; rename it when the block ends.

        What killed writers of the same object left is removed first.
        """
        path = self._path(key)
        with self._errors(key):
            path.parent.mkdir(parents=True, exist_ok=True)
            clear_abandoned(path)
            file = tempfile.NamedTemporaryFile(  # noqa: SIM115 (closed before the rename)
                dir=path.parent, prefix=f".{path.name}.", suffix=PARTIAL_SUFFIX, delete=False
            )
            lock(file)
        try:
            yield _GuardedWriter(file, lambda: self._errors(key))
            with self._errors(key):
                file.flush()
                _settle(file.fileno())
                file.close()  # some network folders rename no open file
                _rename(Path(file.name), path)
        except BaseException:
            with contextlib.suppress(OSError):
                file.close()
            with contextlib.suppress(OSError):
                Path(file.name).unlink(missing_ok=True)
            raise

    def concatenate(self, key: str, parts: Sequence[tuple[str, int]]) -> None:
        """Replace the object by others one after the other; the kernel copies where it can."""
        with self.open_writer(key) as writer:
            copied = 0
            for part, _ in parts:
                with self._errors(part), self._missing(part), self._path(part).open("rb") as source:
                    copied += writer.copy(source)
            require_size(copied, parts, key)

    def exists(self, key: str) -> bool:
        """Whether the object exists."""
        with self._errors(key):
            return self._path(key).is_file()

    def list(self, prefix: str) -> Iterator[str]:
        """Keys that begin with `prefix`, ascending."""
        with self._errors(prefix):
            folder = self.root / prefix.rpartition("/")[0]
            join = os.path.join  # a path object for every file costs more than the listing
            begin = len(join(self.root, ""))
            keys = [
                join(parent, name)[begin:]
                for parent, _, names in os.walk(folder, onerror=_unless_gone)
                for name in names
            ]
        return iter(
            sorted(k for k in keys if k.startswith(prefix) and not k.endswith(PARTIAL_SUFFIX))
        )

    def stamps(self, keys: Collection[str]) -> dict[str, str]:
        """A text for each of these keys that exists."""
        found = {}
        root = str(self.root)
        for key in keys:
            with self._errors(key), contextlib.suppress(FileNotFoundError):
                file = os.stat(f"{root}/{key}")  # noqa: PTH116 (a Path costs more than the call)
                # A file that replaces another was made beside it, so its inode differs even
                # where the clock of the disk has not ticked between.
                found[key] = f"{file.st_ino}-{file.st_size}-{file.st_mtime_ns}-{file.st_ctime_ns}"
        return found

    def delete(self, key: str) -> None:
        """Remove the object if it exists."""
        with self._errors(key):
            self._path(key).unlink(missing_ok=True)

    def clear_unfinished(self, key: str, idle_s: float) -> None:
        """Remove temporary files of writers that were killed."""
        path = self._path(key)
        files = path.rglob(f".*{PARTIAL_SUFFIX}") if key.endswith("/") else partial_files(path)
        with self._errors(key):
            for file in list(files):
                with contextlib.suppress(FileNotFoundError):  # its writer ended meanwhile
                    if max(_disk_time(file.parent) - file.stat().st_mtime, 0.0) >= idle_s:
                        log.warning("removing %s, left behind by a killed writer", file)
                        file.unlink()

    @contextlib.contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _failure(error, f"{self.url}/{key}", self.root) from error

    @contextlib.contextmanager
    def _missing(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise MissingKeyError(key, self.url) from None


class _GuardedWriter:
    """Turns the disk's errors of a write into this package's; the caller's own stay theirs."""

    def __init__(
        self,
        file: IO[bytes],
        errors: Callable[[], contextlib.AbstractContextManager[None]],
    ) -> None:
        self._file, self._errors = file, errors

    def write(self, data: bytes | memoryview, /) -> int:
        with self._errors():
            return self._file.write(data)

    def copy(self, source: IO[bytes]) -> int:
        """Append a file, whose first byte is next. Returns its bytes."""
        with self._errors():
            self._file.flush()
            start = self._file.seek(0, os.SEEK_END)
            try:
                while os.copy_file_range(source.fileno(), self._file.fileno(), _COPIED_AT_ONCE):
                    pass
            except OSError as error:
                if error.errno not in (*_UNSUPPORTED, errno.EXDEV, errno.EBADF):
                    raise
                source.seek(self._file.seek(0, os.SEEK_END) - start)
                shutil.copyfileobj(source, self._file, _BUFFER_BYTES)
            return self._file.seek(0, os.SEEK_END) - start


def _failure(error: OSError, where: str, root: Path) -> CaptioningError:
    """What an error of the disk means to whoever runs this."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return PermanentError(f"{where}: no permission ({error})")
    if error.errno in (errno.EDQUOT, errno.EFBIG):
        return PermanentError(f"{where}: {error}; free space or raise the quota, then run it again")
    if error.errno in _LASTING:
        return PermanentError(f"{where}: {error}; check CAPTIONS_ROOT")
    try:
        free = f" ({shutil.disk_usage(_existing(root)).free / 2**30:.1f} GiB free on that disk)"
    except OSError:
        free = ""
    return RetryableError(f"{where}: {error}{free}")


def _unless_gone(error: OSError) -> None:
    """Let no folder that cannot be read make a listing short."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _settle(descriptor: int) -> None:
    """Have the bytes on the disk, and let others read them, as far as the folder can do that."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    with contextlib.suppress(OSError):  # CIFS and others have modes of their own
        os.fchmod(descriptor, 0o644)


def _disk_time(folder: Path) -> float:
    """Now, by the clock that a folder's files get their times from; this machine's may differ."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=PARTIAL_SUFFIX)
    try:
        return os.fstat(descriptor).st_mtime
    finally:
        os.close(descriptor)  # first: some network folders unlink no open file
        Path(name).unlink(missing_ok=True)


def _rename(partial: Path, path: Path) -> None:
    try:
        partial.replace(path)
    except FileNotFoundError:
        raise RetryableError(f"{partial} was removed: another process finished {path}") from None


def _existing(path: Path) -> Path:
    return path if path.exists() or path == path.parent else _existing(path.parent)
