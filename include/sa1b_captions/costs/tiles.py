"""Tiles that InternVL2 cuts an image into, by its size."""

import functools
from collections import Counter
from collections.abc import Iterable

TILE_SIDE = 448
"""Pixels."""


def count_tiles(width: int, height: int, max_tiles: int) -> int:
    """Tiles of an image, its thumbnail included.

    The grid of at most `max_tiles` whose shape is nearest the image's; of two as near, a larger one
    if the image fills half of it. It is InternVL2's own rule.

    Args:
        width: pixels.
        height: pixels.
        max_tiles: of the recipe, thumbnail not counted.
    """
    if width < 1 or height < 1:
        return 1
    shape, area = width / height, width * height
    nearest, distance = (1, 1), float("inf")
    for columns, rows in _grids(max_tiles):
        away = abs(shape - columns / rows)
        fills = area > 0.5 * TILE_SIDE**2 * columns * rows
        if away < distance or (away == distance and fills):
            nearest, distance = (columns, rows), away
    count = nearest[0] * nearest[1]
    return count + (count > 1)


def mean_tiles(sizes: Iterable[tuple[int, int]], max_tiles: int) -> float:
    """Tiles of an image on average.

    Args:
        sizes: width and height in pixels of each image; at least one.
        max_tiles: of the recipe, thumbnail not counted.
    """
    counts = Counter(sizes)
    tiles = sum(count_tiles(*size, max_tiles) * count for size, count in counts.items())
    return tiles / counts.total()


@functools.cache
def _grids(max_tiles: int) -> list[tuple[int, int]]:
    sides = range(1, max_tiles + 1)
    grids = [(columns, rows) for columns in sides for rows in sides if columns * rows <= max_tiles]
    return sorted(grids, key=lambda grid: grid[0] * grid[1])
