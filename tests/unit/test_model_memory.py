"""What docs/models.md says of memory, computed again."""

import pytest

from sa1b_captions.costs.sourced import find_gpu
from sa1b_captions.recipe import load_recipe
from sa1b_captions.recipe.recipe_files import packaged_recipes
from sa1b_captions.settings.profiles import load_profile
from scripts import model_memory as memory


@pytest.mark.parametrize(
    ("recipe", "language_billions"),
    [
        ("internvl", 70.6),
        ("internvl2-8b", 7.74),
        ("internvl2-2b", 1.89),
        ("internvl3-8b", 7.61),
        ("internvl3_5-8b", 8.19),
        ("internvl3_5-38b", 32.8),
    ],
)
def test_the_sizes_come_to_the_published_parameter_counts(recipe, language_billions):
    model = memory.ARCHITECTURES[recipe]
    parameters = model.layer_parameters + 2 * model.vocabulary * model.hidden
    assert parameters / 1e9 == pytest.approx(language_billions, rel=0.005)


def test_four_bits_and_their_scales_make_the_76b_model_a_quarter():
    full, awq = (memory.ARCHITECTURES[name] for name in ("internvl", "internvl2-76b-awq"))
    assert (full.language_gb, awq.language_gb) == pytest.approx((141.1, 39.8), abs=0.1)
    assert full.kv_bytes == awq.kv_bytes == 327_680


@pytest.mark.parametrize(("recipe", "profile", "window"), memory.FITS)
def test_what_goes_together_fits(recipe, profile, window):
    pod, model = load_profile(profile), load_recipe(recipe).model
    tokens = memory.kv_tokens(recipe, profile)
    assert tokens > 2 * model.context_tokens
    # A window past the room only waits; far past it, requests time out.
    assert window / 2 < tokens / memory.TOKENS_PER_IMAGE
    assert window <= tokens / memory.TOKENS_PER_IMAGE * 1.25
    # 26 MB for each request in flight, and the weights on their way through the page cache.
    architecture = memory.ARCHITECTURES[recipe]
    assert pod.memory_gib > 8 + window * 0.026 + min(architecture.language_gb, 16)
    assert architecture.heads % pod.gpus == architecture.kv_heads % pod.gpus == 0


@pytest.mark.parametrize("profile", ["l4x1", "a10g-1gpu", "rtx4090-1gpu"])
def test_every_profile_of_one_24_gb_gpu_has_recipes(profile):
    assert load_profile(profile).gpus == 1
    assert len({recipe for recipe, place, _ in memory.FITS if place == profile}) > 2


def test_every_packaged_recipe_has_a_gpu():
    assert {recipe for recipe, _, _ in memory.FITS} == set(packaged_recipes())
    assert set(memory.ARCHITECTURES) == set(packaged_recipes())


@pytest.mark.parametrize("recipe", ["internvl2-8b", "internvl3_5-8b"])
def test_the_76b_model_does_not_fit_where_the_8b_ones_do(recipe):
    memory_gb = find_gpu("NVIDIA-L4").memory_gb
    assert memory.ARCHITECTURES[recipe].language_gb < memory_gb
    assert memory.ARCHITECTURES["internvl2-76b-awq"].language_gb > memory_gb
