import copy
import json
from pathlib import Path

import pytest

from sa1b_captions.campaign import open_campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe import TRACKS, load_recipe, parse_recipe
from sa1b_captions.storage import FileStore
from tests.support import builders

INTERNVL = load_recipe("internvl")


def test_the_internvl_recipe_names_the_published_files():
    assert [INTERNVL.tracks[track].release_file for track in TRACKS] == [
        "internvl_sa1b_caption_11m_single_image_en.jsonl",
        "internvl_sa1b_caption_1m_single_image_zh.jsonl",
        "internvl_sa1b_caption_77k_multi_image_en.jsonl",
        "internvl_sa1b_caption_77k_multi_image_zh.jsonl",
    ]
    assert len(INTERNVL.shards) == 1000


def test_the_english_prompt_is_the_cards_verbatim():
    prompt = INTERNVL.tracks["single_en"].prompt
    assert len(prompt) == 274
    assert prompt.startswith("Generate an accurate, single-paragraph description")
    assert len(INTERNVL.tracks["single_zh"].prompt) == 64


def test_stored_json_has_the_fingerprint_of_the_file(tmp_path):
    store = FileStore(tmp_path)
    open_campaign(store, "c", INTERNVL)
    assert open_campaign(store, "c").recipe.fingerprint == INTERNVL.fingerprint


def test_the_images_an_archive_should_have_are_known_and_not_part_of_the_identity():
    assert INTERNVL.expected_images("sa_000000") == 11_186
    assert INTERNVL.expected_images("sa_000999") == 10_548
    total = sum(INTERNVL.expected_images(shard) for shard in INTERNVL.shards)
    assert total == 11_185_362
    assert builders.demo_recipe(images_per_shard=None).expected_images("sa_000000") is None
    assert changed(("images_per_shard",), 5).fingerprint == INTERNVL.fingerprint


def changed(path, value):
    source = copy.deepcopy(INTERNVL.source)
    section = source
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = value
    return parse_recipe(source, where="tests")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("model", "revision"), "abc"),
        (("tracks", "single_zh", "prompt"), "描述"),
        (("generation", "max_tiles"), 6),
        (("seed",), 1),
        (("tracks", "multi_en", "samples_per_shard"), 80),
    ],
)
def test_what_changes_captions_changes_the_fingerprint_and_is_refused(tmp_path, path, value):
    other = changed(path, value)
    assert other.fingerprint != INTERNVL.fingerprint
    store = FileStore(tmp_path)
    open_campaign(store, "c", INTERNVL)
    with pytest.raises(PermanentError, match="set CAPTIONS_CAMPAIGN to a new name"):
        open_campaign(store, "c", other)


def test_a_new_limit_keeps_the_captions_and_replaces_the_stored_rules(tmp_path):
    stricter = changed(("quality", "language", "en", "min_chars"), 300)
    assert stricter.fingerprint == INTERNVL.fingerprint
    assert stricter.quality_fingerprint != INTERNVL.quality_fingerprint
    store = FileStore(tmp_path)
    open_campaign(store, "c", INTERNVL)
    open_campaign(store, "c", stricter)
    assert open_campaign(store, "c").recipe.quality.languages["en"].min_chars == 300


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("tracks", "single_en", "images_max"), 2, "single track takes 1 image"),
        (("tracks", "single_en", "release_file"), "../x.jsonl", "plain name"),
        (("tracks", "single_en", "language"), "fr", "must be one of en, zh"),
        (("tracks", "multi_en", "images_min"), 9, "in order"),
        (("shards",), "x", "does not select shards"),
        (("block_size",), 0, "block_size"),
        (
            ("tracks", "single_zh", "release_file"),
            "internvl_sa1b_caption_11m_single_image_en.jsonl",
            "share",
        ),
    ],
)
def test_a_broken_recipe_says_where(path, value, message):
    with pytest.raises(PermanentError, match=message):
        changed(path, value)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("blok_size",), 8, "the top of it has no key 'blok_size' (did you mean block_size?)"),
        (("modle",), {}, "the top of it has no key 'modle' (did you mean model?)"),
        (("model", "revison"), "1", "[model] has no key 'revison' (did you mean revision?)"),
        (("tracks", "singel_en"), {}, "[tracks] has no key 'singel_en' (did you mean single_en?)"),
        (
            ("tracks", "single_en", "langage"),
            "en",
            "[tracks.single_en] has no key 'langage' (did you mean language?)",
        ),
        (("quality", "helth"), {}, "[quality] has no key 'helth' (did you mean health?)"),
        (
            ("quality", "health", "ks_distanze"),
            [0, 1],
            "[quality.health] has no key 'ks_distanze' (did you mean ks_distance?)",
        ),
        (
            ("quality", "language", "en", "min_charz"),
            5,
            "[quality.language.en] has no key 'min_charz' (did you mean min_chars?)",
        ),
        (("quality", "language", "en", "xyz"), 5, "[quality.language.en] has no key 'xyz'"),
    ],
)
def test_a_misspelt_key_is_named_with_its_table_and_the_right_name(path, value, message):
    with pytest.raises(PermanentError) as raised:
        changed(path, value)
    assert str(raised.value) == f"recipe tests: {message}"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("model",), 5, "model is 5, expected a table"),
        (("quality", "language"), [], "quality.language is [], expected a table"),
        (("block_size",), "8", "block_size is '8', expected a number"),
        (("model", "id"), 7, "[model] id is 7, expected text in quotes"),
        (("generation", "do_sample"), 0, "[generation] do_sample is 0, expected true or false"),
        (("generation", "top_k"), True, "[generation] top_k is True, expected a number"),
        (("quality", "health", "psi"), 0.1, "[quality.health] psi is 0.1, expected a list"),
        (("quality", "min_rows"), "ten", "[quality] min_rows is 'ten', expected a number"),
    ],
)
def test_a_value_of_another_type_is_answered_in_words(path, value, message):
    with pytest.raises(PermanentError) as raised:
        changed(path, value)
    assert message in str(raised.value)


def test_a_recipe_stored_with_a_key_of_no_meaning_still_loads(tmp_path):
    store = FileStore(tmp_path)
    source = INTERNVL.source | {"image_per_shard": 5}
    store.write("campaigns/c/recipe.json", json.dumps(source).encode())
    assert open_campaign(store, "c").recipe.fingerprint == INTERNVL.fingerprint
    with pytest.raises(PermanentError, match="did you mean images_per_shard"):
        parse_recipe(source, where="a file")


def test_a_missing_section_is_named():
    source = copy.deepcopy(INTERNVL.source)
    del source["model"]
    with pytest.raises(PermanentError, match="lacks 'model'"):
        parse_recipe(source, where="tests")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("shards",), None, "shards is None, expected text in quotes"),
        (("shards",), "9-2", "shards: '9-2' runs backwards"),
        (("title",), "\ud800", "half a character"),
        (("quality", "language", "\n"), None, "quality.language. is None, expected a table"),
    ],
)
def test_what_no_file_holds_is_one_line_that_names_the_recipe(path, value, message):
    source = copy.deepcopy(builders.demo_recipe().source)
    table = source
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    with pytest.raises(PermanentError, match=rf"^recipe here: .*{message}[^\n]*$"):
        parse_recipe(source, where="here")


def test_a_campaign_without_recipe_says_what_to_set(tmp_path):
    with pytest.raises(PermanentError, match="CAPTIONS_RECIPE"):
        open_campaign(FileStore(tmp_path), "nothing")


def test_the_demos_recipe_loads():
    path = Path(__file__).parents[2] / "demo" / "recipe.toml"
    assert load_recipe(str(path)).model.id == "preview"
    assert builders.demo_recipe().shards == ("sa_000000", "sa_000001")


EN = ("quality", "language", "en")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ((*EN, "min_chars"), 3000, "quality.language.en: min_chars is above max_chars"),
        ((*EN, "max_dup2"), 1.5, "max_dup2 is 1.5, out of range"),
        ((*EN, "max_character_run"), -1, "max_character_run is -1, out of range"),
        ((*EN, "max_echo_units"), "2", "max_echo_units is '2', expected a number"),
        (
            (*EN, "off"),
            ["spelling"],
            "off names no rule with \\['spelling'\\]; rules are too_short",
        ),
        ((*EN, "max_words"), 5, "max_words"),
    ],
)
def test_a_limit_out_of_range_says_which(path, value, message):
    with pytest.raises(PermanentError, match=message):
        changed(path, value)


def test_a_recipe_may_leave_out_the_limits_it_does_not_change():
    source = copy.deepcopy(INTERNVL.source)
    source["quality"]["language"]["en"] = {"max_chars": 900}
    limits = parse_recipe(source, where="tests").quality.languages["en"]
    assert limits.max_chars == 900
    assert limits.max_dup2 == INTERNVL.quality.languages["en"].max_dup2


def test_a_language_of_its_own_needs_all_its_limits():
    source = copy.deepcopy(INTERNVL.source)
    source["quality"]["language"]["fr"] = {"min_chars": 200}
    with pytest.raises(PermanentError, match="max_chars"):
        parse_recipe(source, where="tests")


def test_the_packaged_recipe_is_still_the_one_that_campaigns_were_started_with():
    assert INTERNVL.fingerprint == "c479ed432a873c62"


def without_targets():
    """The packaged recipe as campaigns stored it before there were targets."""
    source = copy.deepcopy(INTERNVL.source)
    for track in source["tracks"].values():
        for key in ("target", "spare_samples_per_shard"):
            track.pop(key, None)
    return parse_recipe(source, where="tests")


def test_targets_and_spare_samples_join_a_campaign_that_has_none(tmp_path):
    store = FileStore(tmp_path)
    before = without_targets()
    assert before.fingerprint == INTERNVL.fingerprint
    assert {track.target for track in before.tracks.values()} == {None}
    open_campaign(store, "c", before)
    assert open_campaign(store, "c", INTERNVL).recipe.tracks["single_zh"].target == 1_000_000
    assert open_campaign(store, "c").recipe == INTERNVL


def test_the_plan_reaches_the_targets_where_as_much_is_lost_as_a_release_warns_of():
    kept = 1 - INTERNVL.quality.reject_share_warning
    for name, track in INTERNVL.tracks.items():
        if track.samples_per_shard is not None:
            planned = track.samples_per_shard + track.spare_samples_per_shard
            assert planned * len(INTERNVL.shards) * kept >= track.target
            number = {1_000_000: "1m", 77_000: "77k"}[track.target]
            assert f"_{number}_" in track.release_file, name


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("target", 0, "target must be 1 or more"),
        ("trim", True, "trim needs a target"),
        ("spare_samples_per_shard", -1, "must be 0 or more"),
        ("spare_samples_per_shard", 5, "every image is planned already"),
    ],
)
def test_targets_that_make_no_sense_are_refused(key, value, complaint):
    source = copy.deepcopy(without_targets().source)
    source["tracks"]["single_en"][key] = value
    with pytest.raises(PermanentError, match=complaint):
        parse_recipe(source, where="tests")


def test_what_a_model_says_beside_its_defaults_is_part_of_the_identity():
    assert changed(("model", "template"), "internvl2").fingerprint == INTERNVL.fingerprint
    assert changed(("model", "context_tokens"), 8192).fingerprint == INTERNVL.fingerprint
    assert changed(("model", "template"), "internvl2_5").fingerprint != INTERNVL.fingerprint
    assert changed(("model", "context_tokens"), 16384).fingerprint != INTERNVL.fingerprint
    with pytest.raises(PermanentError, match="template must be one of internvl2, internvl2_5"):
        changed(("model", "template"), "vicuna")


def test_an_audit_is_asked_for_by_its_section_and_changes_no_fingerprint():
    assert INTERNVL.audit is None
    for name, value in (("captions_per_shard", 16), ("model", "judge")):
        recipe = changed(("audit",), {name: value})
        assert getattr(recipe.audit, name) == value
        assert recipe.fingerprint == INTERNVL.fingerprint
        assert recipe.quality_fingerprint == INTERNVL.quality_fingerprint
    assert changed(("audit",), {}).audit.captions_per_shard == 64


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"captions_per_shard": 0}, r"audit: captions_per_shard is 0"),
        ({"unsupported": [0.1, 0.02]}, r"audit: unsupported is \[0.1, 0.02\]"),
        ({"unsupported": [0.1]}, r"audit: unsupported is \[0.1\]"),
        ({"captions": 3}, r"\[audit\] has no key 'captions'"),
    ],
)
def test_an_audit_out_of_range_is_named(section, message):
    with pytest.raises(PermanentError, match=message):
        changed(("audit",), section)
