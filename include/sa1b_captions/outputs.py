"""Files that receipts vouch for: each is read with the digest that its receipt names."""

from typing import Any

import pyarrow as pa

from sa1b_captions import checked_json, layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.receipts import AuditReceipt, CurateReceipt, DedupReceipt
from sa1b_captions.remedies import damaged

METRICS = "metrics.json"


def read_curated(
    campaign: Campaign, receipt: CurateReceipt, name: str, columns: list[str] | None = None
) -> pa.Table:
    """A table that curate stored, such as `accepted.parquet`. Raises as `records.read_table`."""
    key = layout.curated_key(campaign.name, receipt.track, receipt.shard, name)
    return records.read_table(campaign.store, key, columns, digest=receipt.files.get(name))


def read_answers(campaign: Campaign, receipt: AuditReceipt) -> pa.Table:
    """Answers of an audit (`records.ANSWER_SCHEMA`). Raises as `records.read_table`."""
    name = "answers.parquet"
    key = layout.audit_key(campaign.name, receipt.track, receipt.shard, name)
    return records.read_table(campaign.store, key, digest=receipt.files.get(name))


def read_metrics(campaign: Campaign, receipt: CurateReceipt) -> dict[str, Any]:
    """`metrics.json` that a receipt vouches for. Raises as `read_metrics_of` does."""
    return read_metrics_of(campaign, receipt.track, receipt.shard, receipt.files.get(METRICS))


def read_metrics_of(
    campaign: Campaign, track: str, shard: str, digest: str | None
) -> dict[str, Any]:
    """`metrics.json` of a curated shard's track.

    Args:
        digest: what the curate receipt says of it; None where that says nothing.

    Raises:
        MissingKeyError: there is none.
        DamagedObjectError: it is not what its receipt names, or no JSON object.
    """
    key = layout.curated_key(campaign.name, track, shard, METRICS)
    data = campaign.store.read(key)
    if digest is not None and records.content_digest(data) != digest:
        raise damaged(campaign.store.locate(key), key, records.OTHER_BYTES)
    try:
        return checked_json.parse(data)
    except ValueError as error:
        raise damaged(campaign.store.locate(key), key, error) from None


def read_duplicates(campaign: Campaign, receipt: DedupReceipt) -> pa.Table:
    """Captions to leave out of a track (`records.DUPLICATE_SCHEMA`)."""
    key = layout.duplicates_key(campaign.name, receipt.track)
    digest = receipt.files.get("duplicates.parquet")
    return records.read_table(campaign.store, key, digest=digest)
