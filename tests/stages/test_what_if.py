"""What a change would do, against curating with the change made."""

import dataclasses
import functools
import itertools
import json

import pytest

from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.browse.finding import facet_counts
from sa1b_captions.quality.browse.finding.facets import read_facets
from sa1b_captions.quality.browse.limits import what_if
from sa1b_captions.quality.browse.limits.limit_changes import parse_change
from sa1b_captions.quality.browse.limits.proposals import propose
from sa1b_captions.receipts.receipt_files import curate_place, require_receipt
from sa1b_captions.recipe import load_recipe, parse_recipe
from sa1b_captions.recipe.recipe_files import read_recipe_file
from sa1b_captions.stages.calibrate import try_limit
from sa1b_captions.stages.curate import curate_shard
from sa1b_captions.storage import FileStore
from tests.support import builders, curated

SHARDS = ("sa_000000", "sa_000001")
CHANGES = [
    *("min_chars=280", "max_chars=330", "zh.min_chars=100", "min_chars=0"),
    *("off=too_short", "en.off=refusal", "max_character_run=2", "max_echo_units=0"),
]


def real_recipe():
    """Small, and with rules that are on in earnest."""
    recipe = builders.demo_recipe()
    source = json.loads(json.dumps(recipe.source))
    for limits in source["quality"]["language"].values():
        limits["off"] = ["wrong_language", "ngram_repetition", "sentence_repetition"]
    return parse_recipe(source, where="tests")


def texts(language, seed):
    made = [
        f"{text} {number}." if len(text) < 10 else text
        for number, text in enumerate(curated.captions(24, language, seed))
    ]
    made[1] += " I am sorry, I cannot help with that."
    made[2] += " It is red red red, and aaaaaaah."
    return made


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    campaign = builders.demo_campaign(FileStore(tmp_path_factory.mktemp("whatif")), real_recipe())
    for seed, (shard, track) in enumerate(itertools.product(SHARDS, ("single_en", "single_zh"))):
        language = campaign.recipe.tracks[track].language
        curated.put_texts(campaign, shard, track, texts(language, seed))
    return campaign


@pytest.fixture(scope="module")
def receipts(campaign):
    return {
        f"{track}/{shard}": require_receipt(campaign.store, curate_place("test", track, shard))
        for shard in SHARDS
        for track in ("single_en", "single_zh")
    }


@pytest.fixture(scope="module")
def counts(campaign, receipts):
    return facet_counts.update_counts(
        facet_counts.read_counts(campaign), receipts, functools.partial(read_facets, campaign)
    )


def curated_with(campaign, change, tmp_path):
    """Accepted captions of each unit once the change is made, in a store of its own."""
    source = json.loads(json.dumps(campaign.recipe.source))
    for language, table in source["quality"]["language"].items():
        if change.language in (None, language):
            limits = change.applied(campaign.recipe.quality.languages[language])
            table[change.name] = getattr(limits, change.name)
            if change.name == "off":
                table["off"] = list(limits.off)
    copy = builders.demo_campaign(FileStore(tmp_path), parse_recipe(source, where="tests"))
    accepted = {}
    for seed, (shard, track) in enumerate(itertools.product(SHARDS, ("single_en", "single_zh"))):
        language = campaign.recipe.tracks[track].language
        rows = builders.caption_rows(copy.recipe, track, shard, texts(language, seed))
        builders.put_captions(copy, shard, track, rows)
        done = curate_shard(copy, shard, tracks=[track])["tracks"][track]
        accepted[f"{track}/{shard}"] = done["accepted"]
    return accepted


@pytest.mark.parametrize("text", CHANGES)
def test_what_would_be_kept_is_what_curating_then_keeps(campaign, counts, receipts, text, tmp_path):
    change = parse_change(text)
    expected = curated_with(campaign, change, tmp_path)
    outcomes, _ = what_if.try_change(campaign, list(receipts.values()), change)
    assert outcomes
    for one in outcomes:
        unit = f"{one.track}/{one.shard}"
        assert one.kept == receipts[unit].accepted
        assert one.then == expected[unit]
    if what_if.is_counted(change):
        counted = what_if.count_outcomes(campaign, counts, change, list(receipts))
        key = lambda one: (one.shard, one.track)  # noqa: E731
        assert sorted(counted, key=key) == sorted(outcomes, key=key)


def test_captions_at_both_sides_of_the_line_are_shown(campaign, receipts):
    change = parse_change("en.min_chars=300")
    _, sides = what_if.try_change(campaign, list(receipts.values()), change)
    rows = {name: len(text) for name, text in named_texts().items()}
    inside, outside = sides["single_en"].inside, sides["single_en"].outside
    assert inside
    assert outside
    assert all(300 <= rows[name] < 330 for name in inside)
    assert all(270 <= rows[name] < 300 for name in outside)
    assert set(sides) == {"single_en"}


def named_texts():
    found = {}
    for seed, (shard, track) in enumerate(itertools.product(SHARDS, ("single_en", "single_zh"))):
        for number, text in enumerate(texts(track[-2:], seed)):
            found[f"{track}/{shard}/{number + 1}"] = text
    return found


def test_totals_add_up_over_shards(campaign, receipts):
    outcomes, _ = what_if.try_change(
        campaign, list(receipts.values()), parse_change("min_chars=280")
    )
    total = what_if.totals(outcomes)["single_en"]
    own = [one for one in outcomes if one.track == "single_en"]
    for field in dataclasses.fields(total):
        if field.name not in ("track", "shard"):
            assert getattr(total, field.name) == sum(getattr(one, field.name) for one in own)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("min_chars", "is no change"),
        ("min_char=3", r"did you mean min_chars"),
        ("off=refusals", r"did you mean refusal"),
        ("min_chars=1.5", "whole number"),
        ("max_dup2=x", "expected a number"),
        ("min_chars=1e999", "is no change|whole number|out of range"),
        ("en.max_dup2=nan", "out of range|is no change|expected a number|cannot be"),
    ],
)
def test_a_change_that_is_none_is_refused_in_words(campaign, text, why):
    with pytest.raises(PermanentError, match=why):
        parse_change(text).applied(campaign.recipe.quality.languages["en"])


def test_a_value_out_of_range_is_refused(campaign):
    with pytest.raises(PermanentError, match="cannot be"):
        parse_change("max_dup2=2").applied(campaign.recipe.quality.languages["en"])


def test_the_command_line_tries_chosen_shards(campaign):
    outcomes, examples = try_limit(
        campaign, ["sa_000001"], parse_change("min_chars=300"), tracks=["single_en"]
    )
    assert [(one.track, one.shard) for one in outcomes] == [("single_en", "sa_000001")]
    assert {where for where, _, _ in examples} == {"just kept:", "just dropped:"}
    assert all(text for _, _, text in examples)


def test_of_a_packaged_recipe_a_file_based_on_it_is_proposed(tmp_path):
    text = propose("internvl", parse_change("min_chars=180"), ("en", "zh"))
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    changed, present = load_recipe(str(path)), load_recipe("internvl")
    assert {one.min_chars for one in changed.quality.languages.values()} == {180}
    assert changed.fingerprint == present.fingerprint


@pytest.mark.parametrize("text", ["en.min_chars=180", "off=refusal", "en.off=markdown"])
def test_a_recipe_file_is_patched_where_the_limit_stands(tmp_path, text):
    import subprocess

    path = tmp_path / "own.toml"
    path.write_text(
        'base = "internvl"\n\n[quality.language.en]\nmin_chars = 200  # as before\n'
        'off = [\n  "word_echo",\n]\n\n[quality.health]\nreference_rows = 9\n'
    )
    patch = propose(str(path), parse_change(text), ("en", "zh"))
    done = subprocess.run(["patch", "-p1"], input=patch, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0
    languages = load_recipe(str(path)).quality.languages
    assert languages["en"].min_chars == (180 if "min_chars" in text else 200)
    assert "word_echo" in languages["en"].off
    assert ("refusal" in languages["zh"].off) == (text == "off=refusal")
    assert "# as before" in path.read_text()
    assert read_recipe_file(str(path))["quality"]["health"]["reference_rows"] == 9


def test_a_file_that_no_program_should_edit_is_left_to_a_person(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('base = "internvl"\nquality.language.en.min_chars = 200\n')
    with pytest.raises(PermanentError, match="yourself"):
        propose(str(path), parse_change("en.min_chars=180"), ("en",))
