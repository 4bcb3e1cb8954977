import contextlib
import json

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions import layout, records
from sa1b_captions.caption.engines.generation import finished
from sa1b_captions.errors import PermanentError
from sa1b_captions.quality import features
from sa1b_captions.quality.rules import find_reasons
from sa1b_captions.recipe import load_recipe
from sa1b_captions.release import guards
from sa1b_captions.release.manifest import latest_version
from sa1b_captions.stages.exporting.export import export_release
from tests.gold.examples import FIT
from tests.support import builders, receipts, releases

RECIPE = builders.demo_recipe()
SHARD = "sa_000001"


def check(track, captions, changes):
    """Look over rows of accepted captions, each changed."""
    rows = builders.caption_rows(RECIPE, track, SHARD, captions).to_pylist()
    changed = [row | {"reasons": []} | changes for row in rows]
    accepted = pa.Table.from_pylist(changed, schema=records.CURATED_SCHEMA)
    guards.check_rows(RECIPE, RECIPE.tracks[track], accepted, f"{track}/{SHARD}")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "someone/else"}, "model is someone/else in some rows"),
        ({"recipe_fingerprint": "0" * 16}, "recipe_fingerprint is 0000"),
        ({"track": "single_zh"}, "track is single_zh"),
        ({"caption": "Here <image> it is"}, "has a line break or one of <image>"),
        ({"caption": "Here <img> it is"}, "has a line break"),
        ({"caption": "Here </img> it is"}, "has a line break"),
        ({"caption": "Here <IMG_CONTEXT> it is"}, "has a line break"),
        *[({"caption": f"A{c}B"}, "has a line break") for c in guards.LINE_BREAKS],
        ({"caption": "Here <Video> it is"}, "has the placeholder <video>"),
        ({"caption": "A hill.<script src=x></script>"}, "has a script"),
        ({"caption": "A</SCRIPT > hill."}, "has a script"),
        ({"caption": "A <img src=x onerror=alert(1)> hill."}, "has a script"),
        ({"caption": "A <a href='javascript:x'>hill."}, "has a script"),
        ({"caption": "A <svg/onload=alert(1)>hill."}, "has a script"),
        ({"caption": "A hill\u200b."}, "has characters of no width"),
        ({"caption": "\ufeffA hill."}, "has characters of no width"),
        ({"caption": " A hill."}, "begins or ends with a space"),
        ({"caption": "=cmd|' /C calc'!A0"}, "begins as a formula"),
        ({"caption": "@SUM(1)"}, "begins as a formula"),
        ({"caption": "+cmd|1"}, "begins as a formula"),
        ({"images": []}, "has other than 1 to 1 images"),
        ({"images": None}, "has other than 1 to 1 images"),
        ({"images": ["a", "b"]}, "has other than 1 to 1 images"),
        ({"widths": [0]}, "has an image without width"),
        ({"heights": [0]}, "has an image without height"),
        ({"heights": [None]}, "has an image without height"),
        ({"widths": [96, 96]}, "has an image without width"),
        ({"caption": " "}, "has no caption"),
        ({"caption": "\u3000"}, "has no caption"),
        ({"caption": ""}, "has no caption"),
        ({"caption": None}, "has no caption"),
        ({"sample_id": "single_en/sa_000001/1"}, "accepted twice"),
    ],
)
def test_a_row_that_must_not_be_published_is_refused(changes, message):
    with pytest.raises(PermanentError, match=f"single_en/sa_000001: .*{message}"):
        check("single_en", ["A hill.", "A pond."], changes)


STRANGE = "".join({*guards.LINE_BREAKS, *" =@+-<>|(/\t\x1c\x7f\u200b\u2028\u3000\xa0山é"})


@given(st.lists(st.text(STRANGE + "ab.", min_size=1), min_size=1, max_size=5))
def test_no_pattern_matches_a_caption_that_is_not_doubtful(captions):
    column = pa.chunked_array([["A hill.", *captions]]).slice(1)
    doubtful = guards._doubtful(column).to_pylist()
    for _, pattern in guards.UNPUBLISHABLE:
        matched = pc.match_substring_regex(column, pattern).to_pylist()
        assert all(seen for seen, found in zip(doubtful, matched, strict=True) if found)


def test_a_plain_caption_is_not_doubtful():
    column = pa.chunked_array([["A hill.", "Two - or = more."]])
    assert guards._doubtful(column).to_pylist() == [False, False]


def test_a_refused_row_stops_the_release(campaign, local):
    changes = {"caption": "Here <image> it is"}
    releases.put_curated(campaign, "single_en", SHARD, ["A hill.", "A pond."], changes=changes)
    releases.put_duplicates(campaign, "single_en", {})
    with pytest.raises(PermanentError, match="single_en/sa_000001: has a line break"):
        export_release(campaign, "v1")
    assert not local.exists("releases/v1/manifest.json")
    assert latest_version(local) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": ["a", "a"]}, "has the same image twice"),
        ({"images": ["a"]}, "has other than 2 to 4 images"),
        ({"images": list("abcde")}, "has other than 2 to 4 images"),
        ({"widths": [96, 0]}, "has an image without width"),
    ],
)
def test_a_row_of_odd_images_is_refused(changes, message):
    with pytest.raises(PermanentError, match=f"multi_en/sa_000001: .*{message}"):
        check("multi_en", ["A hill."], changes)


@pytest.mark.parametrize(
    "caption",
    [
        *("- A hill.", "A 3-year-old tree = old.", "+1 is on the sign.", "A ZWJ-free text."),
        *("A sign says javascript: yes.", "A board reads a < b and once = twice."),
    ],
)
def test_plain_captions_pass_the_guards(caption):
    check("single_en", [caption], {})


def test_a_rule_rejects_whatever_export_would_stop_at():
    """Or one odd caption would hold up a release that no rule can repair."""
    assert set(guards.LINE_BREAKS) <= set(features.LINE_BREAKS)
    assert set(guards.FORBIDDEN) <= set(features.SPECIAL_TOKENS)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("begin", "inside", "rule"),
    [
        ("", "<image>", "special_token"),
        ("", "<video>", "special_token"),
        ("", "</VIDEO>", "special_token"),
        ("", "\n", "line_break"),
        ("", "\u2028", "line_break"),
        ("", "<script>alert(1)</script>", "markdown"),
        ("", "</SCRIPT >", "markdown"),
        ("", "<img src=x onerror=alert(1)>", "special_token"),
        ("", "<a href='javascript:x'>", "markdown"),
        ("", "\u200b", "replacement_character"),
        ("", "\u202e", "replacement_character"),
        ("", "\u2060", "replacement_character"),
        ("\ufeff", "", "replacement_character"),
        (" ", "", "line_break"),
        ("\u3000", "", "line_break"),
        ("=cmd|' /C calc'!A0 ", "", "markdown"),
        ("=1+1 ", "", "markdown"),
        ("@SUM(1) ", "", "markdown"),
        ("+cmd|1 ", "", "markdown"),
        ("-cmd(1) ", "", "markdown"),
    ],
)
def test_what_the_guards_stop_at_is_rejected_before_by_a_rule_with_a_name(
    language, begin, inside, rule
):
    fit = FIT[language]
    caption = f"{begin}{fit[:5]}{inside}{fit[5:]}"
    found = pa.chunked_array([[caption, fit]])
    stopped = [
        pc.match_substring_regex(found, pattern).to_pylist() for _, pattern in guards.UNPUBLISHABLE
    ]
    assert [any(column) for column in zip(*stopped, strict=True)] == [True, False]
    limits = load_recipe("internvl").quality.languages[language]
    rows = features.measure(found).with_columns(status=pl.lit("ok"))
    rejected, passed = find_reasons(rows, limits, None).to_list()
    assert rule in rejected
    assert passed == []


def test_blanks_at_an_end_are_the_engines_own_and_never_come_this_far():
    assert finished(" A hill.\u3000", "stop").caption == "A hill."


@pytest.mark.parametrize(
    "name", ["internvl_sa1b_caption_mine.jsonl", "InternVL_SA1B_caption.jsonl"]
)
def test_no_other_model_can_carry_the_published_names(local, name):
    recipe = builders.demo_recipe()
    source = json.loads(json.dumps(recipe.source))
    source["tracks"]["multi_en"]["release_file"] = name
    campaign = releases.ready_campaign(local, builders.demo_recipe(tracks=source["tracks"]))
    with pytest.raises(PermanentError, match=f"{name} names captions by OpenGVLab"):
        export_release(campaign, "v1")
    assert releases.release_keys(local) == []


def test_a_prompt_with_a_placeholder_is_refused(local):
    tracks = json.loads(json.dumps(builders.demo_recipe().source["tracks"]))
    tracks["multi_en"]["prompt"] += " <image>"
    campaign = releases.ready_campaign(local, builders.demo_recipe(tracks=tracks))
    with pytest.raises(PermanentError, match="the prompt of multi_en"):
        export_release(campaign, "v1")


@pytest.mark.parametrize("counts", [(3, 1, 4), (4, 0, 4), (3, 0, 4), (2, 1, 3)])
def test_counts_that_do_not_add_up_stop_the_release(campaign, local, counts):
    key = layout.curate_receipt_key(campaign.name, "multi_en", "sa_000001")
    names = ("accepted", "rejected", "planned")
    receipts.edit(local, key, **dict(zip(names, counts, strict=True)))
    releases.put_duplicates(campaign, "multi_en", {})
    with pytest.raises(PermanentError, match="multi_en/sa_000001: 3 accepted"):
        export_release(campaign, "v1")


@pytest.mark.parametrize(
    ("winners", "message"),
    [
        ({"single_en/sa_000001/9": "single_en/sa_000000/1"}, "is not an accepted sample"),
        ({"single_en/sa_000009/1": "single_en/sa_000000/1"}, "shards that the recipe does not"),
        (
            {
                "single_en/sa_000001/1001": "single_en/sa_000000/1",
                "single_en/sa_000000/1": "single_en/sa_000001/1002",
            },
            "is to stay and to go",
        ),
    ],
)
def test_duplicates_of_another_curation_stop_the_release(campaign, local, winners, message):
    releases.put_duplicates(campaign, "single_en", winners)
    with pytest.raises(PermanentError, match=message):
        export_release(campaign, "v1")


def test_a_track_without_a_caption_is_no_release(campaign, local):
    for shard in campaign.recipe.shards:
        releases.put_curated(campaign, "multi_zh", shard, [], [("短", ["too_short"])])
    releases.put_duplicates(campaign, "multi_zh", {})
    with pytest.raises(PermanentError, match="multi_zh: no caption is left"):
        export_release(campaign, "v1")


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        (
            lambda c: layout.curate_receipt_key(c.name, "single_zh", "sa_000001"),
            "sa1b-captions curate --tracks single_zh --shards 1",
        ),
        (
            lambda c: layout.dedup_receipt_key(c.name, "multi_en"),
            "run sa1b-captions dedup --tracks multi_en",
        ),
        (lambda c: layout.release_validation_key(c.name), "run sa1b-captions validate --release"),
        (
            lambda c: receipts.release_report_key(c, receipts.release_page("pass")),
            "run sa1b-captions validate --release --force",
        ),
    ],
)
def test_a_missing_stage_is_named_with_the_command_that_runs_it(campaign, local, gone, message):
    local.delete(gone(campaign))
    with pytest.raises(PermanentError, match=message):
        export_release(campaign, "v1")
    assert releases.release_keys(local) == []


def test_a_dedup_of_other_captions_has_to_run_again(campaign):
    releases.put_curated(campaign, "single_zh", "sa_000001", ["一片湖。"])
    with pytest.raises(PermanentError, match="run sa1b-captions dedup --tracks single_zh"):
        export_release(campaign, "v1")


def test_a_verdict_on_other_captions_does_not_count(campaign, local):
    key = layout.dedup_receipt_key(campaign.name, "multi_zh")
    receipts.edit(local, key, duplicates=1)  # within the same second
    with pytest.raises(PermanentError, match="again since .* validate --release --force"):
        export_release(campaign, "v1")


def test_a_validation_by_a_machine_whose_clock_is_behind_counts(campaign, local):
    key = layout.release_validation_key(campaign.name)
    receipts.edit(local, key, written_at="1970-01-01T00:00:00+00:00")
    assert export_release(campaign, "v1")["version"] == "v1"


@pytest.mark.parametrize(
    ("verdict", "allowed", "exported"),
    [
        ("pass", ("pass",), True),
        ("warn", ("pass",), False),
        ("warn", ("pass", "warn"), True),
        ("fail", ("pass", "warn"), False),
    ],
)
def test_the_verdict_decides(campaign, local, verdict, allowed, exported):
    releases.put_validation(campaign, verdict)
    refused = contextlib.nullcontext() if exported else pytest.raises(PermanentError, match=verdict)
    with refused:
        export_release(campaign, "v1", allow_verdicts=allowed)
    assert (latest_version(local) == "v1") is exported
