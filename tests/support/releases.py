"""What curate, dedup and validate leave behind, so that a release can be made of it."""

import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.recipe import TRACKS, Recipe, load_recipe, parse_recipe
from sa1b_captions.shards import shard_number
from sa1b_captions.storage import Store
from tests.support import builders, receipts

ZH = "一条石板路通向山脚下的村庄，屋顶覆盖着积雪。"


def internvl_recipe(shards: str = "0-1") -> Recipe:
    """The InternVL recipe over few shards."""
    source = json.loads(json.dumps(load_recipe("internvl").source)) | {"shards": shards}
    return parse_recipe(source, where="tests")


def captions_of(track: str, shard: str, rows: int = 3) -> list[str]:
    """Different captions in the track's language."""
    text = ZH if track.endswith("zh") else "A path leads to a café."
    return [f"{text} {track} {shard} {number}" for number in range(rows)]


def put_curated(
    campaign: Campaign,
    track: str,
    shard: str,
    captions: Sequence[str],
    rejected: Sequence[tuple[str, list[str]]] = (),
    changes: Mapping[str, object] | None = None,
) -> list[str]:
    """What curate leaves behind; `changes` are put into every accepted row.

    Returns the accepted sample ids.
    """
    number = shard_number(shard)
    texts = [*captions, *(caption for caption, _ in rejected)]
    table = builders.caption_rows(campaign.recipe, track, shard, texts, first_id=1000 * number + 1)
    rows = table.to_pylist()
    for row in rows[: len(captions)]:
        row |= {"reasons": [], **(changes or {})}
    for row, (_, reasons) in zip(rows[len(captions) :], rejected, strict=True):
        row["reasons"] = reasons
    for name, part in (("accepted", rows[: len(captions)]), ("rejected", rows[len(captions) :])):
        records.write_table(
            campaign.store,
            layout.curated_key(campaign.name, track, shard, f"{name}.parquet"),
            pa.Table.from_pylist(part, schema=records.CURATED_SCHEMA),
            records.CURATED_SCHEMA,
        )
    counted = Counter(reason for _, why in rejected for reason in why)
    receipts.put_curate(campaign, track, shard, len(captions), len(rejected), counted)
    return [row["sample_id"] for row in rows[: len(captions)]]


def put_duplicates(
    campaign: Campaign, track: str, winners: Mapping[str, str], jaccard: float = 1.0
) -> None:
    """What dedup, then validate leave behind: winner of each sample to leave out."""
    rows = [
        {
            "sample_id": sample,
            "shard_number": shard_number(sample.split("/")[1]),
            "winner": winner,
            "kind": "exact" if jaccard == 1 else "near",
            "jaccard": jaccard,
        }
        for sample, winner in winners.items()
    ]
    schema = records.DUPLICATE_SCHEMA
    records.write_table(
        campaign.store,
        layout.duplicates_key(campaign.name, track),
        pa.Table.from_pylist(rows, schema=schema),
        schema,
    )
    receipts.put_dedup(campaign, track, len(rows))
    put_validation(campaign)


def put_validation(campaign: Campaign, verdict: str = "pass") -> None:
    """What validate leaves behind: report, then result."""
    validation = receipts.put_release_validation(campaign, verdict)
    campaign.store.write(validation.report, receipts.release_page(verdict))


def ready_campaign(store: Store, recipe: Recipe | None = None, rows: int = 3) -> Campaign:
    """A campaign of which a release can be exported: `rows` accepted captions per shard."""
    campaign = builders.demo_campaign(store, recipe)
    for track in TRACKS:
        for shard in campaign.recipe.shards:
            put_curated(campaign, track, shard, captions_of(track, shard, rows))
        put_duplicates(campaign, track, {})
    return campaign


def campaign_with_images(store: Store, rows: int = 8) -> Campaign:
    """Like `ready_campaign` over the InternVL recipe, with images and something left out."""
    campaign = ready_campaign(store, internvl_recipe(), rows)
    most = max(track.images_min for track in campaign.recipe.tracks.values())
    for shard in campaign.recipe.shards:
        first = 1000 * shard_number(shard) + 1
        images = range(first, first + (rows + 1) * most)
        builders.put_shard(store, shard, {image: builders.make_jpeg(image) for image in images})
    for track in TRACKS:
        for shard in campaign.recipe.shards:
            captions = captions_of(track, shard, rows)
            put_curated(campaign, track, shard, captions, changes={"engine": "lmdeploy"})
        put_duplicates(campaign, track, {})
    accepted = [
        put_curated(
            campaign,
            "single_en",
            shard,
            captions_of("single_en", shard, rows),
            [("Short.", ["too_short"])],
            {"engine": "lmdeploy", "attempt": shard_number(shard) + 1},
        )
        for shard in campaign.recipe.shards
    ]
    put_duplicates(campaign, "single_en", {accepted[1][2]: accepted[0][2]}, 0.75)
    return campaign


def read_lines(store: Store, name: str, version: str = "v1") -> list[dict[str, Any]]:
    """Rows of a JSONL file of a release."""
    text = store.read(f"releases/{version}/{name}").decode()
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def read_parquet(store: Store, folder: str, version: str = "v1") -> list[dict[str, Any]]:
    """Rows of all Parquet files in a folder of a release, such as `data/single_en/`."""
    keys = sorted(store.list(f"releases/{version}/{folder}"))
    assert keys, folder
    tables = [pq.read_table(io.BytesIO(store.read(key))) for key in keys]
    rows: list[dict[str, Any]] = pa.concat_tables(tables).to_pylist()
    return rows


def release_keys(store: Store, version: str = "v1") -> list[str]:
    """Keys of everything that a release holds."""
    return list(store.list(f"releases/{version}/"))
