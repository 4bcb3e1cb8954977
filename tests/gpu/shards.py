"""The shards that the smoke test captions: pictures whose colour the checkpoint must name."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from sa1b_captions.campaign import Campaign, open_campaign
from sa1b_captions.recipe import parse_recipe
from sa1b_captions.storage import FileStore
from tests.gpu import seeing_internvl2 as seeing
from tests.gpu.recipes import small_source
from tests.support import builders

CAMPAIGN = "gpu-smoke"
MODEL_ID = "sa1b-captions/InternVL2-Seeing"
KILLED, MEASURED = "sa_000000", "sa_000001"
"""The shard whose worker is killed, and the one that is timed."""
SIZES = ((2250, 1500), (2250, 1500), (2250, 1500), (2000, 1500), (1500, 1500), (2667, 1500))
"""As SA-1B's images come: mostly 3:2."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is captioned."""

    images: int
    """Per shard."""
    shrink: int = 1
    """Divides each side of the pictures, where a CPU must do."""
    block_size: int = 16


def make_image(number: int, shrink: int) -> bytes:
    """A JPEG of soft random patches, reddish for even numbers, bluish for odd ones."""
    width, height = (side // shrink for side in SIZES[number // 2 % len(SIZES)])
    patches = np.random.default_rng(number).integers(0, 110, (8, 12, 3), dtype=np.uint8)
    patches[..., 0 if number % 2 == 0 else 2] += 120
    image = Image.fromarray(patches, "RGB").resize((width, height), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def expected_caption(number: int) -> str:
    """What the checkpoint says of that picture."""
    return seeing.RED_CAPTION if number % 2 == 0 else seeing.BLUE_CAPTION


def make_store(folder: Path, plan: Plan) -> Campaign:
    """Both shards as ingest leaves them, and the campaign with its recipe."""
    store = FileStore(folder)
    for place, shard in enumerate((KILLED, MEASURED)):
        numbers = range(place * plan.images, (place + 1) * plan.images)
        builders.put_shard(store, shard, {n: make_image(n, plan.shrink) for n in numbers})
    source = small_source(CAMPAIGN, "GPU smoke test", MODEL_ID, "0-1")
    source |= {"block_size": plan.block_size}
    source["tracks"]["single_zh"]["samples_per_shard"] = plan.images // 4
    source["tracks"]["multi_en"]["samples_per_shard"] = plan.images // 16
    source["tracks"]["multi_zh"]["samples_per_shard"] = plan.images // 16
    return open_campaign(store, CAMPAIGN, parse_recipe(source, where="gpu-smoke"))
