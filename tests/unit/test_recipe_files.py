import pytest

from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe import load_recipe, parse_recipe
from sa1b_captions.recipe.recipe_files import packaged_recipes
from sa1b_captions.release.guards import check_recipe

INTERNVL = load_recipe("internvl")


def write(path, text):
    path.write_text(text)
    return load_recipe(str(path))


def test_a_file_with_a_base_says_only_what_differs(tmp_path):
    recipe = write(
        tmp_path / "r.toml",
        'base = "internvl"\nwithout = ["tracks.single_en.target"]\nname = "mine"\n'
        '[model]\nid = "other"\n',
    )
    assert (recipe.name, recipe.model.id) == ("mine", "other")
    assert recipe.model.system_prompt == INTERNVL.model.system_prompt
    assert recipe.tracks["single_en"].target is None
    assert recipe.tracks["single_zh"] == INTERNVL.tracks["single_zh"]
    assert parse_recipe(recipe.source, where="stored, without its base") == recipe


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('base = "nothing"', "base must be one of internvl.*, not 'nothing'"),
        ('base = "internvl"\nwithout = ["tracks.single_en.goal"]', "the base does not have"),
        ('base = "internvl"\nwithout = ["seed.x"]', "the base does not have"),
        ('base = "internvl"\nwithout = "seed"', "expected a list"),
        ('base = "internvl"\narchives = "zip"', "archives must be one of sa1b, webdataset"),
        ('base = "internvl"\narchives = "webdataset"', "stand_in must say what the images are"),
    ],
)
def test_a_file_that_does_not_fit_its_base_says_where(tmp_path, text, message):
    with pytest.raises(PermanentError, match=message):
        write(tmp_path / "r.toml", text)


SMALLER = [name for name in packaged_recipes() if name != "internvl"]


@pytest.mark.parametrize("name", SMALLER)
def test_a_packaged_recipe_of_another_model_shares_prompts_and_plan_but_no_name(name):
    recipe = load_recipe(name)
    check_recipe(recipe)
    assert recipe.model.id != INTERNVL.model.id
    assert recipe.fingerprint != INTERNVL.fingerprint
    assert recipe.name == f"{name}-sa1b"
    for track, theirs in recipe.tracks.items():
        ours = INTERNVL.tracks[track]
        assert theirs.prompt == ours.prompt
        assert theirs.samples_per_shard == ours.samples_per_shard
        assert not theirs.release_file.startswith("internvl_sa1b_caption")
        assert theirs.target is None
    assert recipe.quality == INTERNVL.quality


def test_no_two_packaged_recipes_share_a_name_or_a_file():
    recipes = [load_recipe(name) for name in packaged_recipes()]
    files = [track.release_file for recipe in recipes for track in recipe.tracks.values()]
    assert len(set(files)) == 4 * len(recipes)
    assert len({recipe.name for recipe in recipes}) == len(recipes)
