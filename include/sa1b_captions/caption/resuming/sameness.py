"""What a shard's captions must have in common: one archive, and one engine, model and revision."""

from collections.abc import Mapping, Set

import pyarrow as pa

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption import sampling
from sa1b_captions.caption.engines.base import UNNAMED_REVISIONS, Engine
from sa1b_captions.caption.resuming.resume import Writer, read_blocks, same_bytes
from sa1b_captions.errors import PermanentError
from sa1b_captions.receipts import CaptionReceipt, IngestReceipt
from sa1b_captions.receipts.receipt_files import digest


def require_one_writer(shard: str, written: Mapping[str, Set[Writer]], engine: Engine) -> None:
    """Refuse to go on with captions that another engine, model or revision began.

    A revision that nobody named is not told apart from others.

    Args:
        written: what wrote the captions of each track that stay.
        engine: what is to write the others.

    Raises PermanentError naming both.
    """
    mine = (engine.name, engine.model, engine.model_revision)
    for track, writers in written.items():
        other = next((one for one in sorted(writers) if _differ(one, mine)), None)
        if other is not None:
            raise PermanentError(
                f"{shard}: {track} was begun with {_describe(other)} and cannot go on with "
                f"{_describe(mine)}, for captions of two would mix; use the one it was begun with, "
                "or caption the shard in a new generation with --force (Do it again). A forced run "
                f"that was begun so is given up with sa1b-captions drop --shards {shard} "
                "--generations --unfinished"
            )


def _differ(one: Writer, other: Writer) -> bool:
    revisions = {one[2], other[2]}
    return one[:2] != other[:2] or (len(revisions) > 1 and not revisions & UNNAMED_REVISIONS)


def _describe(writer: Writer) -> str:
    engine, model, revision = writer
    return f"{engine} ({model}, revision {revision})"


def writers_of(receipt: CaptionReceipt | None) -> set[Writer]:
    """What a receipt says wrote its captions; nothing where it does not, as those of 0.1.0."""
    if receipt is None or not receipt.engine or not receipt.model or not receipt.model_revision:
        return set()
    return {(receipt.engine, receipt.model, receipt.model_revision)}


def joined(writers: Set[Writer]) -> Writer | tuple[None, None, None]:
    """The writer, if there is one."""
    return next(iter(writers)) if len(writers) == 1 else (None, None, None)


def require_same_images(
    campaign: Campaign, shard: str, counted: Mapping[str, CaptionReceipt], ingest: IngestReceipt
) -> None:
    """Refuse to let captions pass for done that are not of the archive that is ingested.

    Raises PermanentError naming the tracks.
    """
    stale = [
        track
        for track, receipt in counted.items()
        if not _is_of(campaign, shard, track, receipt, ingest)
    ]
    if stale:
        raise PermanentError(
            f"{shard}: the captions of {', '.join(stale)} are stale: they are of other images than "
            "the archive that is ingested now. Caption the shard again with --force (Do it again); "
            "the present captions stay until the new ones are whole"
        )


def require_rows_of_archive(
    campaign: Campaign, receipt: CaptionReceipt, rows: pa.Table, ingest: IngestReceipt
) -> None:
    """Refuse captions whose rows name other images than the archive has.

    Asked of captions whose receipt names no images, as those of 0.1.0; of others it has been.

    Raises PermanentError naming the first such row.
    """
    if receipt.fits(ingest, digest(ingest)) is not None:
        return
    key = layout.index_key(receipt.shard, ingest.generation)
    if not campaign.store.exists(key):  # as after photographs were removed
        return
    found = sampling.read_index(campaign.store, receipt.shard, ingest.generation, ingest.index)
    images = {image.image_id: image for image in found}
    columns = (rows.column(name).to_pylist() for name in ("sample_id", "image_ids", "image_xxh3s"))
    for sample_id, ids, hashes in zip(*columns, strict=True):
        for image_id, xxh3 in zip(ids, hashes or (), strict=False):
            if image_id not in images or not same_bytes(xxh3, images[image_id]):
                raise PermanentError(
                    f"captions of {receipt.track}/{receipt.shard} are stale: {sample_id} is of "
                    "another image than the archive that is ingested now; run sa1b-captions "
                    f"caption --shards {receipt.shard} --tracks {receipt.track} --force, then "
                    "curate it"
                )


def _is_of(
    campaign: Campaign, shard: str, track: str, receipt: CaptionReceipt, ingest: IngestReceipt
) -> bool:
    known = receipt.fits(ingest, digest(ingest))
    if known is not None:
        return known
    # Receipts of 0.1.0 do not name the images; their rows do.
    images = sampling.read_index(campaign.store, shard, ingest.generation, ingest.index)
    settings = campaign.recipe.tracks[track]
    plan = sampling.plan_track(campaign.recipe, settings, shard, images)
    blocks = read_blocks(campaign, track, shard, receipt.generation, plan)
    return len(plan) == receipt.planned and len(blocks) == receipt.blocks
