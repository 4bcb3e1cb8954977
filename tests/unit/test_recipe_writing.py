import json
import logging

import pytest
from typer.testing import CliRunner

from sa1b_captions.cli import app
from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe import TRACKS, load_recipe
from sa1b_captions.recipe.recipe_files import packaged_recipes
from sa1b_captions.recipe.recipe_writing import new_recipe
from sa1b_captions.release.guards import check_recipe

MODEL = "Qwen/Qwen2.5-VL-7B-Instruct"


def written(tmp_path, *arguments, **options):
    path = tmp_path / "r.toml"
    path.write_text(new_recipe(*arguments, **options))
    return load_recipe(str(path))


@pytest.mark.parametrize("base", packaged_recipes())
def test_a_new_recipe_is_whole_and_differs_from_its_base_in_the_model_and_names(tmp_path, base):
    recipe, theirs = written(tmp_path, MODEL, base), load_recipe(base)
    assert "base" not in recipe.source
    check_recipe(recipe)
    assert (recipe.model.id, recipe.model.system_prompt) == (MODEL, "")
    assert (recipe.generation, recipe.quality) == (theirs.generation, theirs.quality)
    assert (recipe.shards, recipe.seed) == (theirs.shards, theirs.seed)
    for name in TRACKS:
        ours, base_track = recipe.tracks[name], theirs.tracks[name]
        assert (ours.prompt, ours.samples_per_shard, ours.images_max) == (
            *(base_track.prompt, base_track.samples_per_shard, base_track.images_max),
        )
        assert ours.release_file == f"qwen2_5_vl_7b_instruct_captions_{name}.jsonl"
        assert ours.target is None


def test_an_internvl_keeps_the_prompt_format_of_its_family(tmp_path):
    model = written(tmp_path, "OpenGVLab/InternVL3_5-14B", "internvl3_5-8b").model
    assert model.template == "internvl2_5"
    assert model.system_prompt == load_recipe("internvl3_5-8b").model.system_prompt


def test_other_images_and_shards_are_named(tmp_path):
    recipe = written(tmp_path, MODEL, "internvl", images='the "old" garden\\ü', shards="0-1")
    assert (recipe.archives, recipe.stand_in) == ("webdataset", 'the "old" garden\\ü')
    assert recipe.shards == ("sa_000000", "sa_000001")
    assert recipe.expected_images("sa_000000") is None


def test_every_choice_of_model_and_sampling_is_explained():
    lines = new_recipe(MODEL, "internvl").splitlines()
    assert max(len(line) for line in lines if line.startswith("#")) <= 100
    for key in ("name", "shards", "block_size", "seed", "id", "revision", "system_prompt"):
        place = next(n for n, line in enumerate(lines) if line.startswith(f"{key} = "))
        assert lines[place - 1].startswith("# "), key
    explained = {"max_new_tokens", "do_sample", "top_k", "repetition_penalty", "max_tiles"}
    for key in explained:
        place = next(n for n, line in enumerate(lines) if line.startswith(f"{key} = "))
        assert lines[place - 1].startswith("# "), key


@pytest.mark.parametrize("model", ["", "///", "a\nb"])
def test_a_name_that_is_none_is_refused(model):
    with pytest.raises(PermanentError, match="is no name of a model"):
        new_recipe(model, "internvl")


def test_the_command_writes_a_file_once(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.chdir(tmp_path)
    command = ["recipe", "new", "--model", MODEL, "--from", "internvl"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, caplog.text
    said = json.loads(result.stdout.splitlines()[-1])
    assert said["fingerprint"] == load_recipe("recipe.toml").fingerprint
    before = (tmp_path / "recipe.toml").read_bytes()
    assert CliRunner().invoke(app, command).exit_code == 65
    assert "recipe.toml exists; name another file with --out" in caplog.text
    assert (tmp_path / "recipe.toml").read_bytes() == before
    assert CliRunner().invoke(app, [*command, "--from", "nothing"]).exit_code == 65
