"""The ingest stage: download one archive and leave a plain tar, an index and a receipt.

One pass over the bytes, nothing on local disk. Killed at any moment it leaves no receipt that
vouches for anything but a whole archive and its index; run again, on any machine, it reads what was
downloaded from the store and downloads only the rest. A shard that is ingested again is written
beside what there is, which counts, and stays, until the new receipt is written.
"""

import datetime as dt
import logging
from collections.abc import Mapping

from sa1b_captions import layout, records
from sa1b_captions.errors import DamagedArchiveError, PermanentError
from sa1b_captions.ingest.downloading.download import ChangedObjectError, Download
from sa1b_captions.ingest.downloading.http_client import Patience
from sa1b_captions.ingest.downloading.links import Link
from sa1b_captions.ingest.downloading.ranges import RANGE_BYTES, RangedDownload
from sa1b_captions.ingest.downloading.readahead import read_ahead
from sa1b_captions.ingest.downloading.resume_state import PART_BYTES, ResumeState
from sa1b_captions.ingest.downloading.server_clock import require_lasting
from sa1b_captions.ingest.downloading.transfer import Transfer
from sa1b_captions.ingest.repacking.archive import repack
from sa1b_captions.ingest.repacking.index import Repacked
from sa1b_captions.observing import telemetry
from sa1b_captions.plurals import counted
from sa1b_captions.process import cpu_lap_s
from sa1b_captions.receipts import IngestReceipt
from sa1b_captions.receipts.receipt_files import ingest_place, read_receipt, write_receipt
from sa1b_captions.stages.ingesting.shard_archive import (
    content_of,
    is_of_another_run,
    next_generation,
    require_unchanged,
    tidy,
)
from sa1b_captions.storage import ABANDONED_S, Store

log = logging.getLogger(__name__)

LINK_MARGIN = dt.timedelta(hours=1)
"""How much longer than now a link must live: 11 GB take that long at 3 MB/s."""


def ingest_shard(
    store: Store,
    shard: str,
    links: Mapping[str, Link],
    *,
    expected_md5: str | None = None,
    expected_images: int | None = None,
    first_id: int | None = None,
    force: bool = False,
    run_id: str | None = None,
    patience: Patience | None = None,
    connections: int = 1,
    range_bytes: int = RANGE_BYTES,
    part_bytes: int = PART_BYTES,
) -> IngestReceipt:
    """Ingest a shard, unless its receipt exists.

    Args:
        store: receives the archive, the index and the receipt.
        links: shard to link; only looked at when there is something to do.
        expected_md5: of the archive's original bytes; another one fails the shard.
        expected_images: number of JPEGs; another one is a warning in the receipt.
        first_id: None for SA-1B's archives; for others the number of the shard's first image.
        force: ingest again although the receipt exists, once per `run_id`.
        connections: that share the download, each fetching `range_bytes` at a time.
        range_bytes: of no use with one connection.
        part_bytes: size of the parts that a killed run leaves to the next.

    Returns:
        The shard's receipt, new or old.

    Raises:
        PermanentError: no link, an expired or refused one, a damaged or hostile archive.
        RetryableError: network or store failed for too long, or another run ingested the shard
            meanwhile.
    """
    place = ingest_place(shard)
    present = read_receipt(store, place)
    if present is not None and not (force and is_of_another_run(present, run_id)):
        _require_md5(present.md5, expected_md5, f"{shard} in {store.url}")
        log.info("%s is ingested already", shard)
        tidy(store, present, ABANDONED_S)
        return present
    generation = next_generation(present, run_id)
    link = links.get(shard)
    if link is None:
        raise PermanentError(f"the links file has no row for {shard}; check the shard's name")
    require_lasting(link, LINK_MARGIN, patience)
    store.clear_unfinished(layout.archive_key(shard, generation), ABANDONED_S)
    resume_state = ResumeState(store, shard, link.path, part_bytes)
    download: Download | RangedDownload
    if connections == 1:
        download = Download(link, patience, known=resume_state.identity)
    else:
        download = RangedDownload(
            link,
            patience,
            known=resume_state.identity,
            connections=connections,
            range_bytes=range_bytes,
        )
    transfer = Transfer(download, resume_state, shard)
    repacked = _write_archive(store, shard, generation, transfer, expected_md5, present, first_id)
    index = layout.index_key(shard, generation)
    index_digest = records.write_table(store, index, repacked.index, records.INDEX_SCHEMA)
    for warning in (warnings := _warnings(repacked, expected_images)):
        log.warning("%s: %s", shard, warning)
    require_unchanged(store, shard, present)
    receipt = write_receipt(
        store,
        place,
        IngestReceipt(
            shard=shard,
            images=repacked.index.num_rows,
            problems=repacked.problems,
            annotations_without_image=repacked.annotations_without_image,
            warnings=warnings,
            archive_bytes=repacked.archive_bytes,
            content=content_of(repacked),
            index=index_digest,
            generation=generation,
            source=link.source,
            source_bytes=transfer.download.received_bytes,
            reused_bytes=resume_state.reused_bytes,
            md5=transfer.download.md5,
            resumes=transfer.download.resumes,
            seconds=round(transfer.seconds, 1),
            cpu_s=cpu_lap_s(),
            run_id=run_id,
        ),
    )
    tidy(store, receipt, 0)
    telemetry.send(
        telemetry.of(telemetry.INGESTED, receipt.source_bytes - receipt.reused_bytes),
        telemetry.of(telemetry.INGEST_TIME, receipt.seconds),
    )
    return receipt


def _write_archive(
    store: Store,
    shard: str,
    generation: str,
    transfer: Transfer,
    expected_md5: str | None,
    present: IngestReceipt | None,
    first_id: int | None,
) -> Repacked:
    """Stream the archive into the store; nothing appears there unless all of it is right."""
    try:
        with (
            store.open_writer(layout.archive_key(shard, generation)) as writer,
            read_ahead(transfer) as source,
        ):
            repacked = repack(
                source, writer, where=shard, first_id=first_id, on_image=transfer.count_images
            )
            transfer.log_progress()
            _require_md5(transfer.download.md5, expected_md5, f"{shard} from its link")
            # Or a worker believed dead would write over what a receipt vouches for.
            require_unchanged(store, shard, present)
    except (DamagedArchiveError, ChangedObjectError):
        transfer.resume_state.forget()  # or the next run would read the same bad bytes
        raise
    finally:
        transfer.resume_state.close()
    return repacked


def _require_md5(found: str | None, expected: str | None, what: str) -> None:
    if expected is not None and found != expected.lower():
        raise DamagedArchiveError(
            f"{what}: MD5 is {found}, expected {expected.lower()}; get it from another source and "
            "ingest it again with force, or correct the MD5 list"
        )


def _warnings(repacked: Repacked, expected_images: int | None) -> list[str]:
    images = repacked.index.num_rows
    if expected_images is None or images == expected_images:
        return repacked.warnings
    return [*repacked.warnings, f"{counted(images, 'image')}, expected {expected_images}"]
