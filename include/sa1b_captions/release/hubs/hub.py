"""Where a release can be published, and what a hub is to the publish stage.

A hub keeps repositories of files. Each kind is reached by its official client alone; its module is
named after it. Tokens are given to the client and to nothing else.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sa1b_captions.errors import PermanentError

HUBS = {"hf": "Hugging Face", "modelscope": "ModelScope"}
"""Hubs by the scheme of a destination."""

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_DESTINATION = re.compile(
    rf"(?P<scheme>{'|'.join(HUBS)})://(?P<repository>{_NAME}/{_NAME})(@(?P<revision>{_NAME}))?"
)


@dataclass(frozen=True, slots=True)
class Destination:
    """A dataset repository, and the branch of it."""

    scheme: str
    """A key of HUBS."""
    repository: str
    """`owner/name`."""
    revision: str | None = None
    """Branch; None for the hub's own main one."""

    def __str__(self) -> str:
        """As `parse_destination` reads it."""
        at = f"@{self.revision}" if self.revision else ""
        return f"{self.scheme}://{self.repository}{at}"


def parse_destination(text: str) -> Destination:
    """Understand `hf://owner/name`, `modelscope://owner/name` and both with `@branch`.

    Raises PermanentError: it is neither.
    """
    found = _DESTINATION.fullmatch(text.strip())
    if found is None:
        raise PermanentError(
            f"{text!r} is no place to publish at; write hf://owner/name or "
            "modelscope://owner/name, with @branch for another branch than the main one"
        )
    return Destination(**found.groupdict())


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file that is to be in a repository."""

    name: str
    size_bytes: int
    sha256: str
    """Hexadecimal."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A file of a repository, with what the hub says of its bytes."""

    size_bytes: int
    sha256: str | None = None
    """Hexadecimal; None where the hub names none."""
    git_sha1: str | None = None
    """Of the file as a git blob, hexadecimal; of files that are kept as such."""

    def has(self, file: Outgoing, read: Callable[[str], bytes], *, untold: bool) -> bool:
        """Whether these are the bytes of a file.

        Args:
            read: gives the bytes of a small file by its name.
            untold: what to say where the hub tells the size alone, and it is right.
        """
        if self.size_bytes != file.size_bytes:
            return False
        if self.sha256 is not None:
            return self.sha256 == file.sha256
        return untold if self.git_sha1 is None else self.git_sha1 == git_sha1(read(file.name))


def git_sha1(data: bytes) -> str:
    """Name that git gives to a file's bytes, hexadecimal."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class Local(Protocol):
    """Files of a release on this machine's disk."""

    def path(self, name: str) -> Path:
        """Where a file lies; it may be fetched for that."""

    def done(self, name: str) -> None:
        """A file is needed no more."""


class Hub(Protocol):
    """One repository of a hub.

    Every method raises RetryableError when the hub cannot be reached or is busy, and
    PermanentError when it refuses.
    """

    def files(self) -> Mapping[str, Remote] | None:
        """What the repository holds; None if there is no such repository or branch."""

    def read(self, name: str) -> bytes:
        """A small file of it."""

    def send(
        self, files: Sequence[Outgoing], local: Local, remove: Collection[str], message: str
    ) -> None:
        """Make the repository, private, and the branch if there is none; add and remove files.

        What an earlier call that was cut off has sent is not sent again.
        """

    @property
    def url(self) -> str:
        """Page of the repository, for people."""
