"""How many full-size pixels edges take to go from dark to light.

Only a sharp rise between two plainly different levels is an edge. A soft gradient, a cloud or a
shadow's border has none, and then nothing is known of the focus.
"""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

_TILE_PX = 192
_TILES = 6
_CELLS = 12
_STEEPEST = 0.004
"""Share of a tile's pixels that are taken for its edges."""
_LEAST_SLOPE = 8.0
"""Levels of 255 per pixel, at the steepest point of an edge."""
_LEAST_HEIGHT = 60.0
"""Levels of 255 between the two sides of an edge."""
_ABOVE_GRAIN = 6.0
"""Times the typical step from pixel to pixel, so that grain on a gradient has no edges."""
_REACH_PX = 16
"""How far to both sides of its steepest point an edge is followed."""
_MOST = 400
_ALONG_PX = 2
"""How far an edge goes on to both of its ends, at least: a point of light has no edges."""
_FEWEST = 12
"""Edge pixels that a tile needs, or it has no edge to speak of."""


def edge_widths(image: Image.Image, steps: Array) -> tuple[tuple[float, ...], float]:
    """Widths of edges where the steepest ones must be, and grain where there must be least.

    Args:
        image: RGB, full size.
        steps: (h, w) lightness steps of the reduced image; the largest say where to look.

    Returns:
        One typical width in pixels for every tile that has edges, ascending; and the mean step
        from pixel to pixel where the reduced image is calmest, of 100.
    """
    rows = np.linspace(0, steps.shape[0], _CELLS, endpoint=False).astype(int)
    columns = np.linspace(0, steps.shape[1], _CELLS, endpoint=False).astype(int)
    peaks = np.maximum.reduceat(np.maximum.reduceat(steps, rows, axis=0), columns, axis=1)
    chosen = np.argsort(-peaks, axis=None, kind="stable")[:_TILES]
    widths = (_edge_width(_tile(image, int(cell))) for cell in chosen)
    calm = _tile(image, int(np.argmin(peaks)))
    grain = float(np.abs(np.diff(calm, axis=1)).mean()) / 2.55 if calm.shape[1] > 1 else 0.0
    return tuple(sorted(width for width in widths if width is not None)), grain


def _edge_width(tile: Array) -> float | None:
    """Typical width of the steepest edges of a tile: height over slope; None without edges."""
    found = np.concatenate([_across(tile), _across(tile.T)])
    return float(np.median(found)) if found.size >= _FEWEST else None


def _across(tile: Array) -> Array:
    """Widths of the steepest edges that are crossed from left to right."""
    steps: Array = np.diff(tile, axis=1)
    slopes = np.abs(steps)
    if slopes.size == 0:
        return np.zeros(0, dtype=np.float32)
    some = slopes[::6].ravel()
    middle, top = some.size // 2, math.ceil((some.size - 1) * (1 - _STEEPEST))
    ordered = np.partition(some, (middle, top))
    least = max(_LEAST_SLOPE, float(ordered[top]), _ABOVE_GRAIN * float(ordered[middle]))
    row, column = np.nonzero(slopes >= least)
    # Where many are equally steep, some tell as much as all.
    row, column = (index[:: max(1, row.size // _MOST)] for index in (row, column))
    around = np.clip(column[:, None] + np.arange(-_REACH_PX, _REACH_PX + 2), 0, tile.shape[1] - 1)
    height = np.ptp(tile[row[:, None], around], axis=1)
    slope = slopes[row, column]
    is_edge = (height >= _LEAST_HEIGHT) & _goes_on(steps, row, column)
    return np.asarray(height[is_edge] / slope[is_edge], dtype=np.float32)


def _goes_on(steps: Array, row: Indices, column: Indices) -> npt.NDArray[np.bool_]:
    """Whether an edge as steep by half and of the same sign is found beyond both ends of a step."""
    step = steps[row, column]
    shifts = np.arange(-_ALONG_PX, _ALONG_PX + 1)
    near = np.clip(column[:, None] + shifts, 0, steps.shape[1] - 1)
    found = np.ones(step.shape, dtype=np.bool_)
    for along in (-_ALONG_PX, _ALONG_PX):
        beyond = steps[np.clip(row + along, 0, steps.shape[0] - 1)[:, None], near]
        found &= (beyond * np.sign(step)[:, None]).max(axis=1) >= np.abs(step) / 2
    return found


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
