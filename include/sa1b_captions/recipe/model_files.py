"""The files of a model on this machine's disks, hashed and compared with a lock.

Hashing 152 GB takes minutes, so it is done once. A stamp then says of which lock, and of which
size, time and inode every file was; while they are so, a start compares these alone. The stamp lies
beside the model's folder, on the same volume: caption pods mount that read-only, keep nothing of
their own from pod to pod, and cannot write one. Who could write a false stamp could write a false
model as well. To a copy of the volume it does not apply: copies have other inodes.
"""

import hashlib
import logging
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from sa1b_captions import checked_json
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.plurals import counted
from sa1b_captions.recipe.model_lock import LockedFile, ModelLock, difference, is_of_model

_log = logging.getLogger(__name__)

_MOST_THREADS = 8
_STAMPED = ".verified.json"
_LOCK = ".lock"


def lock_folder(folder: Path, model: str, revision: str) -> ModelLock:
    """The lock of a model as it is in a folder; reads all of it.

    Raises RetryableError: a file cannot be read.
    """
    return ModelLock(model, revision, _hashed(folder, _stats(folder)))


def require_locked(folder: Path, lock: ModelLock, *, again: bool = False) -> None:
    """Check that a folder holds the files of a lock, and no others.

    Args:
        again: hash the files although a stamp says that they are right.

    Raises:
        PermanentError: saying in what they differ.
        RetryableError: a file cannot be read.
    """
    stats = _stats(folder)
    sizes = {name: stat.st_size for name, stat in stats.items()}
    # Whatever has the right size passes here; a wrong one needs no hashing to be told.
    seen = {
        name: LockedFile(size, lock.files[name].sha256 if name in lock.files else "")
        for name, size in sizes.items()
    }
    _require_equal(folder, lock, seen)
    stamp = checked_json.render(
        {
            "lock": lock.digest,
            "files": {
                name: [stat.st_size, stat.st_mtime_ns, stat.st_ino]
                for name, stat in sorted(stats.items())
            },
        }
    )
    path = _beside(folder, _STAMPED)
    if not again and _read(path) == stamp:
        _log.info("model: %s is as it was when its hashes were compared with the lock", folder)
        return
    _require_equal(folder, lock, _hashed(folder, stats))
    _write_stamp(path, stamp)


def lock_beside(folder: Path) -> Path:
    """Where the lock of a folder that was fetched lies."""
    return _beside(folder, _LOCK)


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file, atomically. Raises OSError."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _require_equal(folder: Path, lock: ModelLock, found: Mapping[str, LockedFile]) -> None:
    if told := difference(lock.files, found):
        raise PermanentError(
            f"{folder} is not the model that is locked, {lock.model} of revision {lock.revision}: "
            f"{told}; fetch it with sa1b-captions model fetch, or use the folder that was locked"
        )


def _stats(folder: Path) -> dict[str, os.stat_result]:
    """Of the model's files, by their paths; links are followed, as the hub's cache has them."""
    try:
        names = [path.relative_to(folder).as_posix() for path in folder.rglob("*")]
        paths = {name: folder / name for name in names if is_of_model(name)}
        return {name: path.stat() for name, path in paths.items() if path.is_file()}
    except OSError as error:
        raise RetryableError(f"{folder} cannot be looked at: {error}") from None


def _hashed(folder: Path, stats: Mapping[str, os.stat_result]) -> dict[str, LockedFile]:
    total = sum(stat.st_size for stat in stats.values())
    count = counted(len(stats), "file")
    _log.info("model: hashing %s, %.1f GB, of %s", count, total / 1e9, folder)
    began = time.monotonic()

    def hashed(name: str) -> LockedFile:
        try:
            with (folder / name).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise RetryableError(f"{folder / name} cannot be read: {error.strerror}") from None
        return LockedFile(stats[name].st_size, digest)

    # The largest first, so that none of them is left to one thread at the end.
    order = sorted(stats, key=lambda name: -stats[name].st_size)
    threads = min(_MOST_THREADS, len(os.sched_getaffinity(0)))
    with ThreadPoolExecutor(threads, "hash") as pool:
        found = dict(zip(order, pool.map(hashed, order), strict=True))
    _log.info("model: hashed in %.0f s", time.monotonic() - began)
    return found


def _beside(folder: Path, suffix: str) -> Path:
    """A file for a folder that is not in it; the hub's cache wants none among its snapshots."""
    folder = Path(os.path.normpath(folder))
    home = folder.parents[1] if folder.parent.name == "snapshots" else folder.parent
    return home / f"{folder.name}{suffix}"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _write_stamp(path: Path, stamp: bytes) -> None:
    try:
        replace_file(path, stamp)
    except OSError as error:
        _log.warning(
            "model: %s cannot be written (%s), so every start hashes the model again; "
            "run sa1b-captions model verify once where the volume can be written, as "
            "deploy/kubernetes/model-download.yaml does",
            path,
            error.strerror,
        )
