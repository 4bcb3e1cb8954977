"""Temporary files of writers that were killed, told by a lock from those of writers that live.

The kernel lets go of a lock when its process ends, however it ends. Folders that know no locks, as
some network folders, keep such files: there nobody can tell.
"""

import contextlib
import fcntl
import glob
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sa1b_captions.storage.store import PARTIAL_SUFFIX

LOCKED_S = 10.0
"""A file is locked this soon after it is made; a younger one may be about to be."""


def lock(file: IO[bytes]) -> None:
    """Mark a temporary file as one whose writer lives, if the folder can."""
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def partial_files(path: Path) -> Iterator[Path]:
    """Temporary files of a file's writers, in the same folder."""
    return path.parent.glob(f".{glob.escape(path.name)}.*{PARTIAL_SUFFIX}")


def clear_abandoned(path: Path) -> None:
    """Remove what killed writers of a file left beside it; whatever goes wrong, they stay."""
    for partial in partial_files(path):
        with contextlib.suppress(OSError):
            if abs(time.time() - partial.stat().st_mtime) > LOCKED_S and not _is_locked(partial):
                partial.unlink()


def _is_locked(path: Path) -> bool:
    """Raises OSError where the folder knows no locks."""
    with path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
