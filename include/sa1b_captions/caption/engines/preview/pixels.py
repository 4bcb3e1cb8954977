"""From pixels to a `Look`."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from sa1b_captions.caption.engines.preview.colours import (
    COLOURS,
    Colour,
    name_pixels,
    to_lab,
)
from sa1b_captions.caption.engines.preview.look import Detail, Light, Look, Slant, Swatch
from sa1b_captions.caption.engines.preview.places import GRID, NINTHS, cell_sums, locate
from sa1b_captions.caption.engines.preview.sharpness import edge_width, sharpest_edge_width

Array = npt.NDArray[np.float32]

_LONG_SIDE_PX = 256
"""Size at which an image is measured; colours and places do not need more."""
_LEAST_SIDE_PX = 24
_SWATCH_FROM = 0.04
_FEWEST_SWATCHES = 3
_FEW_FROM = 0.01
"""Share from which a colour still counts when fewer than three reach `_SWATCH_FROM`."""
_ACCENT_FROM = 0.004
_ACCENT_CHROMA = 25.0
_ACCENT_APART = 28.0
"""Distance in a* and b* from every swatch; nearer than that it is only a shade of one."""
_HUE_FROM = 12.0
"""Chroma from which a pixel counts as warm or cool rather than neutral."""
_DETAIL_GAIN = 0.15
"""Detail is never absent anywhere, so a weaker concentration than a colour's is worth saying."""
_SMOOTH_BELOW = 1.5
"""Lightness step to the next pixel, of 100, under which a pixel counts as smooth."""


def measure(image: Image.Image) -> Look:
    """Measure an RGB image of any size. Equal pixels give equal looks."""
    rgb = np.asarray(_reduced(image))
    lab = to_lab(rgb)
    lightness = np.ascontiguousarray(lab[..., 0])
    names = name_pixels(rgb)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))
    is_hued = chroma > _HUE_FROM
    is_warm = is_hued & (hue > -25) & (hue < 108)
    swatches, accent = _swatches(names, lab)
    return Look(
        width=image.width,
        height=image.height,
        light=_light(lightness),
        detail=_detail(lightness, image),
        swatches=swatches,
        accent=accent,
        chroma=float(chroma.mean()),
        is_grey=float((chroma > 6).mean()) < 0.005,
        warm=float(is_warm.mean()),
        cool=float((is_hued & ~is_warm).mean()),
        rim=_rim(names),
    )


def _reduced(image: Image.Image) -> Image.Image:
    """The image at a size where every cell of the grid has pixels and the work is small."""
    scale = min(1.0, _LONG_SIDE_PX / max(image.size))
    size = tuple(max(_LEAST_SIDE_PX, round(side * scale)) for side in image.size)
    return image.resize((size[0], size[1]), Image.Resampling.BOX, reducing_gap=2.0)


def _swatches(names: npt.NDArray[np.uint8], lab: Array) -> tuple[tuple[Swatch, ...], Swatch | None]:
    counts = np.bincount(names.ravel(), minlength=len(COLOURS))
    shares = counts / names.size
    order = [int(index) for index in np.argsort(-shares, kind="stable")]
    large = [
        index
        for place, index in enumerate(order)
        if place == 0 or shares[index] >= (_FEW_FROM if place < _FEWEST_SWATCHES else _SWATCH_FROM)
    ]
    hues = [_mean_hue(names, lab, index) for index in large]
    accent = None
    for index in order[len(large) :]:
        if shares[index] < _ACCENT_FROM:
            break
        hue = _mean_hue(names, lab, index)
        apart = min(float(np.hypot(*(hue - other))) for other in hues)
        if float(np.hypot(*hue)) >= _ACCENT_CHROMA and apart >= _ACCENT_APART:
            accent = _swatch(names, index, shares[index])
            break
    return tuple(_swatch(names, index, shares[index]) for index in large), accent


def _mean_hue(names: npt.NDArray[np.uint8], lab: Array, index: int) -> Array:
    """Mean a* and b* of the pixels with this name."""
    return np.asarray(lab[names == index][:, 1:].mean(axis=0), dtype=np.float32)


def _swatch(names: npt.NDArray[np.uint8], index: int, share: float) -> Swatch:
    mask = names == index
    beside = mask[:, :-1] & mask[:, 1:]
    together = float(beside.sum()) / max(1, int(mask[:, :-1].sum()))
    place = locate(cell_sums(mask.astype(np.float32)), float(share))
    return Swatch(COLOURS[index], float(share), place, flecked=together < 0.72)


def _rim(names: npt.NDArray[np.uint8]) -> Colour | None:
    depth = max(1, round(min(names.shape) * 0.03))
    inside = np.zeros(names.shape, dtype=np.bool_)
    inside[depth:-depth, depth:-depth] = True
    counts = np.bincount(names[~inside], minlength=len(COLOURS))
    index = int(counts.argmax())
    if counts[index] < 0.85 * counts.sum() or (names[inside] == index).mean() > 0.8:
        return None
    return COLOURS[index]


def _light(lightness: Array) -> Light:
    height, width = lightness.shape
    x = np.linspace(-0.5, 0.5, width, dtype=np.float32)
    y = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
    centred = lightness - lightness.mean()
    across = float((centred * x).mean() / (x**2).mean())
    down = float((centred * y).mean() / (y**2).mean())
    variance = float((centred**2).mean())
    explained = across**2 * float((x**2).mean()) + down**2 * float((y**2).mean())
    sixths = cell_sums(lightness) / cell_sums(np.ones_like(lightness))
    ninths = [float(sixths[region.cells].mean()) for region in NINTHS]
    central = np.zeros((GRID, GRID), dtype=np.bool_)
    central[1:-1, 1:-1] = True
    low, high = np.percentile(lightness, (5, 95))
    return Light(
        mean=float(lightness.mean()),
        spread=float(high - low),
        near_black=float((lightness < 20).mean()),
        near_white=float((lightness > 85).mean()),
        across=across,
        down=down,
        slope_fit=explained / variance if variance > 1e-3 else 0.0,
        centre_gain=float(sixths[central].mean() - sixths[~central].mean()),
        lightest=int(np.argmax(ninths)),
        darkest=int(np.argmin(ninths)),
        ninth_range=max(ninths) - min(ninths),
    )


def _detail(lightness: Array, image: Image.Image) -> Detail:
    # Means over two rows and two columns: plain differences share a pixel, which makes noise look
    # like a slant.
    across: Array = np.diff(lightness, axis=1)
    down: Array = np.diff(lightness, axis=0)
    right = (across[:-1] + across[1:]) * np.float32(0.5)
    below = (down[:, :-1] + down[:, 1:]) * np.float32(0.5)
    steps = np.hypot(right, below)
    smooth = (steps < _SMOOTH_BELOW).astype(np.float32)
    return Detail(
        place=locate(cell_sums(steps), least_gain=_DETAIL_GAIN),
        smooth=float(smooth.mean()),
        smooth_place=locate(cell_sums(smooth), least_gain=_DETAIL_GAIN),
        slant=_slant(right, below),
        edge_px=sharpest_edge_width(image, steps),
        reduced_edge_px=edge_width(lightness),
    )


def _slant(right: Array, below: Array) -> Slant | None:
    """Main direction of edges, which run across the gradient."""
    energy = float((right**2 + below**2).sum())
    if energy <= 0:
        return None
    even = float((right**2 - below**2).sum()) / energy
    skew = float((2 * right * below).sum()) / energy
    if np.hypot(even, skew) < 0.3:
        return None
    if abs(even) >= abs(skew):
        return Slant.VERTICAL if even > 0 else Slant.HORIZONTAL
    # A gradient to the lower right (y grows downwards) belongs to an edge that rises.
    return Slant.RISING if skew > 0 else Slant.FALLING
