"""A campaign of synthetic captions as curate leaves it, as far as the console reads it.

Facets and receipts of every shard; captions only of the blocks that somebody asks for, for twelve
million texts are gigabytes that no page would ever read.
"""

import datetime as dt
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
import pyarrow as pa

from sa1b_captions import checked_json, layout, records
from sa1b_captions.campaign import Campaign, open_campaign
from sa1b_captions.generations import FIRST
from sa1b_captions.outputs import METRICS
from sa1b_captions.quality.browse.caption_texts import Row, sample_id
from sa1b_captions.quality.browse.catalogue import Catalogue
from sa1b_captions.quality.browse.finding import facets
from sa1b_captions.quality.browse.finding.orders import Hit
from sa1b_captions.receipts import CurateReceipt, Occupancy
from sa1b_captions.receipts.receipt_files import curate_place, digest, write_receipt
from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.records import CaptionStatus
from sa1b_captions.storage import Store
from tests.support import receipts

ROWS = {"single_en": 11_186, "single_zh": 1_000, "multi_en": 79, "multi_zh": 79}
"""Samples of a shard, as the InternVL recipe plans them."""

WORDS = np.array("a red kettle stands on the wooden table beside white cup window light".split())  # noqa: SIM905
REASONS = np.array(["", "too_short", "missing_end", "refusal", "word_echo", "too_long missing_end"])
ODDS = (0.97, 0.008, 0.012, 0.002, 0.005, 0.003)


def build(store: Store, shards: int, seed: int = 7) -> Campaign:
    """Write the campaign."""
    recipe = load_recipe("internvl")
    campaign = open_campaign(store, "bench", recipe)
    rng = np.random.default_rng(seed)
    for number in range(shards):
        shard = recipe.shards[number]
        receipts.put_ingest(store, shard, ROWS["single_en"])
        for track in TRACKS:
            _put_unit(campaign, shard, number, track, rng)
        receipts.put_shard_validation(campaign, shard)
    return campaign


def _put_unit(
    campaign: Campaign, shard: str, number: int, track: str, rng: np.random.Generator
) -> None:
    rows, english = ROWS[track], campaign.recipe.tracks[track].language == "en"
    most = campaign.recipe.tracks[track].images_max
    first = number * ROWS["single_en"] + 1
    places = np.sort(rng.choice(ROWS["single_en"], rows, replace=False))
    ids = [[first + int(place) + extra for extra in range(min(most, 3))] for place in places]
    lengths = rng.lognormal(np.log(640 if english else 190), 0.22, rows).astype(np.int32)
    reasons = REASONS[rng.choice(len(REASONS), rows, p=ODDS)]
    table = pa.table(
        {
            "image_ids": pa.array(ids, pa.list_(pa.int64())),
            "block": np.arange(rows, dtype=np.int32) // campaign.recipe.block_size,
            "status": pa.array(["ok"] * rows),
            "reasons": pa.array(reasons.tolist()),
            "engine": pa.array(["lmdeploy"] * rows),
            "attempt": rng.choice([1, 2, 3], rows, p=[0.99, 0.008, 0.002]).astype(np.int32),
            "caption_chars": lengths,
            "completion_tokens": lengths // 5,
            "winner": pa.nulls(rows, pa.string()),
            "jaccard": pa.nulls(rows, pa.float64()),
        }
    ).replace_schema_metadata({b"sa1b_generation": FIRST.encode()})
    occupancy = Occupancy(0.97, rows)
    captions = receipts.put_caption(campaign, track, shard, {"ok": rows}, occupancy)
    rejected = int((reasons != "").sum())
    metrics = _put_metrics(campaign, track, shard, number, lengths)
    write_receipt(
        campaign.store,
        curate_place(campaign.name, track, shard),
        CurateReceipt(
            shard=shard,
            track=track,
            planned=rows,
            accepted=rows - rejected,
            rejected=rejected,
            reasons={},
            recipe_fingerprint=campaign.recipe.fingerprint,
            quality_fingerprint=campaign.quality_fingerprint,
            signature_version="0",
            input=digest(captions),
            files={
                facets.NAME: facets.write_facets(campaign, track, shard, table),
                METRICS: metrics,
            },
        ),
    )


def _put_metrics(
    campaign: Campaign, track: str, shard: str, number: int, lengths: np.ndarray
) -> str:
    """Metrics as curate stores them, as far as the board reads them; returns their digest."""
    began = dt.datetime(2026, 11, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=20 * number)
    ended = began + dt.timedelta(minutes=50 + number % 7)
    counts = [
        [int(one), int(rows)]
        for one, rows in zip(*np.unique(lengths, return_counts=True), strict=True)
    ]
    captioned = {"rows": len(lengths), "chars": counts, "tokens": counts}
    times = {"captioned_from": began.isoformat(), "captioned_to": ended.isoformat()}
    data = checked_json.render({"captioned": captioned, **times})
    campaign.store.write(layout.curated_key(campaign.name, track, shard, METRICS), data)
    return records.content_digest(data)


class Writing(Catalogue):
    """A catalogue that writes the captions it is asked for before it reads them."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(campaign)
        self._of = campaign
        self._written: set[str] = set()

    def rows(self, hits: Sequence[Hit]) -> list[Row]:
        """Rows of samples, as `Catalogue.rows`."""
        for hit in hits:
            block = hit.facets.rows["block"][hit.place]
            key = layout.part_key(self._of.name, hit.facets.track, hit.facets.shard, FIRST, block)
            if key not in self._written:
                self._written.add(key)
                table = pa.Table.from_pylist(
                    list(self._block(hit.facets, block)), schema=records.CAPTION_SCHEMA
                )
                records.write_table(self._of.store, key, table, records.CAPTION_SCHEMA)
        return super().rows(hits)

    def _block(self, found: facets.Facets, block: int) -> Iterator[dict[str, object]]:
        rng = np.random.default_rng(block)
        settings = self._of.recipe.tracks[found.track]
        for place in found.rows.select((pl.col("block") == block).arg_true()).to_series():
            row = found.rows.row(place, named=True)
            chars = row["caption_chars"]
            yield {
                "sample_id": sample_id(found, place),
                "shard": found.shard,
                "track": found.track,
                "language": settings.language,
                "image_ids": row["image_ids"],
                "images": [f"{found.shard}/sa_{one}.jpg" for one in row["image_ids"]],
                "caption": " ".join(rng.choice(WORDS, chars // 2 + 1))[:chars],
                "status": CaptionStatus.OK.value,
                "completion_tokens": row["completion_tokens"],
                "attempt": row["attempt"],
                "engine": row["engine"],
                "model": self._of.recipe.model.id,
            }
