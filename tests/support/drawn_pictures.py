"""Pictures drawn with known truth, and what the preview engine claims of them.

What is asserted of a claim sees what was drawn, with numpy and HSV; no measure of the engine is
used for it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import settings
from hypothesis import strategies as st
from PIL import Image

from sa1b_captions.caption.engines.preview.claims import claims_of
from sa1b_captions.caption.engines.preview.pixels import measure

Pixels = npt.NDArray[np.uint8]
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


def told(pixels: npt.ArrayLike | Image.Image) -> dict[str, Mapping[str, Any]]:
    """Values of each fact claimed of a picture; (H, W) or (H, W, 3) of 0 to 255."""
    claims = claims_of(measure(as_image(pixels)))
    facts = {claim.fact: claim.values for claim in claims}
    assert len(facts) == len(claims), "one fact, one claim"
    assert all(len(rivals & set(facts)) <= 1 for rivals in RIVALS), facts
    return facts


def portions(facts: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, float, str]]:
    """Colour, share and region of each colour told."""
    (palette,) = [facts[fact] for fact in PALETTES if fact in facts]
    return [
        (portion.values["colour"], portion.values["share"], part.values["region"])
        for part in palette["parts"]
        for portion in part.values["colours"]
    ]


def as_image(pixels: npt.ArrayLike | Image.Image) -> Image.Image:
    array = np.clip(np.asarray(pixels), 0, 255).astype(np.uint8)
    return Image.fromarray(array if array.ndim == 3 else np.repeat(array[..., None], 3, axis=2))


def enlarged(
    pixels: npt.ArrayLike,
    size: tuple[int, int],
    resample: Image.Resampling = Image.Resampling.NEAREST,
) -> Pixels:
    return np.asarray(as_image(pixels).resize(size, resample))


def noise(seed: int, shape: tuple[int, ...], spread: float) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, spread, shape)


def ramp(degrees: float, shape: tuple[int, int] = (96, 120)) -> npt.NDArray[np.float64]:
    """0 to 1 along a direction, y downwards."""
    rows, columns = np.indices(shape)
    along = columns / shape[1] * np.cos(np.radians(degrees)) + rows / shape[0] * np.sin(
        np.radians(degrees)
    )
    return np.asarray((along - along.min()) / np.ptp(along))
