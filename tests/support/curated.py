"""A small campaign that is captioned and curated, for tests of what looks at it."""

from collections.abc import Sequence

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.generations import FIRST
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.receipts.receipt_files import (
    caption_place,
    curate_place,
    past_caption_place,
    require_receipt,
    write_receipt,
)
from sa1b_captions.stages.curate import curate_shard
from tests.support import builders, receipts

KETTLE = "A red kettle stands on a wooden table beside a white cup and a folded newspaper. "
LEADS = {"en": KETTLE * 3, "zh": "图中，一把红色水壶放在木桌上，旁边是一只白色杯子。" * 3}
MUGS = {"en": "A blue mug number {} hangs from a hook. ", "zh": "第{}号蓝色杯子挂在钩子上。"}


def captions(count: int, language: str = "en", seed: int = 0) -> list[str]:
    """Captions of different lengths; of ten, one is too short and one equals the one before."""
    made: list[str] = []
    for number in range(count):
        lead = (
            KETTLE * 3
            if language == "en"
            else "图中，一把红色水壶放在木桌上，旁边是一只白色杯子。" * 3
        )
        text = lead + MUGS[language].format(seed * 1000 + number) * (1 + number % 4)
        if number % 10 == 3:
            text = "Short." if language == "en" else "短。"
        elif number % 10 == 7:
            text = made[-1]
        made.append(text.strip())
    return made


def put_curated(
    campaign: Campaign, shard: str, track: str = "single_en", rows: int = 20, seed: int = 0
) -> CurateReceipt:
    """Caption and curate one track of a shard; returns the receipt."""
    language = campaign.recipe.tracks[track].language
    return put_texts(campaign, shard, track, captions(rows, language, seed))


def put_texts(campaign: Campaign, shard: str, track: str, texts: Sequence[str]) -> CurateReceipt:
    """The same with captions of one's own."""
    table = builders.caption_rows(campaign.recipe, track, shard, texts)
    builders.put_captions(campaign, shard, track, table)
    curate_shard(campaign, shard, tracks=[track])
    return require_receipt(campaign.store, curate_place(campaign.name, track, shard))


SECOND = "0002-1f3a9c07"
"""A generation that a run made after the first."""


def put_generations(
    campaign: Campaign, shard: str, track: str, first: Sequence[str], second: Sequence[str]
) -> None:
    """Captions that counted before, and those that count now."""
    name, store = campaign.name, campaign.store
    for texts, generation in ((first, FIRST), (second, SECOND)):
        table = builders.caption_rows(campaign.recipe, track, shard, texts)
        builders.put_captions(campaign, shard, track, table, generation=generation)
        if generation == FIRST:
            receipt = require_receipt(store, caption_place(name, track, shard))
            write_receipt(store, past_caption_place(name, track, shard, FIRST), receipt)
    receipts.edit(store, layout.caption_receipt_key(name, track, shard), previous=FIRST)
