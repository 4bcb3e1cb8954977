"""The lock of a recipe's model: every file that the model is made of, by size and SHA-256.

It is a file `recipe.lock` beside `recipe.toml`, and beside `recipe.json` in a campaign that has
begun. A name and a commit say what somebody meant to load; a lock says what is there.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from sa1b_captions import checked_json
from sa1b_captions.errors import PermanentError
from sa1b_captions.plurals import counted
from sa1b_captions.typed_json import build

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class LockedFile:
    """What a file is known by."""

    size_bytes: int
    sha256: str
    """Hexadecimal."""


@dataclass(frozen=True, slots=True)
class ModelLock:
    """What a model is known by."""

    model: str
    """Its id, as `OpenGVLab/InternVL2-8B`."""
    revision: str
    """Commit that the files are of, or what was known of it."""
    files: Mapping[str, LockedFile]
    """By path in the model's folder; those that `is_of_model` says belong to it."""

    @property
    def digest(self) -> str:
        """SHA-256 over the files, hexadecimal: equal for equal files, whatever they are called."""
        files = {name: asdict(file) for name, file in self.files.items()}
        return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size_bytes for file in self.files.values())


def is_of_model(path: str) -> bool:
    """Whether a file in a model's folder is one of the model's: hidden ones and bytecode are not.

    Clients keep their notes there under hidden names.
    """
    parts = PurePosixPath(path).parts
    return not any(part.startswith(".") or part == "__pycache__" for part in parts)


def render_lock(lock: ModelLock) -> bytes:
    """Its file: JSON with the files in order, and a checksum."""
    files = {name: asdict(lock.files[name]) for name in sorted(lock.files)}
    content = {"model": lock.model, "revision": lock.revision, "files": files}
    return checked_json.render(content) + b"\n"


def parse_lock(data: bytes, where: str) -> ModelLock:
    """What `render_lock` made.

    Raises PermanentError naming where it is and what is wrong with it.
    """
    try:
        found: ModelLock = build(_Stored, checked_json.parse(data)).lock()
    except ValueError as error:
        raise PermanentError(
            f"{where} is no lock of a model ({error}); restore it, or delete it and run "
            "sa1b-captions model lock"
        ) from None
    return found


@dataclass(frozen=True, slots=True)
class _Stored:
    model: str
    revision: str
    files: dict[str, LockedFile]

    def lock(self) -> ModelLock:
        if not self.files:
            raise ValueError("it names no file")
        for name, file in self.files.items():
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or not is_of_model(name):
                raise ValueError(f"it names {name!r}, which is no file of a model")
            if not _SHA256.fullmatch(file.sha256):
                raise ValueError(f"{name} has no SHA-256 but {file.sha256[:70]!r}")
        return ModelLock(self.model, self.revision, self.files)


def difference(locked: Mapping[str, LockedFile], found: Mapping[str, LockedFile]) -> str:
    """In what files differ from those that are locked, for a sentence; empty if in nothing."""
    told = []
    for name in sorted({*locked, *found}):
        if name not in found:
            told.append(f"{name} is missing")
        elif name not in locked:
            told.append(f"{name} is not in the lock")
        elif locked[name].size_bytes != found[name].size_bytes:
            sizes = f"{found[name].size_bytes:,} bytes in place of {locked[name].size_bytes:,}"
            told.append(f"{name} has {sizes}")
        elif locked[name].sha256 != found[name].sha256:
            hashes = f"{found[name].sha256[:12]}… in place of {locked[name].sha256[:12]}…"
            told.append(f"{name} has SHA-256 {hashes}")
    shown = ", ".join(told[:_SHOWN])
    return f"{shown}, and {counted(len(told) - _SHOWN, 'more file')}" if told[_SHOWN:] else shown
