"""The openai engine over servers of openai_server.py, and requests for it."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from sa1b_captions.caption.decoding.images import decode_jpeg
from sa1b_captions.caption.engines.base import Request
from sa1b_captions.caption.engines.openai.engine import OpenAIEngine
from sa1b_captions.recipe import Generation
from tests.support import builders
from tests.support.openai_server import OpenAIServer

RECIPE = builders.demo_recipe(
    model={"id": "preview", "revision": "r1", "system_prompt": "You are InternVL."}
)


def request(
    track: str = "single_en",
    images: int = 1,
    attempt: int = 1,
    generation: Generation = RECIPE.generation,
) -> Request:
    """One sample's request, with the stored bytes and the pixels of its images."""
    jpegs = tuple(builders.make_jpeg(n, (96 + n, 64)) for n in range(images))
    decoded = tuple(decode_jpeg(jpeg) for jpeg in jpegs)
    return Request("sample", decoded, RECIPE.tracks[track], generation, attempt, jpegs)


@contextlib.contextmanager
def engine_for(*servers: OpenAIServer, wait: bool = True, **options: Any) -> Iterator[OpenAIEngine]:
    """Engine for servers that answer, with the patience of a test."""
    options = {"patience_s": 5.0, "timeout_s": 10.0, "first_pause_s": 0.005} | options
    engine = OpenAIEngine(RECIPE.model, tuple(server.url for server in servers), **options)
    try:
        if wait:
            engine.wait_until_ready()
        yield engine
    finally:
        engine.close()


def odd_completion(message: Any, finish_reason: Any = "stop", **fields: Any) -> bytes:
    """A completion with whatever a server may write there."""
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return json.dumps({"choices": [choice], **fields}).encode()
