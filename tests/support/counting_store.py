"""A store that counts what it is asked for."""

import os
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from sa1b_captions.storage import FileStore


class CountingStore(FileStore):
    """Counts calls by method, and reads by key. A call for many stamps is one."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.calls: Counter[str] = Counter()
        self.reads: Counter[str] = Counter()

    def forget(self) -> None:
        """Count from 0."""
        self.calls.clear()
        self.reads.clear()

    def read(self, key: str) -> bytes:
        self.calls["read"] += 1
        self.reads[key] += 1
        return super().read(key)

    def read_range(self, key: str, offset: int, size: int) -> bytes:
        self.calls["read_range"] += 1
        return super().read_range(key, offset, size)

    def write(self, key: str, data: bytes) -> None:
        self.calls["write"] += 1
        super().write(key, data)

    def exists(self, key: str) -> bool:
        self.calls["exists"] += 1
        return super().exists(key)

    def list(self, prefix: str) -> Iterator[str]:
        self.calls["list"] += 1
        return super().list(prefix)

    def stamps(self, keys: Collection[str]) -> dict[str, str]:
        self.calls["stamps"] += 1
        assert len(os.path.commonprefix(list(keys))) > len("shards/"), "a listing of everything"  # noqa: RUF071
        return super().stamps(keys)
