"""From pixels to `Measurements`."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from sa1b_captions.caption.engines.preview.colours import COLOURS, hue_degrees, name_pixels, to_lab
from sa1b_captions.caption.engines.preview.measurements import (
    Detail,
    Hues,
    Light,
    Measurements,
    Swatch,
)
from sa1b_captions.caption.engines.preview.places import (
    GRID,
    cell_means,
    cell_sums,
    cells_of,
    locate,
    shares_of_ninths,
)
from sa1b_captions.caption.engines.preview.sharpness import edge_widths

Array = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

_LONG_SIDE_PX = 256
"""Size at which an image is measured; colours and places do not need more."""
_LEAST_SIDE_PX = 24
_SWATCH_FROM = 0.08
"""Share of the frame from which a colour is told; the edges of things have odd ones."""
_MOST_SWATCHES = 4
_ALIKE_WITHIN = 20.0
"""Distance in CIELAB of the means of two names that people may not tell apart."""
_NAMED_BY = np.array(
    [[name in re.split("[ -]", other) for other in COLOURS] for name in COLOURS], dtype=np.bool_
)
"""By two names: whether the second is a kind of the first."""
_VIVID = frozenset(
    {"red", "coral red", "orange-red", "orange", "golden yellow", "yellow", "yellow-green", "green",
     "turquoise", "blue", "sky blue", "blue-violet", "purple", "magenta", "deep pink", "crimson"}
)  # fmt: skip
"""Names that go with the word vivid, as those of dark, pale and earthen colours do not."""
_ACCENT_FROM = 0.005
_ACCENT_CHROMA = 60.0
_ACCENT_APART = 36.0
"""Distance in a* and b* from every swatch; nearer than that it is only a shade of one."""
_SMOOTH_BELOW = 1.5
"""Lightness step to the next pixel, of 100, under which a pixel counts as smooth."""
_BUSY_FROM = 3.0
"""Lightness step to the next pixel from which a pixel is plainly unlike it."""
_NARROW = 18
"""Columns and rows by which light is followed across the frame."""
_EDGE_FROM = 4.0
"""Lightness step to the next pixel from which it counts as an edge."""
_DIRECTIONS = ("vertical", "rising to the right", "horizontal", "falling to the right")
"""How edges run whose gradient has 0, 45, 90 and 135 degrees, y downwards."""
_MAIN_WITHIN = 5
"""Degrees that the mean direction of all edges may be off, and, below, an edge of its own."""
_EDGE_WITHIN = 12
_EDGES_FROM = 0.6


def measure(image: Image.Image) -> Measurements:
    """Measure an RGB image of any size. Equal pixels give equal measurements."""
    rgb = np.asarray(_reduced(image))
    lab = to_lab(rgb)
    lightness = np.ascontiguousarray(lab[..., 0])
    names = name_pixels(rgb)
    swatches, accent = _swatches(rgb, names, lab)
    return Measurements(
        width=image.width,
        height=image.height,
        light=_light(lightness),
        detail=_detail(lightness, image),
        hues=_hues(lab),
        swatches=swatches,
        accent=accent,
        rim=_rim(names),
    )


def _reduced(image: Image.Image) -> Image.Image:
    """The image at a size where every cell of the grid has pixels and the work is small."""
    scale = min(1.0, _LONG_SIDE_PX / max(image.size))
    size = tuple(max(_LEAST_SIDE_PX, round(side * scale)) for side in image.size)
    return image.resize((size[0], size[1]), Image.Resampling.BOX, reducing_gap=2.0)


def _hues(lab: Array) -> Hues:
    lightness, chroma, hue = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2]), hue_degrees(lab)
    plain = chroma > 12
    # No screen shows cyan of as much chroma as other hues.
    is_cyan = (hue > 140) & (hue < 235)
    # Between yellow and green, and between violet and red, a hue is neither warm nor cool.
    is_warm, is_cool = (hue < 100) | (hue > 345), (hue > 118) & (hue < 312)
    trace = chroma > 6
    return Hues(
        mean_chroma=float(chroma.mean()),
        any=float(trace.mean()),
        plain=float(plain.mean()),
        lively=float((chroma > np.where(is_cyan, 18, 24)).mean()),
        strong=float(
            ((chroma > np.where(is_cyan & (hue > 165), 36, 52)) & (lightness > 25)).mean()
        ),
        warm=float((plain & is_warm).mean()),
        cool=float((plain & is_cool).mean()),
        not_warm=float((trace & ~is_warm).mean()),
        not_cool=float((trace & ~is_cool).mean()),
    )


def _swatches(
    rgb: npt.NDArray[np.uint8], names: npt.NDArray[np.uint8], lab: Array
) -> tuple[tuple[Swatch, ...], str | None]:
    flat, count = names.ravel(), len(COLOURS)
    counts = np.bincount(flat, minlength=count)
    shares = counts / names.size
    means = _mean_by_name(flat, counts, lab)
    places = flat + count * cells_of(names.shape).ravel()
    cells = np.bincount(places, minlength=count * GRID**2).reshape(GRID, GRID, count)
    order = [int(index) for index in np.argsort(-shares, kind="stable")]
    large = [index for index in order[:_MOST_SWATCHES] if shares[index] >= _SWATCH_FROM]
    large = [index for index in large if _holds(index, names, rgb)] or order[:1]
    swatches = []
    for index in large:
        # What people take for the same colour must lie in the same place: what is much like it,
        # and all that its name holds for, as green does for dark green, unless told beside it.
        alike = np.linalg.norm(means - means[index], axis=1) < _ALIKE_WITHIN
        alike |= _NAMED_BY[index] & ~np.isin(np.arange(count), large)
        alike[index] = True
        place = locate(cells[..., index], cells[..., alike].sum(axis=-1))
        swatches.append(Swatch(COLOURS[index], float(shares[index]), place))
    return tuple(swatches), _accent(
        [index for index in order if index not in large], shares, means[:, 1:], large
    )


def _mean_by_name(flat: npt.NDArray[np.uint8], counts: npt.NDArray[np.int_], lab: Array) -> Floats:
    """Mean L*, a* and b* of the pixels of every name."""
    axes = np.moveaxis(lab, -1, 0)
    sums = [np.bincount(flat, weights=axis.ravel(), minlength=counts.size) for axis in axes]
    return np.stack(sums, axis=1) / np.maximum(counts, 1)[:, None]


def _holds(index: int, names: npt.NDArray[np.uint8], rgb: npt.NDArray[np.uint8]) -> bool:
    """Whether a name that every pixel of a surface has is that of their mean too."""
    # A quarter of the pixels tells as much.
    some = rgb[::2, ::2][names[::2, ::2] == index]
    if some.size == 0:
        return False
    mean = np.rint(some.mean(axis=0)).astype(np.uint8)
    return bool(name_pixels(mean[None, None])[0, 0] == index)


def _accent(order: Sequence[int], shares: Floats, hues: Floats, large: Sequence[int]) -> str | None:
    for index in order:
        if shares[index] < _ACCENT_FROM:
            break
        apart = np.linalg.norm(hues[large] - hues[index], axis=1).min()
        is_vivid = COLOURS[index] in _VIVID and np.hypot(*hues[index]) >= _ACCENT_CHROMA
        if is_vivid and apart >= _ACCENT_APART:
            return COLOURS[index]
    return None


def _rim(names: npt.NDArray[np.uint8]) -> str | None:
    depth = max(1, round(min(names.shape) * 0.03))
    inside = np.zeros(names.shape, dtype=np.bool_)
    inside[depth:-depth, depth:-depth] = True
    counts = np.bincount(names[~inside], minlength=len(COLOURS))
    index = int(counts.argmax())
    if counts[index] < 0.9 * counts.sum() or (names[inside] == index).mean() > 0.7:
        return None
    return COLOURS[index]


def _light(lightness: Array) -> Light:
    levels = np.percentile(lightness, (1, 5, 25, 75, 95, 99))
    darkest, low, quarter, three_quarters, high, lightest = (float(level) for level in levels)
    narrow = cell_means(lightness, _NARROW)
    return Light(
        mean=float(lightness.mean()),
        low=low,
        quarter=quarter,
        three_quarters=three_quarters,
        high=high,
        cells=tuple(tuple(map(float, row)) for row in cell_means(lightness, GRID)),
        across=tuple(map(float, narrow.mean(axis=0))),
        down=tuple(map(float, narrow.mean(axis=1))),
        lightest_in=_shares_of_ninths(lightness >= lightest),
        darkest_in=_shares_of_ninths(lightness <= darkest),
    )


def _shares_of_ninths(mask: npt.NDArray[np.bool_]) -> tuple[float, ...]:
    return tuple(map(float, shares_of_ninths(cell_sums(mask.astype(np.float32)))))


def _detail(lightness: Array, image: Image.Image) -> Detail:
    # Means over two rows and two columns: plain differences share a pixel, which makes noise look
    # like a direction.
    across: Array = np.diff(lightness, axis=1)
    down: Array = np.diff(lightness, axis=0)
    right = (across[:-1] + across[1:]) * np.float32(0.5)
    below = (down[:, :-1] + down[:, 1:]) * np.float32(0.5)
    steps = np.hypot(right, below)
    widths, grain = edge_widths(image, steps)
    return Detail(
        place=locate(cell_sums(steps)),
        busy=float((cell_means((steps >= _BUSY_FROM).astype(np.float32), GRID) > 0.5).mean()),
        smooth=float((steps < _SMOOTH_BELOW).mean()),
        direction=_direction(right, below, steps),
        grain=grain,
        edge_px=widths,
    )


def _direction(right: Array, below: Array, steps: Array) -> str | None:
    """Main direction of edges: that of at least half of their strength, within few degrees."""
    is_edge = steps >= _EDGE_FROM
    if is_edge.mean() < 0.01:
        return None
    strength = steps[is_edge]
    angles = np.arctan2(below[is_edge], right[is_edge])
    # Opposite gradients belong to one edge direction, so angles are doubled for their mean.
    main = np.degrees(np.angle((strength * np.exp(2j * angles)).sum())) / 2 % 180
    index = round(main / 45)
    apart = np.abs((np.degrees(angles) - 45 * index + 90) % 180 - 90)
    agreeing = strength[apart <= _EDGE_WITHIN].sum() / strength.sum()
    is_clear = abs(main - 45 * index) <= _MAIN_WITHIN and agreeing >= _EDGES_FROM
    return _DIRECTIONS[index % 4] if is_clear else None
