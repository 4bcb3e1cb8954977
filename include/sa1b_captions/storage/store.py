"""What a store is to its users, and what its two kinds share."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import PurePosixPath
from typing import Protocol

from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.plurals import counted
from sa1b_captions.remedies import remedy

PARTIAL_SUFFIX = ".partial"
"""End of the names of files that are being written."""


ABANDONED_S = 2 * 3600.0
"""A write that gained nothing for so long is nobody's: the slowest allowed gains a part an hour."""


class Writer(Protocol):
    """Where `Store.open_writer` lets its caller write bytes."""

    def write(self, data: bytes | memoryview, /) -> int:
        """Append bytes."""


class Store(Protocol):
    """Object store. Every method raises RetryableError when the store itself fails."""

    url: str
    """`file:///path` or `s3://bucket/prefix`, without a final slash."""

    def read(self, key: str) -> bytes:
        """Whole object. Raises MissingKeyError."""

    def read_range(self, key: str, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`. Raises MissingKeyError, PermanentError past the end."""

    def write(self, key: str, data: bytes) -> None:
        """Replace the object atomically."""

    def open_writer(self, key: str) -> AbstractContextManager[Writer]:
        """Stream an object: it appears when the block ends, not at all if the block raises."""

    def concatenate(self, key: str, parts: Sequence[tuple[str, int]]) -> None:
        """Replace the object, atomically, by others one after the other.

        The store itself copies where it can, so that the bytes do not pass through this process.

        Args:
            parts: key and bytes of each of the others, at least one. Nobody writes them meanwhile.

        Raises:
            MissingKeyError: one of them does not exist.
            RetryableError: one of them has another size, or the store failed.
        """

    def exists(self, key: str) -> bool:
        """Whether the object exists."""

    def list(self, prefix: str) -> Iterator[str]:
        """Keys that begin with `prefix`, ascending."""

    def stamps(self, keys: Collection[str]) -> dict[str, str]:
        """A text for each of these keys that exists, which is another once the object is replaced.

        Costs a request for many keys, not for each, if they begin alike and little else does.
        """

    def delete(self, key: str) -> None:
        """Remove the object if it exists."""

    def clear_unfinished(self, key: str, idle_s: float) -> None:
        """Remove what killed writers of a key left behind and nobody sees: it takes up space.

        A key with a final slash stands for all keys below it. Leaves alone what gained bytes in
        the last `idle_s` seconds. A writer whose work is removed under it ends with a
        RetryableError.
        """

    def locate(self, key: str) -> str:
        """URL of a key, for messages and people."""


def checked_key(key: str) -> str:
    """The key itself. Raises PermanentError if it could leave the store."""
    path = PurePosixPath(key)
    if not key or path.is_absolute() or ".." in path.parts or key.endswith(PARTIAL_SUFFIX):
        raise PermanentError(f"{key!r} is not a key; keys are relative and never climb")
    return key


def require_size(found: int, parts: Sequence[tuple[str, int]], key: str) -> None:
    """Raise RetryableError if what was put together is not as long as its parts."""
    expected = sum(size for _, size in parts)
    if found != expected:
        raise RetryableError(
            f"{key} was put together from {counted(len(parts), 'object')} and has {found} bytes in "
            f"place of {expected}; run it again"
        )


def exactly(data: bytes, size: int, key: str, offset: int) -> bytes:
    """The data itself. Raises PermanentError if a range came back short."""
    if len(data) != size:
        raise PermanentError(
            f"{key} ends {size - len(data)} bytes short of the range {offset}+{size}; {remedy(key)}"
        )
    return data
