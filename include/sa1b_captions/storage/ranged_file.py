"""An object as a file that is read from any place, for libraries that want one."""

import io

from sa1b_captions.storage.store import Store


class RangedFile(io.RawIOBase):
    """Reads an object range by range; holds nothing of it.

    Reading raises what `Store.read_range` raises.
    """

    def __init__(self, store: Store, key: str, size: int) -> None:
        """Open an object of `size` bytes; a shorter one is noticed when its end is read."""
        self._store, self._key, self._size = store, key, size
        self._place = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Offset of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to an offset from the start, from here or from the end."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = base + offset
        return self._place

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes; all the others by default."""
        left = max(self._size - self._place, 0)
        wanted = left if size < 0 else min(size, left)
        data = self._store.read_range(self._key, self._place, wanted) if wanted else b""
        self._place += len(data)
        return data

    def readall(self) -> bytes:
        """All the bytes from here on."""
        return self.read()
