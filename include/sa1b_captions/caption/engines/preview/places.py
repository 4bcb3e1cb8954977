"""Where in the frame something lies: the named region that fits a distribution best."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

GRID = 6
"""Cells per side of the grid that regions are cut from, so halves and thirds are both exact."""

_LEAST_GAIN = 0.2
_EVEN_FROM = 0.75
"""Part of an equal share that the poorest ninth must have before the spread is even."""
_PART_FROM = 0.5
_FILLS_FROM = 0.88
"""Share of a region that must be covered before it counts as filled."""


@dataclass(frozen=True, slots=True)
class Region:
    """A named part of the frame."""

    english: str
    """Follows `in`."""
    chinese: str
    cells: npt.NDArray[np.bool_] = field(compare=False)
    """(GRID, GRID), rows from the top."""
    parts: tuple[npt.NDArray[np.bool_], ...] = field(compare=False, default=())
    """Cells of each part, where it has several: a thing lies there if it lies in each."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something lies."""

    english: str | None
    """The region that fits best; None when the thing is spread over the frame."""
    chinese: str | None
    held: float
    """Share of the thing that lies in the region, 0 to 1."""
    filled: bool
    """Whether the thing covers nearly all of the region."""
    even: bool = False
    """Whether every ninth of the frame has its part of it."""


def _box(english: str, chinese: str, left: int, top: int, right: int, bottom: int) -> Region:
    cells = np.zeros((GRID, GRID), dtype=np.bool_)
    cells[top:bottom, left:right] = True
    return Region(english, chinese, cells)


def _parts(english: str, chinese: str, *boxes: tuple[int, int, int, int]) -> Region:
    """A region of several boxes: left, top, right and bottom of each."""
    parts = tuple(_box("", "", *box).cells for box in boxes)
    return Region(english, chinese, np.logical_or.reduce(parts), parts)


NINTHS = (
    _box("the upper left corner", "左上角", 0, 0, 2, 2),
    _box("the top centre", "上方正中", 2, 0, 4, 2),
    _box("the upper right corner", "右上角", 4, 0, 6, 2),
    _box("the middle of the left side", "左侧中段", 0, 2, 2, 4),
    _box("the centre", "正中央", 2, 2, 4, 4),
    _box("the middle of the right side", "右侧中段", 4, 2, 6, 4),
    _box("the lower left corner", "左下角", 0, 4, 2, 6),
    _box("the bottom centre", "下方正中", 2, 4, 4, 6),
    _box("the lower right corner", "右下角", 4, 4, 6, 6),
)
"""The nine cells of a three by three grid, row by row."""

REGIONS = (
    _box("the upper third", "上方三分之一", 0, 0, 6, 2),
    _box("the lower third", "下方三分之一", 0, 4, 6, 6),
    _box("the middle band", "中间横向的一带", 0, 2, 6, 4),
    _box("the upper half", "上半部", 0, 0, 6, 3),
    _box("the lower half", "下半部", 0, 3, 6, 6),
    _box("the upper two thirds", "上方三分之二", 0, 0, 6, 4),
    _box("the lower two thirds", "下方三分之二", 0, 2, 6, 6),
    _box("the left third", "左侧三分之一", 0, 0, 2, 6),
    _box("the right third", "右侧三分之一", 4, 0, 6, 6),
    _box("the middle column", "中间纵向的一带", 2, 0, 4, 6),
    _box("the left half", "左半部", 0, 0, 3, 6),
    _box("the right half", "右半部", 3, 0, 6, 6),
    _box("the left two thirds", "左侧三分之二", 0, 0, 4, 6),
    _box("the right two thirds", "右侧三分之二", 2, 0, 6, 6),
    _box("the upper left quarter", "左上四分之一", 0, 0, 3, 3),
    _box("the upper right quarter", "右上四分之一", 3, 0, 6, 3),
    _box("the lower left quarter", "左下四分之一", 0, 3, 3, 6),
    _box("the lower right quarter", "右下四分之一", 3, 3, 6, 6),
    _box("the central part", "中央区域", 1, 1, 5, 5),
    _parts("the four corners", "四角", (0, 0, 2, 2), (4, 0, 6, 2), (0, 4, 2, 6), (4, 4, 6, 6)),
    _parts("the outer part", "四周", (0, 0, 6, 1), (0, 5, 6, 6), (0, 0, 1, 6), (5, 0, 6, 6)),
    _parts("the strips along both sides", "左右两侧边缘", (0, 0, 1, 6), (5, 0, 6, 6)),
    _parts("the strips along the top and bottom", "上下两侧边缘", (0, 0, 6, 1), (0, 5, 6, 6)),
    *NINTHS,
)


_MASKS = np.stack([region.cells.ravel() for region in REGIONS]).astype(np.float32)
_AREAS = _MASKS.mean(axis=1)
_NINTH_MASKS = _MASKS[-len(NINTHS) :]


def cell_sums(values: npt.NDArray[np.float32], cells: int = GRID) -> npt.NDArray[np.float32]:
    """Sum an (H, W) array over a square grid of cells; H and W are at least the grid's."""
    rows = np.linspace(0, values.shape[0], cells, endpoint=False).astype(int)
    columns = np.linspace(0, values.shape[1], cells, endpoint=False).astype(int)
    sums = np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1)
    return np.asarray(sums, dtype=np.float32)


def cell_means(values: npt.NDArray[np.float32], cells: int) -> npt.NDArray[np.float32]:
    """Mean of each cell of a square grid."""
    return cell_sums(values, cells) / cell_sums(np.ones_like(values), cells)


def shares_of_ninths(mass: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Share of a (GRID, GRID) mass that lies in each of NINTHS; it is not all zero."""
    return np.asarray(_NINTH_MASKS @ mass.ravel() / mass.sum(), dtype=np.float32)


def _holds(
    mass: npt.NDArray[np.float32], part: npt.NDArray[np.bool_], held: float, region: int
) -> bool:
    """Whether one part of a region has at least half of its share of what the region holds."""
    return bool(mass[part].sum() >= _PART_FROM * held * part.mean() / _AREAS[region])


def locate(
    mass: npt.NDArray[np.float32], share: float = 0.0, *, least_gain: float = _LEAST_GAIN
) -> Place:
    """Name where something lies.

    Args:
        mass: (GRID, GRID) non-negative amounts of it per cell.
        share: part of the frame it covers, 0 to 1; leave 0 for what has no area.
        least_gain: how much more than its area's share a region must hold; when none does, the
            thing is spread out.
    """
    total = float(mass.sum())
    if total <= 0:
        return Place(None, None, 0.0, filled=False)
    held = _MASKS @ mass.ravel() / total
    gains = held - _AREAS
    for index in np.argsort(-gains, kind="stable"):
        best = int(index)
        if all(_holds(mass, part, float(held[best]) * total, best) for part in REGIONS[best].parts):
            break
    if gains[best] < least_gain:
        even = bool(shares_of_ninths(mass).min() >= _EVEN_FROM / len(NINTHS))
        return Place(None, None, 1.0, filled=False, even=even)
    region = REGIONS[best]
    filled = bool(share * held[best] / _AREAS[best] >= _FILLS_FROM)
    return Place(region.english, region.chinese, float(held[best]), filled)
