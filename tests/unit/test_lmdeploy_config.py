import dataclasses

import pytest

from sa1b_captions.caption.engines.lmdeploy.config import find_snapshot, refuse_unknown
from sa1b_captions.caption.engines.lmdeploy.engine import open_engine
from sa1b_captions.errors import PermanentError, SettingsError
from sa1b_captions.recipe import load_recipe
from sa1b_captions.settings import load_settings

RECIPE = load_recipe("internvl")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CACHED = f"models--OpenGVLab--InternVL2-Llama3-76B/snapshots/{COMMIT}"


def model(revision="main"):
    return dataclasses.replace(RECIPE.model, revision=revision)


def folder(root, path):
    (root / path).mkdir(parents=True)
    (root / path / "config.json").write_text("{}")
    return str(root / path)


def test_a_snapshot_of_the_hub_cache_tells_its_revision(tmp_path):
    assert find_snapshot(model(), folder(tmp_path, CACHED)).revision == COMMIT
    assert find_snapshot(model(COMMIT), folder(tmp_path / "b", CACHED)).revision == COMMIT


def test_a_plain_folder_is_known_by_its_name_and_has_no_revision(tmp_path):
    path = folder(tmp_path, "InternVL2-Llama3-76B")
    assert find_snapshot(model(), path).revision == "unknown"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("InternVL2-8B", "is called InternVL2-8B, the recipe needs OpenGVLab/InternVL2-Llama3-76B"),
        (f"models--OpenGVLab--InternVL2-8B/snapshots/{COMMIT}", "models--OpenGVLab--InternVL2-8B"),
    ],
)
def test_another_model_is_refused(tmp_path, path, message):
    with pytest.raises(PermanentError, match=message):
        find_snapshot(model(), folder(tmp_path, path))


@pytest.mark.parametrize("path", [CACHED, "InternVL2-Llama3-76B"])
def test_a_pinned_revision_must_be_shown(tmp_path, path):
    with pytest.raises(PermanentError, match="the recipe pins ffff"):
        find_snapshot(model("f" * 40), folder(tmp_path, path))


def test_a_folder_without_a_model_and_no_folder_name_the_setting(tmp_path):
    with pytest.raises(PermanentError, match="holds no config.json"):
        find_snapshot(model(), str(tmp_path))
    with pytest.raises(SettingsError, match="CAPTIONS_MODEL_PATH is not set"):
        find_snapshot(model(), None)


def test_a_misspelt_field_is_refused():
    @dataclasses.dataclass
    class Config:
        quant_policy: int = 0

    refuse_unknown(Config, {"quant_policy": 8})
    with pytest.raises(SettingsError, match="no field quant_polcy"):
        refuse_unknown(Config, {"quant_polcy": 8})


def test_an_environment_without_lmdeploy_says_where_the_engine_runs(tmp_path):
    settings = load_settings(
        {
            "CAPTIONS_ROOT": "file:///x",
            "CAPTIONS_MODEL_PATH": folder(tmp_path, "InternVL2-Llama3-76B"),
        }
    )
    with pytest.raises(PermanentError, match="GPU worker image"):
        open_engine(RECIPE, settings)
