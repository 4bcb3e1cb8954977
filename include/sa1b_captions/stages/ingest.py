"""The ingest stage: download one archive and leave a plain tar, an index and a receipt.

One pass over the bytes, nothing on local disk. Killed at any moment it leaves no receipt that
vouches for anything but a whole archive and its index; run again, it starts the shard anew.
"""

import datetime as dt
import hashlib
import logging
import time
from collections.abc import Iterator, Mapping

from sa1b_captions import records, shards
from sa1b_captions.errors import PermanentError
from sa1b_captions.ingest.archive import Repacked, repack
from sa1b_captions.ingest.download import Download, Patience
from sa1b_captions.ingest.links import Link, require_fresh
from sa1b_captions.receipts import Receipt, read_receipt, write_receipt
from sa1b_captions.storage import Store

log = logging.getLogger(__name__)

LINK_MARGIN = dt.timedelta(hours=1)
"""How much longer than now a link must live: 11 GB take that long at 3 MB/s."""
PROGRESS_INTERVAL_S = 5.0


def ingest_shard(
    store: Store,
    shard: str,
    links: Mapping[str, Link],
    *,
    expected_md5: str | None = None,
    expected_images: int | None = None,
    force: bool = False,
    run_id: str | None = None,
    patience: Patience | None = None,
) -> Receipt:
    """Ingest a shard, unless its receipt exists.

    Args:
        store: receives the archive, the index and the receipt.
        shard: name such as `sa_000017`.
        links: shard to link; only looked at when there is something to do.
        expected_md5: of the archive's original bytes; another one fails the shard.
        expected_images: number of JPEGs; another one is a warning in the receipt.
        force: ingest again although the receipt exists.
        run_id: recorded in the receipt.
        patience: of the download.

    Returns:
        The shard's receipt, new or old.

    Raises:
        PermanentError: no link, an expired or refused one, a damaged or hostile archive.
        RetryableError: network or store failed for too long.
    """
    receipt_key = shards.ingest_receipt_key(shard)
    receipt = None if force else read_receipt(store, receipt_key)
    if receipt is not None:
        _require_md5(receipt.get("md5"), expected_md5, f"{shard} in {store.url}")
        log.info("%s is ingested already", shard)
        return receipt
    link = links.get(shard)
    if link is None:
        raise PermanentError(f"the links file has no row for {shard}; check the shard's name")
    require_fresh(link, dt.datetime.now(dt.UTC), LINK_MARGIN)
    transfer = _Transfer(Download(link, patience), shard)
    repacked = _write_archive(store, shard, transfer, expected_md5)
    records.write_table(store, shards.index_key(shard), repacked.index, records.INDEX_SCHEMA)
    for warning in (warnings := _warnings(repacked, expected_images)):
        log.warning("%s: %s", shard, warning)
    return write_receipt(
        store,
        receipt_key,
        stage="ingest",
        shard=shard,
        images=repacked.index.num_rows,
        problems=repacked.problems,
        annotations_without_image=repacked.annotations_without_image,
        warnings=warnings,
        archive_bytes=repacked.archive_bytes,
        content=_content(repacked),
        source=link.source,
        source_bytes=transfer.download.received_bytes,
        md5=transfer.download.md5,
        resumes=transfer.download.resumes,
        seconds=round(transfer.seconds, 1),
        run_id=run_id,
    )


def _write_archive(
    store: Store, shard: str, transfer: "_Transfer", expected_md5: str | None
) -> Repacked:
    """Stream the archive into the store; nothing appears there unless all of it is right."""
    with store.open_writer(shards.archive_key(shard)) as writer:
        repacked = repack(transfer, writer, where=shard, on_image=transfer.count_images)
        transfer.log_progress()
        _require_md5(transfer.download.md5, expected_md5, f"{shard} from its link")
        # From here until the new receipt, an old one would vouch for a mixture of old and new.
        store.delete(shards.ingest_receipt_key(shard))
    return repacked


class _Transfer:
    """The bytes of a download, with progress in the log while they pass."""

    def __init__(self, download: Download, shard: str) -> None:
        self.download = download
        self._shard = shard
        self._images = 0
        self._started_at = self._logged_at = time.monotonic()
        self._logged_bytes = 0

    @property
    def seconds(self) -> float:
        """Since the transfer was set up."""
        return time.monotonic() - self._started_at

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.download:
            yield piece
            if time.monotonic() - self._logged_at >= PROGRESS_INTERVAL_S:
                self.log_progress()

    def count_images(self, images: int) -> None:
        self._images = images

    def log_progress(self) -> None:
        now, received = time.monotonic(), self.download.received_bytes
        rate = (received - self._logged_bytes) / max(now - self._logged_at, 1e-3)
        total = self.download.total_bytes
        log.info(
            "%s: %.1f of %s MB, %.1f MB/s, %d images",
            self._shard,
            received / 1e6,
            f"{total / 1e6:.1f}" if total is not None else "?",
            rate / 1e6,
            self._images,
        )
        self._logged_at, self._logged_bytes = now, received


def _require_md5(found: str | None, expected: str | None, what: str) -> None:
    if expected is not None and found != expected.lower():
        raise PermanentError(
            f"{what}: MD5 is {found}, expected {expected.lower()}; get it from another source and "
            "ingest it again with force, or correct the MD5 list"
        )


def _warnings(repacked: Repacked, expected_images: int | None) -> list[str]:
    images = repacked.index.num_rows
    if expected_images is None or images == expected_images:
        return repacked.warnings
    return [*repacked.warnings, f"{images} images, expected {expected_images}"]


def _content(repacked: Repacked) -> str:
    """16 hexadecimal digits over ids and JPEG bytes, equal whenever the images are equal."""
    digest = hashlib.sha256()
    for name in ("file_name", "jpeg_xxh3"):
        digest.update("\n".join(repacked.index.column(name).to_pylist()).encode())
    return digest.hexdigest()[:16]
