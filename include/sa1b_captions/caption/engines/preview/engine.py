"""The preview engine: captions that say only what pixels prove. No weights, no GPU."""

import re

from sa1b_captions.caption.engines.base import Reply, Request
from sa1b_captions.caption.engines.preview.chinese import CHINESE
from sa1b_captions.caption.engines.preview.claims import claims_of
from sa1b_captions.caption.engines.preview.english import ENGLISH
from sa1b_captions.caption.engines.preview.group import GROUP_MOST, claims_of_group
from sa1b_captions.caption.engines.preview.pixels import measure
from sa1b_captions.plurals import counted
from sa1b_captions.recipe import Recipe
from sa1b_captions.records import CaptionStatus
from sa1b_captions.settings import Settings

_WORDS = {"en": re.compile(r"[\w.%-]*\w%?"), "zh": re.compile(r"[\u4e00-\u9fff]|[\d.]*\d%?")}
"""What `completion_tokens` counts: words, or Chinese characters and numbers."""
LANGUAGES = {"en": ENGLISH, "zh": CHINESE}


def open_engine(recipe: Recipe, settings: Settings) -> "PreviewEngine":
    """Make the engine; nothing of the recipe or the deployment changes what it says."""
    from PIL import Image

    del recipe, settings
    # The colour tables are made once, and take as long as ten captions: not in the measured time.
    measure(Image.new("RGB", (256, 256)))
    return PreviewEngine()


class PreviewEngine:
    """Describes light, colour, detail and shape of images, and names no object.

    Deterministic: equal pixels in the same order give the same caption. It holds no state, so any
    number of threads may call it.
    """

    name = "preview"
    model = "preview"
    model_revision = "1"
    window = 8
    needs_pixels = True

    def caption(self, request: Request) -> Reply:
        """Caption one sample in the language of its track."""
        count = len(request.images)
        if not 1 <= count <= GROUP_MOST:
            return Reply(
                CaptionStatus.ERROR,
                error_code="image_count",
                error=f"{request.sample_id} has {counted(count, 'image')}; "
                f"preview takes 1 to {GROUP_MOST}",
            )
        images = [measure(image) for image in request.images]
        claims = claims_of(images[0]) if count == 1 else claims_of_group(images)
        text = LANGUAGES[request.track.language].describe(claims)
        words = len(_WORDS[request.track.language].findall(text))
        return Reply(CaptionStatus.OK, text, finish_reason="stop", completion_tokens=words)

    def close(self) -> None:
        """Nothing to release."""
