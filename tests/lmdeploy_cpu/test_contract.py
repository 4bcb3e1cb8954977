"""What our engine relies on in lmdeploy: an upgrade that changes it fails here, not on a GPU.

The second half is about traps that we work around; a test that fails there may mean that the
workaround can go.
"""

import ast
import dataclasses
import inspect
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lmdeploy
import numpy as np
import pytest
import torch
import yaml
from lmdeploy import (
    ChatTemplateConfig,
    GenerationConfig,
    Pipeline,
    TurbomindEngineConfig,
    pipeline,
)
from lmdeploy.cli.cli import CLI
from lmdeploy.cli.serve import SubCliServe
from lmdeploy.model import get_chat_template
from lmdeploy.serve.core.async_engine import AsyncEngine, GenOut
from lmdeploy.serve.core.exceptions import ErrorCode, RequestError
from lmdeploy.serve.processors import MultimodalProcessor
from lmdeploy.tokenizer import Tokenizer
from lmdeploy.vl.engine import ImageEncoder
from lmdeploy.vl.media.connection import _is_safe_url
from PIL import Image

from sa1b_captions.caption.engines.lmdeploy.config import chat_template
from sa1b_captions.recipe import Sampling
from tests.gpu import fake_turbomind

DEPLOY = Path(__file__).parents[2] / "deploy"
CHAT_TEMPLATE = DEPLOY / "internvl2-chat-template.json"


def parameters(function):
    return inspect.signature(function).parameters


def fields(config):
    return {field.name: field.default for field in dataclasses.fields(config)}


def turbomind_methods():
    """Methods of TurboMind's two classes, from the source: the module needs CUDA to import."""
    source = Path(lmdeploy.__file__).with_name("turbomind") / "turbomind.py"
    return {
        (outer.name, inner.name): [argument.arg for argument in inner.args.args]
        for outer in ast.walk(ast.parse(source.read_text()))
        if isinstance(outer, ast.ClassDef)
        for inner in outer.body
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_the_version_is_the_one_these_tests_were_written_for():
    assert lmdeploy.__version__ == "0.18.0"


def test_pipeline_takes_what_we_give():
    inspect.signature(pipeline).bind(
        "path",
        backend_config=None,
        chat_template_config=None,
        log_level="WARNING",
        trust_remote_code=True,
    )
    assert callable(Pipeline.session)
    assert callable(Pipeline.close)


def test_requests_take_two_steps():
    assert inspect.iscoroutinefunction(AsyncEngine.preprocess)
    assert {"messages", "session_id", "gen_config"} <= set(parameters(AsyncEngine.preprocess))
    assert inspect.isasyncgenfunction(AsyncEngine.generate)
    assert list(parameters(AsyncEngine.generate)) == ["self", "request", "stream_response"]


def test_results_have_the_fields_we_read():
    expected = {"response", "finish_reason", "input_token_len", "generate_token_len"}
    assert expected <= set(fields(GenOut))
    assert {"internal_error", "context_length_exceeded", "engine_unavailable"} <= {
        code.value for code in ErrorCode
    }
    error = RequestError(ErrorCode.ENGINE_UNAVAILABLE)
    assert (error.code, error.message) == (
        ErrorCode.ENGINE_UNAVAILABLE,
        "The inference engine is unavailable.",
    )


def test_health_can_be_asked():
    assert inspect.iscoroutinefunction(AsyncEngine.health_probe)
    assert "scheduler_stall_timeout" in parameters(AsyncEngine.health_probe)


def test_a_running_pipeline_has_the_parts_we_use(engine):
    assert engine._pipe.async_engine.backend == "turbomind"
    assert engine._pipe.internal_thread.loop.is_running()
    assert engine._pipe.backend_config.enable_prefix_caching is True


def test_preprocessing_runs_on_the_encoders_executor_and_keeps_no_state(engine):
    encoder = engine._pipe.async_engine.vl_encoder
    assert isinstance(encoder.executor, ThreadPoolExecutor)
    assert encoder.executor._thread_name_prefix == "preprocess"
    source = "".join(inspect.getsource(ImageEncoder.preprocess).split())
    assert "run_in_executor(self.executor,self.model.preprocess," in source
    rng = np.random.default_rng(0)
    images = [
        Image.fromarray(rng.integers(0, 256, (150 + 7 * n, 225, 3), dtype=np.uint8))
        for n in range(24)
    ]

    def tiles(image):
        part = {"type": "image", "data": image, "max_dynamic_patch": 12}
        said = encoder.model.preprocess([{"role": "user", "content": [part]}])
        return said[-1]["content"][0]["pixel_values"]

    alone = [tiles(image) for image in images]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(tiles, images))
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


def test_generation_settings_are_fields_and_the_rest_keep_their_defaults():
    assert {field.name for field in dataclasses.fields(Sampling)} <= set(fields(GenerationConfig))
    defaults = fields(GenerationConfig)
    assert (defaults["min_new_tokens"], defaults["ignore_eos"]) == (None, False)
    assert (defaults["n"], defaults["min_p"]) == (1, 0.0)


def test_the_fake_engine_has_turbominds_shape():
    real = turbomind_methods()
    ours = parameters(fake_turbomind._Instance.async_stream_infer)
    named = [name for name in ours if name != "rest"]
    assert set(named) <= set(real["TurboMindInstance", "async_stream_infer"])
    assert "session_id" in real["TurboMindInstance", "async_cancel"]
    for method in ("create_instance", "get_health_status", "get_schedule_metrics", "close"):
        assert ("TurboMind", method) in real


def test_the_template_for_servers_is_the_recipes(recipe):
    stored = ChatTemplateConfig.from_json(str(CHAT_TEMPLATE))
    assert stored == chat_template(recipe.model)


def test_the_server_takes_what_the_fleet_gives_it():
    """A misspelt flag would show when the pods start."""
    manifest = yaml.safe_load((DEPLOY / "kubernetes" / "fleet" / "servers.yaml").read_text())
    (server,) = manifest["spec"]["template"]["spec"]["containers"]
    SubCliServe.add_parser_api_server()
    taken, unknown = CLI.parser.parse_known_args(server["args"])
    assert server["command"] == ["lmdeploy"]
    assert unknown == []
    assert (taken.backend, taken.tp, taken.trust_remote_code) == ("turbomind", 4, True)
    assert (taken.session_len, taken.max_batch_size) == (8192, 96)
    assert (taken.max_prefill_token_num, taken.enable_prefix_caching) == (16384, True)
    assert taken.server_port == server["ports"][0]["containerPort"]


# Traps


def test_remote_code_is_off_unless_asked_for():
    assert parameters(pipeline)["trust_remote_code"].default is False


def test_unknown_engine_settings_are_dropped_without_a_word():
    assert not hasattr(TurbomindEngineConfig(no_such_field=1), "no_such_field")


def test_greedy_decoding_discards_the_penalty(engine):
    """So a greedy recipe with a penalty must go as do_sample with top_k=1."""
    asked = GenerationConfig(do_sample=False, repetition_penalty=1.1)
    assert engine._engine._determine_gen_config([], asked).repetition_penalty == 1.0


def test_the_order_of_text_and_image_is_kept():
    """So the engine, not lmdeploy, must put the image first."""
    image = Image.new("RGB", (8, 8))
    (message,) = MultimodalProcessor.format_prompts([("prompt", image)])[0]
    assert [part["type"] for part in message["content"]] == ["text", "image_data"]


def test_the_tokenizers_template_is_not_the_models(model_path, recipe):
    """It has no system prompt, and a line break after every turn."""
    messages = [{"role": "user", "content": "question"}]
    without = get_chat_template(str(model_path), None, trust_remote_code=True)
    assert "<|im_end|>\n" in without.messages2prompt(messages)
    ours = chat_template(recipe.model).chat_template().messages2prompt(messages)
    assert ours == (
        f"<|im_start|>system\n{recipe.model.system_prompt}<|im_end|><|im_start|>user\nquestion"
        "<|im_end|><|im_start|>assistant\n"
    )


def test_one_beginning_of_text_however_often_it_is_written(model_path):
    tokenizer = Tokenizer(str(model_path), trust_remote_code=True)
    assert tokenizer.encode("a", add_bos=True).count(tokenizer.bos_token_id) == 1
    assert tokenizer.encode("a", add_bos=False).count(tokenizer.bos_token_id) == 0


def test_importing_lmdeploy_makes_pillow_accept_truncated_files():
    source = Path(lmdeploy.__file__).parent / "vl" / "media" / "image.py"
    assert "LOAD_TRUNCATED_IMAGES = True" in source.read_text()


def test_image_urls_inside_a_cluster_are_refused():
    """So the openai engine sends the image itself, never an address of the store."""
    assert _is_safe_url("http://127.0.0.1/sa_1.jpg")[0] is False


def test_a_request_is_used_once(engine):
    async def twice():
        prepared = await engine._engine.preprocess(
            [{"role": "user", "content": "hello"}], session_id=engine._pipe.session()
        )
        async for _ in engine._engine.generate(prepared, stream_response=False):
            pass
        async for _ in engine._engine.generate(prepared, stream_response=False):
            pass

    with pytest.raises(RequestError):
        engine._wait(twice(), 20)
