"""A shard that is captioned again and again, and what counts of it then."""

import dataclasses
import threading
from pathlib import Path
from typing import Any

import pytest

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.engines.base import Engine, Reply, Request
from sa1b_captions.errors import RetryableError
from sa1b_captions.receipts import CaptionReceipt
from sa1b_captions.receipts.receipt_files import (
    caption_place,
    ingest_place,
    read_receipt,
    write_receipt,
)
from sa1b_captions.stages.caption import caption_shards
from sa1b_captions.storage import FileStore, Store
from tests.support import builders
from tests.support.engines import ScriptedEngine, honest_reply

SHARD = "sa_000000"
OTHER = "sa_000001"
TRACK = "single_en"
IMAGES = 11


def campaign_at(folder: Path) -> Campaign:
    """A campaign in a store with one archive."""
    store = FileStore(folder)
    put_archive(store)
    return builders.demo_campaign(store)


def put_archive(store: Store, first_seed: int = 1, shard: str = SHARD) -> None:
    """Write an archive; another seed makes other images under the same ids."""
    builders.put_shard(store, shard, {n: builders.make_jpeg(first_seed + n) for n in range(IMAGES)})


def saying(word: str, budget: int = 10**6, **options: Any) -> ScriptedEngine:
    """An engine whose captions begin with a word, and that is gone after so many."""
    left = threading.Semaphore(budget)

    def script(request: Request) -> Reply:
        if not left.acquire(blocking=False):
            raise RetryableError("killed")
        reply = honest_reply(request)
        return dataclasses.replace(reply, caption=f"{word}: {reply.caption}")

    return ScriptedEngine(script, **options)


def caption(campaign: Campaign, engine: Engine, **options: Any) -> dict[str, Any]:
    """Caption the shard, unless told otherwise in one track."""
    options = {"tracks": [TRACK]} | options
    found: dict[str, Any] = caption_shards(campaign, [SHARD], lambda: engine, **options)[SHARD]
    return found


def cut_off(campaign: Campaign, word: str, **options: Any) -> str:
    """A forced run that dies after two blocks."""
    with pytest.raises(RetryableError) as caught:
        caption(campaign, saying(word, 8, window=1), force=True, **options)
    return str(caught.value)


def receipt(campaign: Campaign, track: str = TRACK) -> CaptionReceipt:
    """Receipt of the captions that count."""
    found = read_receipt(campaign.store, caption_place(campaign.name, track, SHARD))
    assert found is not None
    return found


def words(campaign: Campaign, track: str = TRACK) -> set[str]:
    """First words of the captions that count, which are whole."""
    found = receipt(campaign, track)
    rows = [
        row
        for block in range(found.blocks)
        for row in records.read_table(
            campaign.store,
            layout.part_key(campaign.name, track, SHARD, found.generation, block),
        ).to_pylist()
    ]
    assert len({row["sample_id"] for row in rows}) == len(rows) == found.planned
    return {row["caption"].partition(":")[0] for row in rows}


def everything(campaign: Campaign) -> dict[str, bytes]:
    """All objects of the store."""
    return {key: campaign.store.read(key) for key in campaign.store.list("")}


class OtherEngine(ScriptedEngine):
    """One with another name."""

    name = "other"


def begin(campaign: Campaign) -> None:
    """A worker that dies after two blocks."""
    with pytest.raises(RetryableError):
        caption(campaign, saying("old", 8, window=1))


def set_content(campaign: Campaign, content: str) -> None:
    """Let the archive be one of other images."""
    place = ingest_place(SHARD)
    found = read_receipt(campaign.store, place)
    assert found is not None
    write_receipt(campaign.store, place, dataclasses.replace(found, content=content))
