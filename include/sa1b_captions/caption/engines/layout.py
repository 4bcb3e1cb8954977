"""Where images and text stand in a prompt: the layout InternVL2 was trained on.

One image:       <image>, line break, prompt.
Several images:  Image-1: <image>, line break, Image-2: <image>, line break, prompt.

lmdeploy writes the line break after every image, so the parts below hold none. Images come first:
the model was trained so, and the second prompt on an image finds it in the prefix cache.
"""

from collections.abc import Sequence
from typing import Any


def image_first(images: Sequence[dict[str, Any]], prompt: str) -> list[dict[str, Any]]:
    """Content parts of a user message.

    Args:
        images: content parts, one per image, in the order the prompt counts them.
        prompt: the track's prompt.
    """
    text = {"type": "text", "text": prompt}
    if len(images) == 1:
        return [images[0], text]
    numbered = [
        part
        for number, image in enumerate(images, start=1)
        for part in ({"type": "text", "text": f"Image-{number}: "}, image)
    ]
    return [*numbered, text]
