import numpy as np
import pytest

from sa1b_captions.campaign import Campaign
from sa1b_captions.quality.duplicates.clusters import LEVELS, count_alike
from sa1b_captions.receipts.receipt_files import dedup_place, read_receipt
from sa1b_captions.recipe import parse_recipe
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.stages.dedup import dedup_track
from sa1b_captions.storage import FileStore
from tests.gold.captions import LANGUAGES
from tests.support import builders
from tests.support.planted_pairs import count, expected_share, most_alike, plant, reword, search


@pytest.mark.parametrize("language", LANGUAGES)
def test_estimated_pairs_are_as_many_as_planted_within_what_chance_explains(language):
    planted = plant(language, 700)
    true = [pair.jaccard for pair in search(planted, 1.0).pairs if pair.jaccard < 1]
    for level in count(planted):
        alike = [jaccard for jaccard in true if jaccard >= level.jaccard]
        chances = [expected_share(jaccard) for jaccard in alike]
        spread = sum((1 - chance) / chance for chance in chances) ** 0.5
        # Four standard errors of so many independent pairs, and one pair for rounding.
        assert abs(level.estimated_pairs - len(alike)) <= 4 * spread + 1
        assert level.pairs <= len(alike)
        assert level.left_out == level.pairs
    assert level.pairs < 0.98 * len(alike)


def test_levels_are_counted_from_the_top_and_chains_leave_out_all_but_one():
    pairs = np.array([[0, 1], [1, 2], [0, 2], [5, 9], [5, 7]])
    found = count_alike(pairs, np.array([0.9, 0.65, 0.55, 0.71, 0.2]))
    assert [level.jaccard for level in found] == list(LEVELS)
    assert [level.pairs for level in found] == [1, 1, 2, 3, 4]
    assert [level.left_out for level in found] == [1, 1, 2, 3, 3]
    assert found[-1].estimated_pairs == 5


def test_nothing_alike_is_counted_as_nothing():
    found = count_alike(np.empty((0, 2), np.int64), np.empty(0))
    assert {(level.pairs, level.estimated_pairs, level.left_out) for level in found} == {(0, 0, 0)}


@pytest.mark.parametrize(
    ("language", "words_changed", "found_at_least", "found_at_most"),
    [
        ("en", 0.03, 0.9, 1),
        ("en", 0.04, 0.2, 0.5),
        ("en", 0.05, 0.02, 0.2),
        ("en", 0.07, 0, 0.02),
        ("en", 0.10, 0, 0),
        ("zh", 0.03, 0.99, 1),
        ("zh", 0.04, 0.95, 1),
        ("zh", 0.05, 0.75, 0.97),
        ("zh", 0.07, 0.05, 0.2),
        ("zh", 0.10, 0, 0.02),
    ],
)
def test_what_is_found_by_words_changed_is_as_the_page_on_rules_says(
    language, words_changed, found_at_least, found_at_most
):
    # Bounds are four standard errors wide: 200 captions are few.
    pairs = search(reword(language, words_changed, 200), 0.7).pairs
    found = sum(pair.found for pair in pairs) / len(pairs)
    assert found_at_least <= found <= found_at_most


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_of_different_images_are_far_below_every_level(language):
    assert most_alike(language) < 0.43 < min(LEVELS)


def dedup_at(root, limit, texts):
    """Receipt of texts, each in a shard of its own, deduplicated at a limit."""
    source = builders.demo_recipe().source
    quality = source["quality"] | {"near_duplicate_jaccard": limit}
    recipe = parse_recipe(source | {"quality": quality}, where="tests")
    campaign = Campaign("test", FileStore(root), recipe)
    for place, shard in enumerate(recipe.shards):
        table = builders.caption_rows(recipe, "single_en", shard, [texts[place]], place + 1)
        builders.put_captions(campaign, shard, "single_en", table)
        curate_shard(campaign, shard, tracks=["single_en"])
    dedup_track(campaign, "single_en")
    return read_receipt(campaign.store, dedup_place(campaign.name, "single_en"))


def test_the_recipe_chooses_from_which_level_on_captions_are_left_out(tmp_path):
    # Words whose signatures meet: of pairs as little alike every second does not.
    words = [f"0word{place}" for place in range(100)]
    copy = [f"new{place}" if place % 16 == 7 else word for place, word in enumerate(words)]
    texts = [" ".join(words) + ".", " ".join(copy) + "."]
    counted = dedup_at(tmp_path / "counted", 0.7, texts)
    rejected = dedup_at(tmp_path / "rejected", 0.5, texts)
    assert (counted.rows, counted.duplicates, counted.near_duplicates) == (2, 0, 0)
    assert (rejected.rows, rejected.duplicates, rejected.near_duplicates) == (2, 1, 1)
    assert [level.left_out for level in counted.alike] == [0, 0, 0, 0, 1]
    assert counted.alike == rejected.alike
