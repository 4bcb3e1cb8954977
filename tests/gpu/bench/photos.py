"""Shards of synthetic photographs, each of a colour that the checkpoint names."""

import io
import os
import random
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign, open_campaign
from sa1b_captions.recipe import parse_recipe
from sa1b_captions.shards import shard_name
from sa1b_captions.storage import FileStore
from tests.gpu.bench.shapes import COLOURS, Shape
from tests.gpu.recipes import small_source
from tests.support import builders

CAMPAIGN = "gpu-bench"
_SIZES = (*[(2250, 1500)] * 6, (1500, 2250), (2000, 1500), (1500, 1500), (2667, 1500))
"""As SA-1B's images come: mostly 3:2."""
_PER_SHARD = 1000
"""Image ids of a shard begin at its number times this."""
_CHANNELS = ((0,), (1,), (2,), (1, 2), (0, 2), (0, 1))
"""Which are bright, in the order of the colours."""


def colour_of(number: int) -> str:
    """The colour of an image by its image id."""
    return random.Random(number * 7919).choice(COLOURS)


def make_image(number: int, shrink: int = 1) -> bytes:
    """A JPEG of soft patches and fine grain, which weighs about as much as SA-1B's do.

    Args:
        number: image id.
        shrink: divides each side, where a CPU must do.
    """
    rng = np.random.default_rng(number)
    width, height = (side // shrink for side in _SIZES[number % len(_SIZES)])
    patches = rng.integers(10, 115, (8, 12, 3), dtype=np.uint8)
    patches[..., list(_CHANNELS[COLOURS.index(colour_of(number))])] += 115
    image = Image.fromarray(patches).resize((width, height), Image.Resampling.BILINEAR)
    grain = rng.integers(-7, 8, (512, 512, 1), dtype=np.int8).view(np.uint8)  # wraps: never under 0
    grain = np.tile(grain, (height // 512 + 1, width // 512 + 1, 1))[:height, :width]
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(image) + grain).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def make_store(folder: Path, model_id: str, shape: Shape, shrink: int = 1) -> Campaign:
    """A shard for each pass, as ingest leaves them, and the campaign.

    Shards that are there already are kept.
    """
    store = FileStore(folder)
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=get_context("spawn")) as pool:
        for place, each in enumerate(shape.passes):
            shard, images = shard_name(place), each.images
            if store.exists(layout.ingest_receipt_key(shard)):
                continue
            numbers = range(place * _PER_SHARD, place * _PER_SHARD + images)
            jpegs = pool.map(make_image, numbers, [shrink] * images, chunksize=4)
            builders.put_shard(store, shard, dict(zip(numbers, jpegs, strict=True)))
    selection = f"0-{len(shape.passes) - 1}"
    source = small_source(CAMPAIGN, "Throughput by shape", model_id, selection)
    recipe = parse_recipe(source | {"block_size": 16}, where=CAMPAIGN)
    return open_campaign(store, CAMPAIGN, recipe)
