"""What is claimed of one image: the thresholds, and in which order."""

import itertools
from collections.abc import Sequence

from sa1b_captions.caption.engines.preview import claims as c
from sa1b_captions.caption.engines.preview.look import Light, Look
from sa1b_captions.caption.engines.preview.places import NINTHS, Region

_MOST_SWATCHES = 4
_FEWEST_ASPECTS = 4
"""With fewer aspects worth telling the spread of lightness is told as well."""
_GRAIN_BELOW = 1.5
"""Grain of the calmest tile up to which anything is called smooth."""
_GREY_BELOW = 0.005
"""Share of pixels with a trace of colour up to which an image is black and white."""


def claims_of(look: Look) -> list[c.Claim]:
    """All that is claimed of one image, in the order in which it is told."""
    told = aspects(look)
    overview = c.Overview(size(look), tone(look.light), contrast(look.light), is_grey(look))
    palette = c.Palette(lead(look), look.swatches[:_MOST_SWATCHES])
    if len(told) < _FEWEST_ASPECTS or overview.tone is None or overview.contrast is None:
        told.append(c.Levels(look.light.low, look.light.median, look.light.high))
    return [overview, palette, *told]


def aspects(look: Look) -> list[c.Claim]:
    """What is claimed of one image beside its size, tone and largest colours."""
    found = (_rim(look), light_shape(look.light), *_surface(look), *_colour(look))
    return [claim for claim in found if claim is not None]


def size(look: Look) -> c.Size:
    """Name the shape of the frame."""
    limits = (
        (1 / 1.7, c.Format.TALL), (0.985, c.Format.PORTRAIT), (1.015, c.Format.SQUARE),
        (1.7, c.Format.LANDSCAPE), (2.2, c.Format.WIDE),
    )  # fmt: skip
    ratio = look.width / look.height
    shape = next((name for limit, name in limits if ratio < limit), c.Format.PANORAMIC)
    return c.Size(look.width, look.height, shape)


def tone(light: Light) -> c.Tone | None:
    """Name the overall brightness; an image of darks and lights has none."""
    if light.mean < 16 and light.three_quarters < 28:
        return c.Tone.VERY_DARK
    if 20 <= light.mean < 36 and light.three_quarters < 52:
        return c.Tone.DARK
    if 40 <= light.mean < 62 and light.quarter > 25 and light.three_quarters < 80:
        return c.Tone.MIDDLING
    if 66 <= light.mean < 80 and light.quarter > 50:
        return c.Tone.BRIGHT
    return c.Tone.VERY_BRIGHT if light.mean >= 84 and light.quarter > 72 else None


def contrast(light: Light) -> c.Contrast | None:
    """Name the contrast."""
    ranges = (
        (0, 9, c.Contrast.FLAT), (13, 29, c.Contrast.LOW), (35, 54, c.Contrast.MODERATE),
        (62, 77, c.Contrast.STRONG), (83, 101, c.Contrast.EXTREME),
    )  # fmt: skip
    spread = light.high - light.low
    return next((name for least, most, name in ranges if least <= spread < most), None)


def is_grey(look: Look) -> bool:
    """Whether practically no pixel has a hue."""
    return look.hues.any < _GREY_BELOW


def lead(look: Look) -> c.Lead:
    """Say how many colours rule."""
    first, second = (*(swatch.share for swatch in look.swatches), 0.0)[:2]
    if first >= 0.8 or not second:
        return c.Lead.ALL
    if first >= 0.55 and first >= 2 * second:
        return c.Lead.ONE
    return c.Lead.PAIR if first + second >= 0.55 and second >= 0.18 else c.Lead.MANY


def _rim(look: Look) -> c.Rim | None:
    return None if look.rim is None else c.Rim(look.rim)


def light_shape(light: Light) -> c.Slope | c.CentreLight | c.Extremes | c.EvenLight | None:
    """Name the way light is spread: one claim at most."""
    ninths = ninth_means(light)
    gap = max(ninths) - min(ninths)
    if gap < 5:
        return c.EvenLight(gap)
    found = _slope(light) or _centre(light.cells)
    if found is not None:
        return found
    lightest = _outstanding(ninths, light.lightest_in)
    darkest = _outstanding([-mean for mean in ninths], light.darkest_in)
    return c.Extremes(lightest, darkest) if lightest or darkest else None


def ninth_means(light: Light) -> list[float]:
    """Mean L* of each of NINTHS."""
    cells = light.cells
    return [
        sum(cells[2 * row + y][2 * column + x] for y in (0, 1) for x in (0, 1)) / 4
        for row in range(3)
        for column in range(3)
    ]


def _slope(light: Light) -> c.Slope | None:
    """A side that light grows towards, step by step and along every lane of the frame."""
    turned = list(zip(*light.cells, strict=True))
    columns, rows = _grows(light.across, light.cells), _grows(light.down, turned)
    if columns or rows:
        # Light that grows both ways grows towards a corner.
        return c.Slope(columns, rows)
    return None


def _grows(profile: Sequence[float], lanes: Sequence[Sequence[float]]) -> int:
    """1 when every lane gets lighter towards its end, -1 when darker, 0 when in doubt."""
    sign = 1 if profile[-1] > profile[0] else -1
    gain = sign * (profile[-1] - profile[0])
    steps = [sign * (after - before) for before, after in itertools.pairwise(profile)]
    ends = [sign * (lane[-1] + lane[-2] - lane[0] - lane[1]) / 2 for lane in lanes]
    is_steady = min(steps) >= -0.02 * gain and max(steps) <= 0.3 * gain
    return sign if gain >= 18 and is_steady and min(ends) >= 0.3 * gain else 0


def _centre(cells: Sequence[Sequence[float]]) -> c.CentreLight | None:
    centre = [value for row in cells[1:-1] for value in row[1:-1]]
    middle = sum(centre) / len(centre)
    sides = (cells[0], cells[-1], [row[0] for row in cells], [row[-1] for row in cells])
    gains = [middle - sum(side) / len(side) for side in sides]
    gain = sum(gains) / len(gains)
    nearest = min(gains) if gain > 0 else -max(gains)
    return c.CentreLight(gain) if abs(gain) >= 12 and nearest >= 6 else None


def _outstanding(means: Sequence[float], shares: Sequence[float]) -> Region | None:
    """The ninth with the largest mean, where it also holds most of the extreme pixels."""
    best = max(range(len(means)), key=means.__getitem__)
    second = max(mean for place, mean in enumerate(means) if place != best)
    others = max(share for place, share in enumerate(shares) if place != best)
    is_clear = means[best] - second >= 4 and shares[best] >= max(0.3, 1.5 * others)
    return NINTHS[best] if is_clear else None


def _surface(look: Look) -> list[c.Claim | None]:
    """Texture, direction and sharpness."""
    detail = look.detail
    direction = None if detail.slant is None else c.Direction(detail.slant)
    return [_texture(look), direction, sharpness(look)]


def _texture(look: Look) -> c.Surface | None:
    detail = look.detail
    limits = (0.18, c.Texture.BUSY), (0.66, c.Texture.MIXED), (0.985, c.Texture.SMOOTH)
    kind = next((name for limit, name in limits if detail.smooth < limit), c.Texture.BARE)
    if kind is not c.Texture.BUSY and detail.grain > _GRAIN_BELOW:
        # Fine grain is averaged away where smoothness is measured, but it is there.
        return None
    return c.Surface(kind, detail.smooth, detail.place, detail.smooth_place)


def sharpness(look: Look) -> c.Sharpness | None:
    """Say that edges are crisp or soft, when enough of them were found and they agree."""
    widths = look.detail.edge_px
    if len(widths) < 4:
        return None
    if widths[3] <= 2.6:
        return c.Sharpness(is_crisp=True, edge_px=widths[0])
    return c.Sharpness(is_crisp=False, edge_px=widths[0]) if widths[0] >= 8 else None


def _colour(look: Look) -> list[c.Claim | None]:
    if is_grey(look):
        return []
    hues = look.hues
    strength = _strength(look)
    if strength is not None and strength.strength is c.Strength.FAINT:
        return [strength]
    # Hues between warm and cool ones count against either.
    larger = max(hues.warm, hues.cool)
    is_one_sided = larger >= 0.2 and larger >= 4 * (hues.plain - larger)
    return [
        strength,
        c.Warmth(hues.warm > hues.cool) if is_one_sided else None,
        None if look.accent is None else c.Accent(look.accent),
    ]


def _strength(look: Look) -> c.ColourStrength | None:
    hues = look.hues
    if hues.plain < 0.03 and hues.any < 0.12 and hues.strong < 0.002:
        return c.ColourStrength(c.Strength.FAINT, hues.strong)
    if hues.strong >= 0.55:
        return c.ColourStrength(c.Strength.VIVID, hues.strong)
    # What is neither vivid nor muted must be little, or the share is a matter of taste.
    if 0.03 <= hues.strong < 0.4 and hues.lively < 1.7 * hues.strong:
        return c.ColourStrength(c.Strength.PARTLY, hues.strong)
    if hues.lively < 0.03 and hues.plain >= 0.15:
        return c.ColourStrength(c.Strength.MUTED, hues.strong)
    return None
