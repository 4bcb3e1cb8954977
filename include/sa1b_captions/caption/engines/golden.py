"""An image whose answer is known: whoever says it sees and speaks."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

GOLDEN_PROMPT = "What colour is the large circle? Answer with one word."
GOLDEN_SIZE = (2250, 1500)
RED, BLUE = (220, 20, 20), (20, 40, 220)


def golden_image(colour: tuple[int, int, int] = RED) -> "Image":
    """A disc on white, 3:2 like most of SA-1B."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", GOLDEN_SIZE, "white")
    ImageDraw.Draw(image).ellipse((625, 250, 1625, 1250), fill=colour)
    return image


def says(caption: str, word: str) -> bool:
    """Whether a caption holds an English word, in whichever case."""
    return re.search(rf"\b{word}\b", caption, re.IGNORECASE) is not None
