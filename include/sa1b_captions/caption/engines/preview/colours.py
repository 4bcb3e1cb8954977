"""Colour names in English and Chinese, and the nearest one to a pixel in CIELAB."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

_LIGHTNESS_WEIGHT = 0.7
"""Lightness counts less than hue: a shaded red is still called red."""
_LEVELS = 32
"""Steps per channel of the table that names pixels; 8 of 256 levels are not told apart."""


@dataclass(frozen=True, slots=True)
class Colour:
    """One name, and the sRGB colours that are typical of it."""

    english: str
    chinese: str
    typical: tuple[str, ...]


COLOURS = (
    Colour("black", "黑色", ("000000", "0e0e0e", "0c0f16", "1a1818")),
    Colour("dark grey", "深灰色", ("2e2e2e", "3c3c3c", "4a4a4a")),
    Colour("mid grey", "中灰色", ("636363", "787878", "8c8c8c")),
    Colour("light grey", "浅灰色", ("a4a4a4", "bababa", "d0d0d0")),
    Colour("white", "白色", ("f0f0f0", "ffffff", "f4f4ee", "eef2f6")),
    Colour("cream", "米白色", ("f3e8cd", "ecdcbc")),
    Colour("beige", "米黄色", ("d6c09c", "c6ac86", "d9c9b4")),
    Colour("grey-brown", "灰褐色", ("7a6a5c", "98867a", "54483f", "b0a196")),
    Colour("brown", "棕色", ("8b5a2b", "a06c42", "7a4a2e", "96552a")),
    Colour("dark brown", "深棕色", ("3c2414", "4e3220", "2c1a12", "5c3418")),
    Colour("red", "红色", ("cc1f1a", "d8302a", "b81c1c")),
    Colour("dark red", "暗红色", ("6e1212", "4e0f10", "8a1a14", "7c2a1c")),
    Colour("orange-red", "橘红色", ("e8674e", "e0583a", "d65e4a", "c8503c")),
    Colour("orange", "橙色", ("e8741c", "f0963a", "d2641e", "dc5a1c")),
    Colour("pale orange", "浅橙色", ("f5bd8c", "f0a878", "e0a070")),
    Colour("ochre", "土黄色", ("c8962e", "b08238", "d8a848")),
    Colour("yellow", "黄色", ("f0d83c", "ffe650", "f2de84")),
    Colour("olive green", "橄榄绿", ("6e6e2c", "848446", "4a4a20", "5a5c34")),
    Colour("green", "绿色", ("3c9a3c", "58b04a", "78a85a", "2c7a34")),
    Colour("dark green", "深绿色", ("1a3c1e", "28502c", "16301c", "24402c")),
    Colour("pale green", "浅绿色", ("b4d8a0", "a8c8a4", "ccdcb8")),
    Colour("teal", "蓝绿色", ("0e6e6e", "1e8a86", "0a4a50", "40bcb4", "123c42")),
    Colour("pale blue", "浅蓝色", ("b8d4ec", "9cc4e4", "cfe0ee")),
    Colour("blue", "蓝色", ("2c64c8", "3c7ad8", "1e48a8", "4a90d9")),
    Colour("navy blue", "藏青色", ("0e1a48", "161e38", "1c2c5c", "26365e")),
    Colour("grey-blue", "灰蓝色", ("6c84a0", "8ea4b8", "4a5c74", "a8b4c4")),
    Colour("purple", "紫色", ("6a3c96", "8e5ab4", "3c2050", "b49cd4")),
    Colour("pink", "粉色", ("f0a0b8", "e06c98", "f2c8ce", "c83c8c")),
)


def to_lab(rgb: npt.NDArray[np.uint8]) -> Array:
    """CIELAB (D65) of sRGB pixels; any shape that ends in 3."""
    linear = _linear_by_level()[rgb]
    xyz = linear @ _TO_XYZ.T
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def name_pixels(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Index into COLOURS of each sRGB pixel: (H, W, 3) becomes (H, W)."""
    red, green, blue = np.moveaxis(rgb // (256 // _LEVELS), -1, 0)
    return np.asarray(_name_table()[red, green, blue])


_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]], dtype=np.float32,
) / np.array([[0.95047], [1.0], [1.08883]], dtype=np.float32)  # fmt: skip


@lru_cache(maxsize=1)
def _linear_by_level() -> Array:
    """Linear light of the 256 sRGB levels."""
    level = np.arange(256) / 255
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


@lru_cache(maxsize=1)
def _name_table() -> npt.NDArray[np.uint8]:
    """Index into COLOURS by coarse red, green and blue."""
    step = 256 // _LEVELS
    axis = np.arange(_LEVELS, dtype=np.uint8) * step + step // 2
    cube = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    weight = np.array([_LIGHTNESS_WEIGHT, 1, 1], dtype=np.float32)
    lab = to_lab(cube) * weight
    names = np.zeros(cube.shape[:3], dtype=np.uint8)
    nearest = np.full(cube.shape[:3], np.inf, dtype=np.float32)
    for index, colour in enumerate(COLOURS):
        for code in colour.typical:
            typical = to_lab(np.frombuffer(bytes.fromhex(code), dtype=np.uint8)) * weight
            distance = ((lab - typical) ** 2).sum(axis=-1)
            names[distance < nearest] = index
            np.minimum(nearest, distance, out=nearest)
    return names
