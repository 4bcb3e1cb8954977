import logging
import time

import pytest
import torch
from lmdeploy import turbomind
from lmdeploy.serve.core.async_engine import AsyncEngine
from PIL import ImageFile

from sa1b_captions.caption.engines.lmdeploy.engine import LmdeployEngine, open_engine
from sa1b_captions.errors import PermanentError, RetryableError, SettingsError
from tests.gpu import tiny_internvl2
from tests.gpu.fake_turbomind import Answer, FakeTurboMind, installed


def test_start_says_what_runs(recipe, make_settings, caplog):
    caplog.set_level(logging.INFO, logger="sa1b_captions")
    with installed() as built:
        engine = open_engine(recipe, make_settings())
        engine.close()
    line = next(r.getMessage() for r in caplog.records if "engine lmdeploy" in r.getMessage())
    assert "model tests/InternVL2-Tiny, revision unknown, 1 x none" in line
    assert "tiles 3:2=7 4:3=13 1:1=10 16:9=9 (several images: 3:2=7" in line
    assert "window 4" in line
    assert built[0].closed


def test_start_leaves_the_process_as_decoding_needs_it(recipe, make_settings, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as importing lmdeploy does
    with installed():
        open_engine(recipe, make_settings()).close()
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
    assert torch.get_num_threads() == 1


def test_the_engine_gets_the_deployments_settings(recipe, make_settings):
    options = '{"dtype": "float16", "quant_policy": 8, "cache_max_entry_count": 0.5}'
    with installed() as built:
        settings = make_settings(CAPTIONS_WINDOW="7", CAPTIONS_LMDEPLOY_OPTIONS=options)
        open_engine(recipe, settings).close()
    config = built[0].engine_config
    assert (config.tp, config.max_batch_size, config.session_len) == (1, 7, 8192)
    assert (config.quant_policy, config.cache_max_entry_count) == (8, 0.5)
    assert (config.enable_prefix_caching, config.max_prefill_token_num) == (True, 16384)


def test_a_model_that_talks_nonsense_is_refused_and_released(recipe, make_settings):
    with (
        installed(lambda call: Answer("!!!!!!!!")) as built,
        pytest.raises(RetryableError, match=r"red disc it says '!!!!!!!!'"),
    ):
        open_engine(recipe, make_settings())
    assert built[0].closed


def test_a_model_that_cannot_answer_is_refused(recipe, make_settings):
    """The error's text, which has "occurred" in it, is no answer."""
    with (
        installed(lambda call: Answer(error=RuntimeError("kernel"))),
        pytest.raises(RetryableError, match="fails the start-up check"),
    ):
        open_engine(recipe, make_settings())


def test_the_silent_fallback_to_the_pytorch_engine_is_refused(recipe, make_settings, monkeypatch):
    """Where TurboMind cannot be loaded lmdeploy says so in a warning, and goes on."""
    built = []

    def build(self, model_path, backend_config=None, **rest):
        built.append(FakeTurboMind(backend_config))
        return built[0]

    monkeypatch.setattr(turbomind, "is_available", lambda: False)
    monkeypatch.setattr(AsyncEngine, "_build_pytorch", build)
    with pytest.raises(PermanentError, match="chose its pytorch engine"):
        open_engine(recipe, make_settings())
    assert built[0].closed


def test_an_engine_that_does_not_load_is_retryable(recipe, make_settings, monkeypatch):
    def build(self, *args, **options):
        raise RuntimeError("CUDA out of memory")

    with installed():
        monkeypatch.setattr(AsyncEngine, "_build_turbomind", build)
        with pytest.raises(RetryableError, match="CUDA out of memory"):
            open_engine(recipe, make_settings())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ('{"quant_polcy": 8}', "no field quant_polcy"),
        ('{"tp": 2}', "CAPTIONS_TENSOR_PARALLEL sets tp"),
        ('{"max_batch_size": 2}', "CAPTIONS_WINDOW sets max_batch_size"),
        ('{"cache_max_entry_count": "much"}', "cache_max_entry_count"),
        ('{"dtype": "float8"}', "CAPTIONS_LMDEPLOY_OPTIONS"),
    ],
)
def test_a_setting_that_lmdeploy_would_ignore_is_refused(recipe, make_settings, options, message):
    with pytest.raises(SettingsError, match=message):
        open_engine(recipe, make_settings(CAPTIONS_LMDEPLOY_OPTIONS=options))


def test_a_machine_without_gpus_is_named(recipe, make_settings):
    with pytest.raises(PermanentError, match="sees no GPU"):
        open_engine(recipe, make_settings(CAPTIONS_TENSOR_PARALLEL=""))


def test_configuration_code_that_fails_is_refused_before_the_model_loads(
    recipe, make_settings, tmp_path
):
    """Some versions of transformers break InternVL2's own code, and lmdeploy hides it."""
    path = tiny_internvl2.build(tmp_path / "InternVL2-Tiny", broken_configuration=True)
    with installed() as built:
        with pytest.raises(PermanentError, match="not LlamaConfig"):
            open_engine(recipe, make_settings(CAPTIONS_MODEL_PATH=str(path)))
        assert built == []


def test_a_pipeline_that_does_not_close_ends_the_process(recipe, make_settings, monkeypatch):
    monkeypatch.setattr("sa1b_captions.caption.engines.lmdeploy.engine._CLOSE_S", 0.2)
    with installed():
        ours = open_engine(recipe, make_settings())
        gave_up = []
        engine = LmdeployEngine(
            ours._pipe, "tiny", "unknown", window=4, timeout_s=5, give_up=gave_up.append
        )
        closing = FakeTurboMind.close
        monkeypatch.setattr(FakeTurboMind, "close", lambda self: time.sleep(1))
        engine.close()
        assert "did not close" in gave_up[0]
        monkeypatch.setattr(FakeTurboMind, "close", closing)
        ours.close()
