import pyarrow as pa
import pytest

from sa1b_captions import layout, records
from sa1b_captions.quality.report.copies import compare, read_copies, show_copies, show_repeats
from sa1b_captions.quality.report.gallery import Gallery
from sa1b_captions.recipe import parse_recipe
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.storage import FileStore
from tests.support import builders

SHARD = "sa_000000"
TEXT = (
    "The image shows a narrow street with pastel houses on both sides. A bicycle leans against a "
    "yellow wall under a window, two people walk away from the camera, and flower boxes with red "
    "geraniums hang from the balconies above the cobblestones near the corner bakery."
)
OTHER = (
    "A heron stands at the edge of a shallow pond while ripples spread around its thin legs. Reeds "
    "in muted browns fill the blurred background, and patches of duckweed drift over the dark "
    "water beside an old wooden jetty that has lost several of its weathered boards to the storms."
)


@pytest.fixture
def campaign(tmp_path):
    source = builders.demo_recipe().source
    quality = source["quality"] | {"near_duplicate_jaccard": 0.7}
    recipe = parse_recipe(source | {"quality": quality}, where="tests")
    return builders.demo_campaign(FileStore(tmp_path), recipe)


def put(campaign, texts):
    ids = range(1, len(texts) + 1)
    builders.put_shard(
        campaign.store, SHARD, {number: builders.make_jpeg(number) for number in ids}
    )
    table = builders.caption_rows(campaign.recipe, "single_en", SHARD, texts)
    builders.put_captions(campaign, SHARD, "single_en", table)
    curate_shard(campaign, SHARD, tracks=["single_en"])
    return show_copies(Gallery(campaign), [read_copies(campaign, "single_en", SHARD)])


def sides(pieces):
    """What the pieces say the two texts were."""
    kept = "".join(text for text, kind in pieces if kind != "added")
    return kept, "".join(text for text, kind in pieces if kind != "gone")


@pytest.mark.parametrize(
    ("kept", "copy", "language"),
    [
        ("a red kettle, a cup", "a blue kettle and a cup", "en"),
        ("一只红色的水壶", "一只蓝色的大水壶", "zh"),
        ("same", "same", "en"),
        ("", "only here", "en"),
    ],
)
def test_marked_differences_give_both_texts_back(kept, copy, language):
    assert sides(compare(kept, copy, language)) == (kept, copy)


def test_differences_are_words_in_english_and_characters_in_chinese():
    assert compare("a red kettle", "a reed kettle", "en") == [
        ("a ", "same"),
        ("red", "gone"),
        ("reed", "added"),
        (" kettle", "same"),
    ]
    assert compare("A red kettle", "a RED kettle", "en") == [("a RED kettle", "same")]
    assert ("蓝", "added") in compare("红色水壶", "蓝色水壶", "zh")


def test_clusters_are_counted_by_size_and_the_largest_shown_whole(campaign):
    near = TEXT.replace("red geraniums", "pink geraniums")
    found = put(campaign, [TEXT, OTHER, TEXT.upper(), near, OTHER + "!", TEXT + "."])
    assert (found.exact, found.near) == (3, 1)
    assert found.sizes == [("2", 1, 1), ("4", 1, 3)]
    (cluster,) = found.largest
    assert cluster.winner.captions[0].sample_id == f"single_en/{SHARD}/1"
    assert [copy.sample_id.rsplit("/", 1)[1] for copy in cluster.copies] == ["3", "4", "6"]
    (copy,) = [copy for copy in cluster.copies if copy.kind == "near"]
    assert 0.7 <= copy.jaccard < 1
    assert [piece for piece in copy.pieces if piece[1] != "same"] == [
        ("red", "gone"),
        ("pink", "added"),
    ]
    assert all(picture.uri for copy in cluster.copies for picture in copy.pictures)
    (pair,) = found.pairs
    assert pair.winner.captions[0].sample_id == f"single_en/{SHARD}/2"
    assert pair.left_out == 1


def test_a_shard_without_duplicates_shows_none(campaign):
    found = put(campaign, [TEXT, OTHER])
    assert (found.sizes, found.largest, found.pairs) == ([], [], [])


def test_repeated_photographs_are_shown_and_not_looked_for_is_said(campaign):
    put(campaign, [TEXT, OTHER])
    assert show_repeats(campaign, Gallery(campaign)) is None
    rows = [
        {"group": 0, "kind": "same_look", "shard": SHARD, "image_id": image_id}
        for image_id in (1, 2, 99)
    ]
    table = pa.Table.from_pylist(rows, schema=records.REPEAT_SCHEMA)
    records.write_table(
        campaign.store, layout.repeated_images_key(campaign.name), table, records.REPEAT_SCHEMA
    )
    same_file, same_look = show_repeats(campaign, Gallery(campaign))
    assert (same_file.groups, same_file.shown) == (0, [])
    assert (same_look.groups, same_look.photographs) == (1, 3)
    pictures = [(picture.name, bool(picture.uri)) for picture in same_look.shown[0]]
    assert pictures == [
        (f"sa_1.jpg in {SHARD}", True),
        (f"sa_2.jpg in {SHARD}", True),
        (f"sa_99.jpg in {SHARD}", False),
    ]
