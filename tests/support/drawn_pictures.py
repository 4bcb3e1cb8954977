"""Pictures drawn with known truth, and what the preview engine claims of them.

What is asserted of a claim sees what was drawn, with numpy and HSV; no measure of the engine is
used for it.
"""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from PIL import Image

from sa1b_captions.caption.engines.preview.claims import claims_of
from sa1b_captions.caption.engines.preview.pixels import measure

DRAWN = settings(max_examples=14, deadline=None, derandomize=True)
SEEDS = st.integers(0, 10_000)
PALETTES = ("palette", "one_colour", "among_others")
RIVALS = (
    set(PALETTES),
    {"even_light", "slope", "light_centre", "dark_centre", "extremes"},
    {"grey", "faint", "muted", "vivid", "partly_vivid"},
    {"busy", "smooth", "bare"},
    {"crisp", "soft"},
    {"warm", "cool"},
)
"""Facts of which an image can have one."""


def told(pixels):
    """Values of each fact claimed of a picture; (H, W) or (H, W, 3) of 0 to 255."""
    claims = claims_of(measure(as_image(pixels)))
    facts = {claim.fact: claim.values for claim in claims}
    assert len(facts) == len(claims), "one fact, one claim"
    assert all(len(rivals & set(facts)) <= 1 for rivals in RIVALS), facts
    return facts


def portions(facts):
    """Colour, share and region of each colour told."""
    (palette,) = [facts[fact] for fact in PALETTES if fact in facts]
    return [
        (portion.values["colour"], portion.values["share"], part.values["region"])
        for part in palette["parts"]
        for portion in part.values["colours"]
    ]


def as_image(pixels):
    array = np.clip(np.asarray(pixels), 0, 255).astype(np.uint8)
    return Image.fromarray(array if array.ndim == 3 else np.repeat(array[..., None], 3, axis=2))


def enlarged(pixels, size, resample=Image.Resampling.NEAREST):
    return np.asarray(as_image(pixels).resize(size, resample))


def noise(seed, shape, spread):
    return np.random.default_rng(seed).normal(0, spread, shape)


def ramp(degrees, shape=(96, 120)):
    """0 to 1 along a direction, y downwards."""
    rows, columns = np.indices(shape)
    along = columns / shape[1] * np.cos(np.radians(degrees)) + rows / shape[0] * np.sin(
        np.radians(degrees)
    )
    return (along - along.min()) / np.ptp(along)
