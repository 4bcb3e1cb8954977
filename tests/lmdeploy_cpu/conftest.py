"""Fixtures around the real lmdeploy; `make test-lmdeploy` makes the environment that has it."""

import importlib.util

import pytest

from sa1b_captions.caption.engines.lmdeploy.engine import open_engine
from sa1b_captions.recipe import load_recipe, parse_recipe
from sa1b_captions.settings import load_settings

if importlib.util.find_spec("lmdeploy") is None:
    collect_ignore_glob = ["test_*.py"]
else:
    from tests.gpu import fake_turbomind, tiny_internvl2

MODEL = "tests/InternVL2-Tiny"


@pytest.fixture(scope="session")
def recipe():
    """The InternVL recipe with the tiny model."""
    source = load_recipe("internvl").source
    source["model"]["id"] = MODEL
    return parse_recipe(source, where="tests")


@pytest.fixture(scope="session")
def model_path(tmp_path_factory):
    return tiny_internvl2.build(tmp_path_factory.mktemp("models") / "InternVL2-Tiny")


@pytest.fixture(scope="session")
def make_settings(model_path):
    """Makes settings of a machine that pretends to have one GPU."""

    def make(**variables):
        return load_settings(
            {
                "CAPTIONS_ROOT": "file:///x",
                "CAPTIONS_MODEL_PATH": str(model_path),
                "CAPTIONS_TENSOR_PARALLEL": "1",
                "CAPTIONS_WINDOW": "4",
                # For bfloat16 lmdeploy asks the GPU.
                "CAPTIONS_LMDEPLOY_OPTIONS": '{"dtype": "float16"}',
            }
            | variables
        )

    return make


@pytest.fixture(scope="module")
def started(recipe, make_settings):
    """Our engine, opened as in production, and the fake below lmdeploy's pipeline."""
    with fake_turbomind.installed() as built:
        engine = open_engine(recipe, make_settings())
        yield engine, built[-1]
        engine.close()


@pytest.fixture
def engine(started):
    """Our engine, above a fake that is as new."""
    ours, turbomind = started
    turbomind.script = fake_turbomind.red
    turbomind.calls.clear()
    turbomind.cancelled.clear()
    turbomind.peak_in_flight = 0
    return ours


@pytest.fixture
def turbomind(started):
    """The fake compute engine below `engine`."""
    return started[1]
