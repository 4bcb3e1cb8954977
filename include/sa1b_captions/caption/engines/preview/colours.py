"""Names of colours, and the name of a pixel by its place in CIELAB."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

_LEVELS = 32
"""Steps per channel of the table that names pixels; 8 of 256 levels are not told apart."""
_ANY = 1000.0


COLOURS = (
    "black", "dark grey", "mid grey", "light grey", "white", "reddish grey", "pinkish grey",
    "grey-brown", "grey-green", "pale grey-green", "greyish teal", "grey-blue", "pale grey-blue",
    "grey-purple", "cream", "beige", "greyish beige", "khaki", "tan", "sandy yellow", "dark brown",
    "red-brown", "purple-brown", "brown", "light brown", "orange-brown", "dark red", "crimson",
    "red", "pink", "dusty pink", "deep pink", "mauve", "plum", "magenta", "coral red",
    "orange-pink", "orange-red", "rust red", "dark orange", "orange", "pale orange", "ochre",
    "golden yellow", "yellow", "pale yellow", "dark yellow", "olive", "olive green",
    "pale yellow-green", "yellow-green", "dark green", "green", "pale green", "dark teal", "teal",
    "pale turquoise", "turquoise", "blue-black", "navy blue", "dark blue", "blue", "sky blue",
    "light blue", "blue-violet", "dark purple", "purple", "pale purple",
)  # fmt: skip

Rule = tuple[str, float, float]
"""A name, and the lightness L* and the chroma C* below which it holds."""

_NEUTRAL: tuple[Rule, ...] = (
    ("black", 7, 20), ("black", 13, 11), ("black", 15.5, 9), ("dark grey", 26, 7),
    ("dark grey", 38, 7.5), ("mid grey", 64, 7.5), ("light grey", 90, 7), ("white", _ANY, 7),
)  # fmt: skip
"""Names without a hue; they go first."""

_SECTORS: tuple[tuple[float, tuple[Rule, ...]], ...] = (
    (12, (("purple-brown", 18, 18), ("dark red", 18, _ANY), ("purple-brown", 30, 24),
          ("reddish grey", 55, 14), ("pinkish grey", _ANY, 13), ("purple-brown", 50, 26),
          ("dark red", 34, _ANY), ("plum", 44, 42), ("crimson", 38, _ANY),
          ("dusty pink", 76, 30), ("pink", _ANY, 45), ("deep pink", 66, _ANY),
          ("pink", _ANY, _ANY))),
    (22, (("purple-brown", 18, 18), ("dark red", 18, _ANY), ("purple-brown", 30, 24),
          ("reddish grey", 55, 14), ("pinkish grey", _ANY, 13), ("purple-brown", 50, 26),
          ("dark red", 38, _ANY), ("crimson", 50, _ANY), ("dusty pink", 76, 30),
          ("pink", _ANY, 45), ("deep pink", 66, _ANY), ("pink", _ANY, _ANY))),
    (41.5, (("dark brown", 20, 26), ("grey-brown", 58, 14), ("pinkish grey", _ANY, 12),
            ("dark brown", 24, 26), ("red-brown", 32, 36), ("dark red", 32, _ANY),
            ("red-brown", 56, 38), ("red", 56, _ANY), ("dusty pink", 74, 26),
            ("pink", _ANY, 34), ("coral red", 72, _ANY), ("orange-pink", _ANY, _ANY))),
    (47, (("dark brown", 20, _ANY), ("grey-brown", 60, 17), ("greyish beige", 76, 17),
          ("beige", _ANY, 15), ("dark brown", 25, _ANY), ("red-brown", 59, 38),
          ("light brown", 76, 36), ("rust red", 44, _ANY), ("orange-brown", 53, 56),
          ("orange-red", 64, _ANY), ("pale orange", _ANY, 50), ("orange", _ANY, _ANY))),
    (52, (("dark brown", 20, _ANY), ("grey-brown", 62, 17), ("greyish beige", 76, 17),
          ("beige", _ANY, 15), ("dark brown", 25, _ANY), ("brown", 51, 38),
          ("light brown", 76, 36), ("rust red", 44, _ANY), ("orange-brown", 53, 56),
          ("orange-red", 64, _ANY), ("pale orange", _ANY, 50), ("orange", _ANY, _ANY))),
    (72, (("dark brown", 20, _ANY), ("grey-brown", 62, 18), ("greyish beige", 76, 17),
          ("beige", 86, 20), ("cream", _ANY, 18), ("dark brown", 26, _ANY), ("brown", 51, 41),
          ("light brown", 76, 41), ("orange-brown", 40, _ANY), ("orange-brown", 54, 62),
          ("dark orange", 54, _ANY), ("pale orange", _ANY, 50), ("orange", _ANY, _ANY))),
    (86, (("dark brown", 20, _ANY), ("grey-brown", 62, 18), ("greyish beige", 76, 17),
          ("dark brown", 26, _ANY), ("brown", 51, 40), ("light brown", 62, 34),
          ("beige", 86, 24), ("tan", 84, 44), ("ochre", 70, _ANY), ("cream", _ANY, 30),
          ("pale orange", _ANY, 46), ("golden yellow", _ANY, _ANY))),
    (99, (("dark brown", 22, 24), ("mid grey", 64, 9), ("light grey", 90, 9),
          ("grey-brown", 62, 18), ("olive", 46, _ANY), ("greyish beige", 78, 17),
          ("khaki", 80, 29), ("beige", 90, 30), ("cream", _ANY, 28), ("ochre", 62, 50),
          ("sandy yellow", 84, 50), ("dark yellow", 72, _ANY), ("pale yellow", _ANY, 52),
          ("yellow", _ANY, _ANY))),
    (106, (("black", 20, 13), ("dark grey", 38, 10), ("mid grey", 64, 11), ("light grey", 90, 11),
           ("grey-green", 62, 14), ("olive", 46, _ANY), ("greyish beige", 78, 17),
           ("khaki", 80, 30), ("beige", 90, 30), ("cream", _ANY, 28), ("olive", 64, _ANY),
           ("dark yellow", 74, _ANY), ("pale yellow", _ANY, 52), ("yellow", _ANY, _ANY))),
    (112, (("black", 20, 13), ("dark green", 20, _ANY), ("dark grey", 38, 10),
           ("mid grey", 64, 11), ("light grey", 90, 11), ("grey-green", 78, 15),
           ("olive green", 60, _ANY), ("khaki", 80, 24), ("beige", 86, 20), ("cream", _ANY, 26),
           ("pale yellow-green", _ANY, 34), ("yellow-green", _ANY, _ANY))),
    (118, (("dark green", 20, _ANY), ("dark grey", 38, 10), ("mid grey", 64, 10),
           ("light grey", 90, 10), ("grey-green", 78, 15), ("olive green", 60, _ANY),
           ("pale grey-green", 90, 13), ("cream", _ANY, 14), ("pale yellow-green", _ANY, 34),
           ("yellow-green", _ANY, _ANY))),
    (126, (("dark green", 18, _ANY), ("dark grey", 30, 9.5), ("dark green", 30, _ANY),
           ("grey-green", 76, 15), ("light grey", 90, 9), ("green", 70, _ANY),
           ("pale grey-green", _ANY, 15), ("pale yellow-green", _ANY, 36),
           ("yellow-green", _ANY, _ANY))),
    (165, (("dark green", 18, _ANY), ("dark grey", 30, 9.5), ("dark green", 32, _ANY),
           ("grey-green", 74, 15), ("light grey", 90, 9), ("green", 70, _ANY),
           ("pale grey-green", _ANY, 16), ("pale green", _ANY, 45), ("green", _ANY, _ANY))),
    (200, (("dark teal", 18, _ANY), ("dark grey", 30, 9.5), ("dark teal", 30, _ANY),
           ("greyish teal", 74, 14), ("light grey", 90, 10), ("teal", 66, _ANY),
           ("pale turquoise", _ANY, 26), ("turquoise", _ANY, _ANY))),
    (225, (("dark teal", 18, _ANY), ("dark grey", 30, 9.5), ("dark teal", 30, _ANY),
           ("grey-blue", 72, 17), ("light grey", 90, 9), ("teal", 60, _ANY),
           ("pale grey-blue", 92, 12), ("light blue", _ANY, 26), ("turquoise", _ANY, _ANY))),
    (299, (("blue-black", 20, 16), ("navy blue", 20, 45), ("navy blue", 13, _ANY),
           ("dark grey", 30, 10), ("grey-blue", 30, 15), ("navy blue", 30, 26),
           ("dark blue", 32, 50), ("grey-blue", 50, 21), ("grey-blue", 72, 20),
           ("blue", 57, _ANY), ("sky blue", 74, _ANY), ("light grey", 90, 9),
           ("pale grey-blue", 92, 12), ("light blue", _ANY, 32), ("sky blue", _ANY, _ANY))),
    (309, (("navy blue", 24, _ANY), ("dark grey", 30, 9.5), ("grey-purple", 76, 20),
           ("light grey", 90, 9), ("blue-violet", 62, 72), ("blue", 62, _ANY),
           ("pale purple", _ANY, _ANY))),
    (328, (("dark purple", 18, _ANY), ("dark grey", 30, 12), ("dark purple", 30, _ANY),
           ("grey-purple", 76, 18), ("purple", 66, _ANY),
           ("pale purple", _ANY, _ANY))),
    (356, (("dark purple", 18, _ANY), ("dark grey", 30, 9.5), ("plum", 30, _ANY),
           ("grey-purple", 76, 15), ("pinkish grey", _ANY, 14), ("plum", 52, 40),
           ("plum", 38, _ANY),
           ("mauve", 76, 42), ("magenta", 66, _ANY), ("pink", _ANY, _ANY))),
)  # fmt: skip
"""For hues below so many degrees, from the one before (356 before the first, which holds 0):
rules of which the first that fits gives the name, the last always."""


def to_lab(rgb: npt.NDArray[np.uint8]) -> Array:
    """CIELAB (D65) of sRGB pixels; any shape that ends in 3."""
    linear = _linear_by_level()[rgb]
    xyz = linear @ _TO_XYZ.T
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def hue_degrees(lab: Array) -> Array:
    """Hue angle of CIELAB pixels, 0 to 360; without meaning where chroma is small."""
    return np.asarray(np.degrees(np.arctan2(lab[..., 2], lab[..., 1])) % 360, dtype=np.float32)


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
    # The ends of the axis are 0 and 255, so that pure colours are named as what they are.
    axis = np.rint(np.arange(_LEVELS) * (255 / (_LEVELS - 1))).astype(np.uint8)
    lab = to_lab(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1))
    lightness, chroma, hue = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2]), hue_degrees(lab)
    index = {name: place for place, name in enumerate(COLOURS)}
    names = np.zeros(lightness.shape, dtype=np.uint8)

    def apply(rules: tuple[Rule, ...], open_cells: npt.NDArray[np.bool_]) -> None:
        for name, lighter, stronger in rules:
            fits = open_cells & (lightness < lighter) & (chroma < stronger)
            names[fits] = index[name]
            open_cells &= ~fits

    unnamed = np.ones(lightness.shape, dtype=np.bool_)
    apply(_NEUTRAL, unnamed)
    start = _SECTORS[-1][0] - 360
    turned = np.where(hue >= _SECTORS[-1][0], hue - 360, hue)
    for end, rules in _SECTORS:
        apply(rules, unnamed & (turned >= start) & (turned < end))
        start = end
    return names
