import random

import pyarrow as pa
import pytest

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.recipe import parse_recipe
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.storage import FileStore
from tests.support import builders
from tests.support.near_copies import captions_of, clustered, vary


def recipe():
    source = builders.demo_recipe().source
    quality = source["quality"] | {"near_duplicate_jaccard": 0.7}
    return parse_recipe(source | {"quality": quality}, where="tests")


def run(tmp_path, texts, shard_of):
    """Ids that survive curate and dedup."""
    campaign = Campaign("test", FileStore(tmp_path), recipe())
    kept = set()
    for number, shard in enumerate(campaign.recipe.shards):
        ids = [place for place in range(len(texts)) if shard_of(place) == number]
        table = pa.concat_tables(
            builders.caption_rows(campaign.recipe, "single_en", shard, [texts[place]], place)
            for place in ids
        )
        builders.put_captions(campaign, shard, "single_en", table)
        curate_shard(campaign, shard, tracks=["single_en"])
        key = layout.curated_key(campaign.name, "single_en", shard, "accepted.parquet")
        kept |= {ids[0] for ids in records.read_table(campaign.store, key)["image_ids"].to_pylist()}
    dedup_track(campaign, "single_en")
    found = records.read_table(campaign.store, layout.duplicates_key(campaign.name, "single_en"))
    losers = {int(name.rsplit("/")[-1]) for name in found["sample_id"].to_pylist()}
    assert losers <= kept
    assert all(int(name.rsplit("/")[-1]) in kept - losers for name in found["winner"].to_pylist())
    return kept - losers


@pytest.mark.parametrize("seed", range(3))
def test_survivors_do_not_depend_on_where_a_shard_ends(tmp_path, seed):
    texts = captions_of(seed, 40)
    survivors = set(range(40)) - clustered(texts).keys()
    for place, edge in enumerate((13, 29)):
        found = run(tmp_path / str(place), texts, lambda number, edge=edge: int(number >= edge))
        assert found == survivors


def test_near_copies_within_a_shard_are_rejected_and_can_be_looked_at(tmp_path):
    words = [f"word{place}" for place in range(60)]
    texts = [" ".join(words), " ".join(vary(random.Random(1), words, 1))]
    campaign = Campaign("test", FileStore(tmp_path), recipe())
    table = builders.caption_rows(campaign.recipe, "single_en", "sa_000000", texts)
    builders.put_captions(campaign, "sa_000000", "single_en", table)
    found = curate_shard(campaign, "sa_000000", tracks=["single_en"])["tracks"]["single_en"]
    assert found["reasons"] == {"near_duplicate": 1}
    key = layout.curated_key(campaign.name, "single_en", "sa_000000", "duplicates.parquet")
    (row,) = records.read_table(campaign.store, key).to_pylist()
    assert (row["winner"], row["kind"]) == ("single_en/sa_000000/1", "near")
    assert 0.7 <= row["jaccard"] < 1
