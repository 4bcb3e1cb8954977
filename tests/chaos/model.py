"""A model's server whose captions are the preview engine's: the same images, the same words."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from sa1b_captions.caption.engines.preview.claims import claims_of
from sa1b_captions.caption.engines.preview.engine import LANGUAGES
from sa1b_captions.caption.engines.preview.group import claims_of_group
from sa1b_captions.caption.engines.preview.pixels import measure
from sa1b_captions.recipe import load_recipe
from tests.support.openai_server import Answer, OpenAIServer, content, image_bytes, serve

CAPTION_S = 0.25
"""What each caption takes, so that there is a middle."""


@contextmanager
def serve_preview(recipe_file: Path) -> Iterator[OpenAIServer]:
    """A replica."""
    recipe = load_recipe(str(recipe_file))
    languages = {track.prompt: track.language for track in recipe.tracks.values()}

    @cache
    def say(prompt: str, images: tuple[bytes, ...]) -> str:
        seen = [measure(Image.open(io.BytesIO(data)).convert("RGB")) for data in images]
        claims = claims_of(seen[0]) if len(seen) == 1 else claims_of_group(seen)
        return LANGUAGES[languages[prompt]].describe(claims)

    def answer(body: dict[str, Any]) -> Answer:
        time.sleep(CAPTION_S)
        text = " ".join(part["text"] for part in content(body) if part["type"] == "text")
        (prompt,) = (prompt for prompt in languages if prompt in text)
        return Answer(say(prompt, tuple(image_bytes(body))))

    with serve(answer=answer, models=[recipe.model.id]) as running:
        yield running
