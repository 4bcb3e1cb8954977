"""The pack stage: a folder of images becomes shards, as if they had been ingested.

One pass over each file, nothing on local disk. The same files make the same bytes. A shard appears
with its receipt, so a run that is killed goes on after the last whole shard. A packed shard is
read again and compared: a folder that changed is never taken for the one that was packed.
"""

import logging
import time
from collections.abc import Sequence
from pathlib import Path

from sa1b_captions import layout, records
from sa1b_captions.errors import PermanentError
from sa1b_captions.ingest.repacking.image_folder import (
    BadFileError,
    ImageFile,
    is_turned,
    list_folder,
)
from sa1b_captions.ingest.repacking.index import MAX_IMAGES, Index, Repacked
from sa1b_captions.ingest.repacking.member_names import first_image_id
from sa1b_captions.ingest.repacking.plain_tar import PlainTar
from sa1b_captions.plurals import counted
from sa1b_captions.process import cpu_lap_s
from sa1b_captions.receipts import IngestReceipt
from sa1b_captions.receipts.receipt_files import ingest_place, read_receipt, write_receipt
from sa1b_captions.shards import shard_name
from sa1b_captions.stages.ingesting.shard_archive import (
    content_of,
    is_of_another_run,
    next_generation,
    require_unchanged,
    tidy,
)
from sa1b_captions.storage import ABANDONED_S, Store, Writer

log = logging.getLogger(__name__)

IMAGES_PER_SHARD = 10_000
_NAMED = 20
"""Files that a message names before it counts the rest."""


def pack_folder(
    store: Store,
    folder: Path,
    *,
    images_per_shard: int = IMAGES_PER_SHARD,
    first_shard: int = 0,
    skip_bad: bool = False,
    re_encode: bool = False,
    force: bool = False,
    run_id: str | None = None,
) -> dict[str, IngestReceipt]:
    """Pack a folder's images, in order of their names, into shards numbered from `first_shard`.

    Args:
        store: receives each shard's archive, index and receipt.
        folder: holds the images, at any depth.
        images_per_shard: files of one shard; the last has what is left.
        skip_bad: leave out files that no caption can be made of, and name them in the receipt.
        re_encode: make JPEGs of images of other formats.
        force: pack a shard again although it holds other images, once per `run_id`.

    Returns:
        The shards' receipts, new and old.

    Raises:
        PermanentError: no folder or no images in it, files of other formats or bad ones where
            nothing says what to do with them, or a shard that holds other images.
        RetryableError: the store failed, or another run wrote a shard meanwhile.
    """
    if not 1 <= images_per_shard <= MAX_IMAGES:
        raise PermanentError(f"a shard takes 1 to {MAX_IMAGES:,} images, not {images_per_shard}")
    files = _choose(folder, skip_bad=skip_bad, re_encode=re_encode)
    places = range(0, len(files), images_per_shard)
    shards = [shard_name(first_shard + number) for number in range(len(places))]
    return {
        shard: _pack_shard(
            store,
            shard,
            files[place : place + images_per_shard],
            f"folder {folder.resolve().name}",
            skip_bad=skip_bad,
            force=force,
            run_id=run_id,
        )
        for shard, place in zip(shards, places, strict=True)
    }


def _choose(folder: Path, *, skip_bad: bool, re_encode: bool) -> list[ImageFile]:
    found = list_folder(folder)
    others = [] if re_encode else [file for file in found.files if not file.is_jpeg]
    if others:
        names = _names([file.name.removesuffix(".jpg") for file in others])
        if not skip_bad:
            raise PermanentError(
                f"{counted(len(others), 'image')} of another format than JPEG: {names}; "
                "--re-encode makes JPEGs of them, --skip-bad leaves them out"
            )
        log.warning("left out %s of another format: %s", counted(len(others), "image"), names)
    files = [file for file in found.files if file.is_jpeg or re_encode]
    if not files:
        raise PermanentError(f"{folder} holds no image that can be packed")
    if found.passed_over:
        log.info("passed over %s without an image", counted(found.passed_over, "file"))
    return files


def _pack_shard(
    store: Store,
    shard: str,
    files: Sequence[ImageFile],
    source: str,
    *,
    skip_bad: bool,
    force: bool,
    run_id: str | None,
) -> IngestReceipt:
    started_at = time.monotonic()
    place = ingest_place(shard)
    present = read_receipt(store, place)
    if present is not None and not (force and is_of_another_run(present, run_id)):
        _require_same(present, _pack(files, _Nowhere(), shard, skip_bad))
        log.info("%s is packed already", shard)
        tidy(store, present, ABANDONED_S)
        return present
    generation = next_generation(present, run_id)
    archive = layout.archive_key(shard, generation)
    store.clear_unfinished(archive, ABANDONED_S)
    with store.open_writer(archive) as writer:
        packed = _pack(files, writer, shard, skip_bad)
        # Or a process believed dead would write over what a receipt vouches for.
        require_unchanged(store, shard, present)
    index = layout.index_key(shard, generation)
    written = records.write_table(store, index, packed.index, records.INDEX_SCHEMA)
    require_unchanged(store, shard, present)
    receipt = write_receipt(
        store,
        place,
        IngestReceipt(
            shard=shard,
            images=packed.index.num_rows,
            problems=packed.problems,
            warnings=packed.warnings,
            archive_bytes=packed.archive_bytes,
            content=content_of(packed),
            index=written,
            generation=generation,
            source=source,
            seconds=round(time.monotonic() - started_at, 1),
            cpu_s=cpu_lap_s(),
            run_id=run_id,
        ),
    )
    for warning in packed.warnings[:_NAMED]:
        log.warning("%s: %s", shard, warning)
    images, size_mb = counted(receipt.images, "image"), receipt.archive_bytes / 1e6
    log.info("%s: %s, %.1f MB", shard, images, size_mb)
    tidy(store, receipt, 0)
    return receipt


def _require_same(present: IngestReceipt, packed: Repacked) -> None:
    if present.content != content_of(packed):
        raise PermanentError(
            f"{present.shard} holds other images than the folder has for it; --force packs it "
            "again, and its captions are then to be made again; new images go into shards of "
            "their own when they lie in a folder of their own and --first-shard counts on"
        )


def _pack(files: Sequence[ImageFile], writer: Writer, shard: str, skip_bad: bool) -> Repacked:
    plain, index = PlainTar(writer), Index(annotated=False)
    bad: list[str] = []
    names: set[str] = set()
    turned = 0
    for file in files:
        try:
            if file.name in names:
                raise BadFileError("another file's name is stored the same")
            content = file.read()
        except BadFileError as error:
            bad.append(f"{file.name} ({error})")
            continue
        names.add(file.name)
        turned += is_turned(content)
        offset = plain.add(file.name, content)
        index.add_image(first_image_id(shard) + len(index.rows), file.name, content, offset)
    if bad and not skip_bad:
        raise PermanentError(
            f"{shard}: no caption can be made of {counted(len(bad), 'file')}: {_names(bad)}; "
            "mend or remove them, or leave them out with --skip-bad; what was packed before stays"
        )
    if not index.rows:
        raise PermanentError(f"{shard}: all of its files are bad: {_names(bad)}")
    plain.end()
    warnings = [f"left out {what}" for what in bad]
    if turned:
        warnings.append(
            f"{counted(turned, 'image')} turned by EXIF only, which captioning does not do: it "
            "sees them as they are stored"
        )
    return index.finish(plain.size, warnings)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


class _Nowhere:
    """Takes bytes and keeps none: what is packed is only compared."""

    def write(self, data: bytes | memoryview, /) -> int:
        return len(data)
