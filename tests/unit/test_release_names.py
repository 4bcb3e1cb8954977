import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.release.names import release_names
from tests.support import builders

INTERNVL = load_recipe("internvl")
FULL = {"single_en": 11_000_000, "single_zh": 1_000_000, "multi_en": 77_000, "multi_zh": 77_000}


def test_whoever_meets_the_targets_carries_exactly_the_published_names():
    """Written out, so that no code can change them."""
    assert release_names(INTERNVL, {track: rows + 5 for track, rows in FULL.items()}) == {
        "single_en": "internvl_sa1b_caption_11m_single_image_en.jsonl",
        "single_zh": "internvl_sa1b_caption_1m_single_image_zh.jsonl",
        "multi_en": "internvl_sa1b_caption_77k_multi_image_en.jsonl",
        "multi_zh": "internvl_sa1b_caption_77k_multi_image_zh.jsonl",
    }


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        (11_000_000, "11m"),
        (10_999_999, "10m"),
        (883_700, "883k"),
        (1_999_999, "1m"),
        (999, "999"),
        (0, "0"),
    ],
)
def test_a_smaller_release_is_named_by_its_size_rounded_down(rows, count):
    names = release_names(INTERNVL, {"single_en": rows})
    assert names == {"single_en": f"internvl_sa1b_caption_{count}_single_image_en.jsonl"}


def test_a_low_target_does_not_lend_a_name_that_promises_more():
    tracks = {n: dataclasses.replace(t, target=5) for n, t in INTERNVL.tracks.items()}
    recipe = dataclasses.replace(INTERNVL, tracks=tracks)
    names = release_names(recipe, {"single_en": 6})
    assert names["single_en"] == "internvl_sa1b_caption_6_single_image_en.jsonl"


def test_names_without_a_number_stay():
    assert release_names(builders.demo_recipe(), dict.fromkeys(TRACKS, 3)) == {
        track: f"test_{track}.jsonl" for track in TRACKS
    }


def test_names_that_differ_in_the_number_only_are_refused():
    tracks = dict(INTERNVL.tracks)
    tracks["single_zh"] = dataclasses.replace(tracks["single_en"], release_file="a_1k_b.jsonl")
    tracks["single_en"] = dataclasses.replace(tracks["single_en"], release_file="a_2k_b.jsonl")
    recipe = dataclasses.replace(INTERNVL, tracks=tracks)
    with pytest.raises(PermanentError, match=r"two tracks would be called a_7_b.jsonl"):
        release_names(recipe, {"single_en": 7, "single_zh": 7})


@given(st.integers(0, 20_000_000))
def test_no_name_promises_more_than_there_is(rows):
    (name,) = release_names(INTERNVL, {"single_en": rows}).values()
    count = name.split("_")[3]
    said = int(count.rstrip("km")) * {"k": 1000, "m": 10**6}.get(count[-1], 1)
    assert said <= rows
