"""The openai engine against lmdeploy's own server, with only the compute engine faked."""

import socket
import threading

import pytest
from lmdeploy import ChatTemplateConfig, TurbomindEngineConfig
from lmdeploy.messages import ResponseType
from lmdeploy.serve.openai.api_server import serve

from sa1b_captions.caption.decoding.images import decode_jpeg
from sa1b_captions.caption.engines.base import Request
from sa1b_captions.caption.engines.openai.engine import open_engine
from sa1b_captions.errors import PermanentError
from sa1b_captions.records import CaptionStatus
from tests.gpu import fake_turbomind
from tests.gpu.fake_turbomind import Answer
from tests.support import builders

CHAT_TEMPLATE = "deploy/internvl2-chat-template.json"


@pytest.fixture(scope="module")
def server(recipe, model_path, pytestconfig):
    """URL of a running server, and its fake engine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    template = ChatTemplateConfig.from_json(str(pytestconfig.rootpath / CHAT_TEMPLATE))
    with fake_turbomind.installed() as built:
        thread = threading.Thread(
            target=serve,
            args=(str(model_path),),
            kwargs={
                "model_name": recipe.model.id,
                "backend_config": TurbomindEngineConfig(
                    dtype="float16", session_len=8192, max_batch_size=4
                ),
                "chat_template_config": template,
                "server_name": "127.0.0.1",
                "server_port": port,
                "trust_remote_code": True,
            },
            daemon=True,  # lmdeploy's server ends with its process
        )
        thread.start()
        yield f"http://127.0.0.1:{port}/v1", built


@pytest.fixture(scope="module")
def client(server, recipe, make_settings):
    engine = open_engine(
        recipe, make_settings(CAPTIONS_OPENAI_URLS=server[0], CAPTIONS_OPENAI_PATIENCE_S="60")
    )
    yield engine
    engine.close()


@pytest.fixture
def remote(client, server):
    """The server's fake engine, as new."""
    remote = server[1][0]
    remote.calls.clear()
    remote.script = fake_turbomind.red
    return remote


def request(recipe, track, sizes, attempt=1):
    jpegs = tuple(builders.make_jpeg(n, size) for n, size in enumerate(sizes))
    images = tuple(decode_jpeg(jpeg) for jpeg in jpegs)
    return Request("sample", images, recipe.tracks[track], recipe.generation, attempt, jpegs)


@pytest.mark.parametrize(
    ("track", "sizes"),
    [
        ("single_en", [(2250, 1500)]),
        ("single_zh", [(1500, 2000)]),
        ("multi_en", [(2250, 1500), (448, 448)]),
        ("multi_zh", [(600, 400), (1500, 1500), (800, 300)]),
    ],
)
def test_both_engines_give_the_model_the_same_tokens(
    client, remote, engine, turbomind, recipe, track, sizes
):
    asked = request(recipe, track, sizes)
    assert client.caption(asked).caption == engine.caption(asked).caption == "A red disc."
    (there,), (here,) = remote.calls, turbomind.calls
    assert there.input_ids == here.input_ids
    assert (there.tiles, there.offsets) == (here.tiles, here.offsets)


def test_the_server_decodes_as_the_embedded_engine_does(client, remote, engine, turbomind, recipe):
    for attempt in (1, 2):
        asked = request(recipe, "single_en", [(96, 64)], attempt)
        client.caption(asked)
        engine.caption(asked)
    for there, here in zip(remote.calls, turbomind.calls, strict=True):
        for name in ("top_k", "top_p", "temperature", "repetition_penalty", "max_new_tokens"):
            assert getattr(there.settings, name) == getattr(here.settings, name), name


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (Answer("A dog", stops=False), CaptionStatus.TRUNCATED, None),
        (Answer("", stops=True), CaptionStatus.EMPTY, None),
        (Answer(status=ResponseType.CANCEL), CaptionStatus.ERROR, "abort"),
        (Answer(status=ResponseType.OUT_OF_MEMORY), CaptionStatus.ERROR, "replicas_failed"),
    ],
    ids=["length", "empty", "cancel", "out-of-memory"],
)
def test_the_servers_answers_become_the_samples_status(
    client, remote, recipe, answer, status, code
):
    remote.script = lambda call: answer
    reply = client.caption(request(recipe, "single_en", [(96, 64)]))
    assert (reply.status, reply.error_code) == (status, code)


def test_images_beyond_the_context_are_the_samples_error(client, remote, recipe):
    large = request(recipe, "multi_en", [(2000, 1500)] * 5)
    reply = client.caption(large)
    assert reply.error_code == "context_length_exceeded"
    assert "8192" in reply.error


def test_a_server_of_another_model_is_refused(server, make_settings):
    settings = make_settings(CAPTIONS_OPENAI_URLS=server[0], CAPTIONS_OPENAI_PATIENCE_S="60")
    other = builders.demo_recipe()
    with pytest.raises(PermanentError, match="serves tests/InternVL2-Tiny, the recipe needs"):
        open_engine(other, settings)
