"""The captions that a receipt vouches for, read whole or not at all."""

import pyarrow as pa
import pyarrow.compute as pc

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import MissingKeyError, PermanentError
from sa1b_captions.plurals import counted
from sa1b_captions.receipts import CaptionReceipt
from sa1b_captions.records import CaptionStatus
from sa1b_captions.remedies import damaged


def read_captions(
    campaign: Campaign, track: str, source: CaptionReceipt
) -> tuple[pa.Table, list[str]]:
    """All rows that a caption receipt vouches for, in plan order, and their parts' digests.

    Raises PermanentError: they are not whole, or not of the campaign's recipe.
    """
    shard = source.shard
    where = f"{track}/{shard}"
    mend = f"run sa1b-captions caption --shards {shard} --tracks {track}"
    again = f"{mend} --force"
    _require_recipe(source.recipe_fingerprint, campaign, where)
    parts, digests = [], []
    try:
        for block in range(source.blocks):
            key = layout.part_key(campaign.name, track, shard, source.generation, block)
            data = campaign.store.read(key)
            digests.append(records.content_digest(data))
            parts.append(records.parse_table(data, campaign.store.locate(key), key))
            if source.parts and digests[-1] != source.parts[block]:
                _require_proof(campaign, key, parts[-1])
    except MissingKeyError as error:
        raise PermanentError(
            f"{where}: the receipt counts {source.blocks} blocks, but {error}; {mend}"
        ) from None
    # Parts written before a column existed have nulls there.
    rows = pa.concat_tables(
        [records.CAPTION_SCHEMA.empty_table(), *parts], promote_options="default"
    )
    if rows.num_rows != source.planned:
        raise PermanentError(
            f"{where}: {counted(rows.num_rows, 'caption')} stored, {source.planned} planned; "
            f"{again}"
        )
    if pc.count_distinct(rows.column("sample_id"), mode="all").as_py() != rows.num_rows:
        raise PermanentError(f"{where}: a sample_id is missing or stored twice; {again}")
    for fingerprint in pc.unique(rows.column("recipe_fingerprint")).to_pylist():
        _require_recipe(fingerprint, campaign, where)
    unknown = set(pc.unique(rows.column("status")).to_pylist()) - set(CaptionStatus)
    if unknown:
        raise PermanentError(f"{where}: no such status as {unknown}; {again}")
    return rows, digests


def _require_proof(campaign: Campaign, key: str, part: pa.Table) -> None:
    """Refuse a part that is not what its receipt names, unless it was written again as a whole."""
    if not records.proves_itself(part):
        raise damaged(campaign.store.locate(key), key, records.OTHER_BYTES)


def _require_recipe(fingerprint: str | None, campaign: Campaign, where: str) -> None:
    expected = campaign.recipe.fingerprint
    if fingerprint != expected:
        raise PermanentError(
            f"{where} was captioned with recipe {fingerprint}, campaign {campaign.name} has "
            f"{expected}; captions of two recipes never mix: caption the shard again with --force"
        )
