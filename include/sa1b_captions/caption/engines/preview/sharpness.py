"""How many pixels an edge takes to go from dark to light."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from sa1b_captions.caption.engines.preview.places import cell_sums

Array = npt.NDArray[np.float32]

_TILE_PX = 192
_TILES = 3
_CELLS = 12
_LAGS_PX = (1, 2, 3, 4, 6, 8, 12, 16, 24)


def edge_width(lightness: Array) -> float:
    """Typical width of the edges of an (H, W) array, in its pixels; at least 1.

    Over an edge of width w, squared differences grow with the square of the distance up to w and
    only linearly beyond. So the largest ratio of squared difference to distance, over that of
    neighbouring pixels, is w.
    """
    at_one, largest = 0.0, 0.0
    for lag in _LAGS_PX:
        if lag >= min(lightness.shape) // 2:
            break
        across = lightness[:, lag:] - lightness[:, :-lag]
        down = lightness[lag:] - lightness[:-lag]
        energy = float((across**2).mean() + (down**2).mean()) / lag
        at_one = at_one or energy
        largest = max(largest, energy)
    return largest / at_one if at_one > 0 else 1.0


def sharpest_edge_width(image: Image.Image, steps: Array) -> float:
    """Least edge width among the busiest tiles of an image, in full-size pixels.

    Args:
        image: RGB, full size.
        steps: (h, w) lightness steps of the reduced image, which say where it is busy.
    """
    energy = cell_sums(steps**2, _CELLS)
    busiest = np.argsort(-energy, axis=None, kind="stable")[:_TILES]
    return min(edge_width(_tile(image, int(cell))) for cell in busiest)


def _tile(image: Image.Image, cell: int) -> Array:
    """Luma of the full-size tile around a cell of the grid."""
    row, column = divmod(cell, _CELLS)
    left = _start(image.width, column)
    top = _start(image.height, row)
    box = (left, top, min(image.width, left + _TILE_PX), min(image.height, top + _TILE_PX))
    return np.asarray(image.crop(box).convert("L"), dtype=np.float32)


def _start(side_px: int, cell: int) -> int:
    middle = (cell + 0.5) / _CELLS * side_px
    return max(0, min(side_px - _TILE_PX, round(middle - _TILE_PX / 2)))
