"""Generations of a shard's archive: the ingest receipt names the one that counts."""

import re

from sa1b_captions import generations, layout
from sa1b_captions.storage import Store

_KEY = re.compile(rf"(?:({generations.PATTERN})\.)?(?:tar|index\.parquet)")


def stored_archives(store: Store, shard: str) -> set[str]:
    """Generations of which an archive or an index is stored, whole or half."""
    prefix = layout.archive_files_prefix(shard)
    matches = (_KEY.fullmatch(key.removeprefix(prefix)) for key in store.list(prefix))
    return {match[1] or generations.FIRST for match in matches if match}


def delete_archive(store: Store, shard: str, generation: str) -> None:
    """Delete a generation's archive and index."""
    for key in (layout.archive_key, layout.index_key):
        store.delete(key(shard, generation))
