"""Where in the frame something lies: the named region that fits a distribution best."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in cells."""

GRID = 6
"""Cells per side of the grid that regions are cut from, so halves and thirds are both exact."""

_LEAST_GAIN = 0.2
"""How much more than its share of the frame a region must hold, or a thing is spread out."""
_EVEN_FROM = 0.75
"""Part of an equal share that the poorest ninth must have before the spread is even."""
_PART_FROM = 0.5

_NINTHS: dict[str, tuple[Box, ...]] = {
    "the upper left corner": ((0, 0, 2, 2),),
    "the top centre": ((2, 0, 4, 2),),
    "the upper right corner": ((4, 0, 6, 2),),
    "the middle of the left side": ((0, 2, 2, 4),),
    "the centre": ((2, 2, 4, 4),),
    "the middle of the right side": ((4, 2, 6, 4),),
    "the lower left corner": ((0, 4, 2, 6),),
    "the bottom centre": ((2, 4, 4, 6),),
    "the lower right corner": ((4, 4, 6, 6),),
}
_BOXES: dict[str, tuple[Box, ...]] = {
    "the upper third": ((0, 0, 6, 2),),
    "the lower third": ((0, 4, 6, 6),),
    "the middle band": ((0, 2, 6, 4),),
    "the upper half": ((0, 0, 6, 3),),
    "the lower half": ((0, 3, 6, 6),),
    "the upper two thirds": ((0, 0, 6, 4),),
    "the lower two thirds": ((0, 2, 6, 6),),
    "the left third": ((0, 0, 2, 6),),
    "the right third": ((4, 0, 6, 6),),
    "the middle column": ((2, 0, 4, 6),),
    "the left half": ((0, 0, 3, 6),),
    "the right half": ((3, 0, 6, 6),),
    "the left two thirds": ((0, 0, 4, 6),),
    "the right two thirds": ((2, 0, 6, 6),),
    "the upper left quarter": ((0, 0, 3, 3),),
    "the upper right quarter": ((3, 0, 6, 3),),
    "the lower left quarter": ((0, 3, 3, 6),),
    "the lower right quarter": ((3, 3, 6, 6),),
    "the central part": ((1, 1, 5, 5),),
    "the four corners": ((0, 0, 2, 2), (4, 0, 6, 2), (0, 4, 2, 6), (4, 4, 6, 6)),
    "the outer part": ((0, 0, 6, 1), (0, 5, 6, 6), (0, 0, 1, 6), (5, 0, 6, 6)),
    "the strips along both sides": ((0, 0, 1, 6), (5, 0, 6, 6)),
    "the strips along the top and bottom": ((0, 0, 6, 1), (0, 5, 6, 6)),
    **_NINTHS,
}

NINTHS = tuple(_NINTHS)
"""The nine cells of a three by three grid, row by row."""
REGIONS = tuple(_BOXES)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something lies."""

    region: str | None
    """The one of REGIONS that fits best; None when the thing is spread over the frame."""
    held: float
    """Share of the thing that lies in the region, 0 to 1."""
    is_even: bool = False
    """Whether every ninth of the frame has its part of it."""


def _mask(boxes: tuple[Box, ...]) -> Array:
    cells = np.zeros((GRID, GRID), dtype=np.float32)
    for left, top, right, bottom in boxes:
        cells[top:bottom, left:right] = 1
    return cells.ravel()


_PARTS = tuple(tuple(_mask((box,)) for box in boxes) for boxes in _BOXES.values())
_MASKS = np.stack([_mask(boxes) for boxes in _BOXES.values()])
_AREAS = _MASKS.mean(axis=1)
_NINTH_MASKS = _MASKS[-len(NINTHS) :]


def cell_sums(values: Array, cells: int = GRID) -> Array:
    """Sum an (H, W) array over a square grid of cells; H and W are at least the grid's."""
    rows = np.linspace(0, values.shape[0], cells, endpoint=False).astype(int)
    columns = np.linspace(0, values.shape[1], cells, endpoint=False).astype(int)
    sums = np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1)
    return np.asarray(sums, dtype=np.float32)


def cell_means(values: Array, cells: int) -> Array:
    """Mean of each cell of a square grid."""
    return cell_sums(values, cells) / cell_sums(np.ones_like(values), cells)


def shares_of_ninths(mass: Array) -> Array:
    """Share of a (GRID, GRID) mass that lies in each of NINTHS; it is not all zero."""
    return np.asarray(_NINTH_MASKS @ mass.ravel() / mass.sum(), dtype=np.float32)


def cells_of(shape: tuple[int, ...]) -> npt.NDArray[np.int_]:
    """Number of the cell of the grid in which each pixel of an (H, W) array lies, row by row."""
    row, column = (np.arange(side) * GRID // side for side in shape)
    return np.asarray(row[:, None] * GRID + column)


def locate(mass: npt.NDArray[Any], alike: npt.NDArray[Any] | None = None) -> Place:
    """Name where something lies, from (GRID, GRID) non-negative amounts of it per cell.

    Args:
        mass: of the thing.
        alike: of all that may be taken for it, itself included; no more is said than holds of it.
    """
    if not mass.any():
        return Place(None, 0.0)
    cells = mass.ravel() / mass.sum()
    others = cells if alike is None else alike.ravel() / alike.sum()
    held = _MASKS @ cells
    gains = held - _AREAS
    for index in np.argsort(-gains, kind="stable"):
        if gains[index] < _LEAST_GAIN:
            break
        # A region of several parts must hold about its due in each.
        density = _PART_FROM * held[index] / _AREAS[index]
        if all(part @ cells >= density * part.mean() for part in _PARTS[index]):
            return Place(REGIONS[index], float(min(held[index], _MASKS[index] @ others)))
    least = shares_of_ninths(mass).min()
    return Place(None, 1.0, is_even=bool(least >= _EVEN_FROM / len(NINTHS)))
