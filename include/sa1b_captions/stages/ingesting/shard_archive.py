"""What the two ways to fill a shard share: ingest downloads an archive, pack reads a folder.

Which generation a run writes, when it must give way to another run, and what it tidies up.
"""

import hashlib
import re

from sa1b_captions import generations, layout
from sa1b_captions.errors import RetryableError
from sa1b_captions.generations import FIRST
from sa1b_captions.ingest.downloading.resume_state import forget_parts
from sa1b_captions.ingest.repacking.index import Repacked
from sa1b_captions.receipts import IngestReceipt
from sa1b_captions.receipts.receipt_files import ingest_place, read_receipt
from sa1b_captions.storage import Store


def is_of_another_run(receipt: IngestReceipt, run_id: str | None) -> bool:
    """Whether a forced run has still to do what the receipt says is done."""
    return run_id is None or receipt.run_id != run_id


def next_generation(present: IngestReceipt | None, run_id: str | None) -> str:
    """Where a run writes: what counts is not touched, and a retry finds its own again."""
    if present is None:
        return FIRST
    owner = "hand" if run_id is None else generations.owner_of_run(run_id)
    return generations.following([present.generation], owner, 0)


def require_unchanged(store: Store, shard: str, present: IngestReceipt | None) -> None:
    """Raise RetryableError if the shard was ingested since this run looked."""
    if read_receipt(store, ingest_place(shard)) != present:
        raise RetryableError(f"another run ingested {shard} meanwhile; run it again")


def tidy(store: Store, receipt: IngestReceipt, idle_s: float) -> None:
    """Remove what runs of a shard left behind that is of no use once its receipt exists.

    A run that is still at work on the shard then fails with a RetryableError, and when it is run
    again finds the receipt. So does a worker that captions from an archive before this one.
    """
    shard, counts = receipt.shard, receipt.generation
    forget_parts(store, layout.download_prefix(shard))
    superseded = {
        one
        for one in stored_archives(store, shard)
        if one != counts and generations.number(one) <= generations.number(counts)
    }
    for one in superseded:
        delete_archive(store, shard, one)
    for one in {FIRST, counts, *superseded}:
        for key in (layout.archive_key, layout.index_key):
            store.clear_unfinished(key(shard, one), idle_s)
    store.clear_unfinished(layout.download_prefix(shard), idle_s)


def content_of(repacked: Repacked) -> str:
    """16 hexadecimal digits over ids and JPEG bytes, equal whenever the images are equal."""
    digest = hashlib.sha256()
    for name in ("file_name", "jpeg_xxh3"):
        digest.update("\n".join(repacked.index.column(name).to_pylist()).encode())
    return digest.hexdigest()[:16]


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
