"""What may be said of images, as an ordered list of claims with measured values.

A claim is made only when its measure is decisive: between two words nothing is said. Every fact is
measured once and belongs to one claim, so two claims cannot contradict each other. A language
words each claim by a table and decides nothing.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sa1b_captions.caption.engines.preview.measurements import Light, Measurements, Swatch
from sa1b_captions.caption.engines.preview.places import NINTHS

_GRAIN_BELOW = 1.5
"""Grain of the calmest tile up to which anything is called smooth."""
_GREY_BELOW = 0.005
"""Share of pixels with a trace of colour up to which an image has none."""
_GREY_CHROMA = 1.5
"""Mean chroma from which the whole of an image has a tint."""
_RULE_FROM = 0.5
"""Share that the largest colours must have together to be called the main ones."""
_MOST_OF_FRAME = 0.75
"""Share of one colour from which its place goes without saying."""
_FORMATS = (
    (1 / 1.7, "tall"), (0.985, "portrait-format"), (1.015, "square"), (1.7, "landscape-format"),
    (2.2, "wide landscape-format"), (float("inf"), "panoramic"),
)  # fmt: skip
"""Width over height up to which a shape has its name."""
_CONTRASTS = (
    (0, 9, "practically absent"), (13, 29, "low"), (36, 48, "moderate"), (64, 101, "strong"),
)  # fmt: skip
"""L* between the lightest and the darkest twentieth: from, to, and the word."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One fact about an image or several: the name of its templates, and what was measured."""

    fact: str
    values: Mapping[str, "Value"]


Value = str | float | Claim | tuple["Value", ...]
"""A word in English, which a language looks up; a number; a part of a claim; or several."""


def claims_of(image: Measurements) -> list[Claim]:
    """All that is claimed of one image, in the order in which it is told."""
    light = image.light
    opening = [
        Claim("size", {"size": size(image)}),
        *(_known("tone", tone=tone(light), mean=light.mean) or _known("mean", mean=light.mean)),
        *(
            _known("contrast", contrast=contrast(light), low=light.low, high=light.high)
            or _known("range", low=light.low, high=light.high)
        ),
        Claim(_rule(image.swatches), {"parts": colours(image)}),
    ]
    return [*opening, *aspects(image)]


def aspects(image: Measurements) -> list[Claim]:
    """What is claimed of one image beside its size, tone, contrast and largest colours."""
    return [
        *_known("rim", colour=image.rim),
        *_spread_of_light(image.light),
        *_texture(image),
        *_known("detail", region=image.detail.place.region),
        *_known("direction", direction=image.detail.direction),
        *_sharpness(image.detail.edge_px),
        *_colour(image),
    ]


def _known(fact: str, **values: Value | None) -> list[Claim]:
    """A claim if its values are known."""
    found = {name: value for name, value in values.items() if value is not None}
    return [Claim(fact, found)] if len(found) == len(values) else []


def size(image: Measurements) -> Claim:
    """Pixels and shape of the frame."""
    ratio = image.width / image.height
    shape = next(name for limit, name in _FORMATS if ratio < limit)
    return Claim("frame", {"format": shape, "width": image.width, "height": image.height})


def tone(light: Light) -> str | None:
    """Name the overall brightness; an image of darks and lights has none."""
    if light.mean < 16 and light.three_quarters < 28:
        return "very dark"
    if 20 <= light.mean < 36 and light.three_quarters < 52:
        return "dark"
    if 40 <= light.mean < 62 and light.quarter > 25 and light.three_quarters < 80:
        return "medium"
    if 66 <= light.mean < 80 and light.quarter > 50:
        return "bright"
    return "very bright" if light.mean >= 84 and light.quarter > 72 else None


def contrast(light: Light) -> str | None:
    """Name the distance between the dark and the light parts."""
    spread = light.high - light.low
    return next((name for least, most, name in _CONTRASTS if least <= spread < most), None)


def _rule(swatches: Sequence[Swatch]) -> str:
    """Name the way in which the largest colours rule an image."""
    if sum(swatch.share for swatch in swatches) < _RULE_FROM:
        return "among_others"
    return "palette" if len(swatches) > 1 else "one_colour"


def colours(image: Measurements, most: int = 4) -> tuple[Claim, ...]:
    """Name the largest colours and where they lie; those of one place are told together."""
    places: dict[tuple[str, str], list[Swatch]] = {}
    for swatch in image.swatches[:most]:
        places.setdefault(_lies(swatch), []).append(swatch)
    return tuple(
        Claim(fact, {"colours": tuple(map(_portion, swatches)), "region": region})
        for (fact, region), swatches in places.items()
    )


def _lies(swatch: Swatch) -> tuple[str, str]:
    """Name the way a colour is spread, and the region if there is one."""
    place = swatch.place
    if place.is_even and swatch.share < _MOST_OF_FRAME:
        return "everywhere", ""
    if place.region is None or place.held < 0.75:
        return "somewhere", ""
    return "mostly" if place.held < 0.9 else "within", place.region


def _portion(swatch: Swatch) -> Claim:
    return Claim("portion", {"colour": swatch.colour, "share": swatch.share})


def _spread_of_light(light: Light) -> Iterable[Claim]:
    """Name the way light is spread: one claim at most."""
    ninths = ninth_means(light.cells)
    gap = max(ninths) - min(ninths)
    if gap < 5:
        return [Claim("even_light", {})]
    if (slope := _slope(light)) is not None:
        return [slope]
    if (gain := _gain_of_centre(light.cells, ninths)) is not None:
        return [Claim("light_centre" if gain > 0 else "dark_centre", {})]
    lightest = _outstanding(ninths, light.lightest_in)
    darkest = _outstanding([-mean for mean in ninths], light.darkest_in)
    ends = [*_known("lightest", region=lightest), *_known("darkest", region=darkest)]
    return [Claim("extremes", {"ends": tuple(ends)})] if ends else []


def ninth_means(cells: Sequence[Sequence[float]]) -> list[float]:
    """Mean L* of each of NINTHS."""
    return [
        sum(cells[2 * row + y][2 * column + x] for y in (0, 1) for x in (0, 1)) / 4
        for row in range(3)
        for column in range(3)
    ]


def _slope(light: Light) -> Claim | None:
    """The side that light grows towards, step by step and along every lane of the frame."""
    turned = list(zip(*light.cells, strict=True))
    columns, rows = _grows(light.across, light.cells), _grows(light.down, turned)
    if not columns and not rows:
        return None
    # Light that grows both ways grows towards a corner.
    return Claim("slope", {"start": _side(-columns, -rows), "end": _side(columns, rows)})


def _side(columns: int, rows: int) -> str:
    row, column = ("", "lower", "upper")[rows], ("", "right", "left")[columns]
    if not column:
        return {"lower": "the bottom", "upper": "the top"}[row]
    return f"the {row} {column}" if row else f"the {column}"


def _grows(profile: Sequence[float], lanes: Sequence[Sequence[float]]) -> int:
    """1 when every lane gets lighter towards its end, -1 when darker, 0 when in doubt."""
    sign = 1 if profile[-1] > profile[0] else -1
    gain = sign * (profile[-1] - profile[0])
    steps = [sign * (after - before) for before, after in itertools.pairwise(profile)]
    ends = [sign * (lane[-1] + lane[-2] - lane[0] - lane[1]) / 2 for lane in lanes]
    # Something light or dark in the way may not turn a lane back.
    back = min(
        sign * (after - before) for lane in lanes for before, after in itertools.pairwise(lane)
    )
    # A dark ground under a light sky is one step, not many, however uneven the horizon.
    sixths = [sign * (profile[at + 3] - profile[at]) for at in range(len(profile) - 3)]
    is_gradual = max(sixths) <= 0.45 * gain
    is_steady = is_gradual and min(steps) >= -0.02 * gain and back >= -0.15 * gain
    return sign if gain >= 18 and is_steady and min(ends) >= 0.3 * gain else 0


def _gain_of_centre(cells: Sequence[Sequence[float]], ninths: Sequence[float]) -> float | None:
    """How much lighter the centre is than the rim, if it is so against every part of the rim."""
    centre = sorted(value for row in cells[1:-1] for value in row[1:-1])
    sides = (cells[0], cells[-1], [row[0] for row in cells], [row[-1] for row in cells])
    means = [sum(side) / len(side) for side in (centre, *sides)]
    gains = [means[0] - mean for mean in means[1:]]
    sign = 1 if gains[0] > 0 else -1
    # A few cells may not make a centre: three quarters of it must differ as the whole does.
    quarter = centre[len(centre) // 4] if sign > 0 else centre[-1 - len(centre) // 4]
    rim = sum(means[1:]) / len(sides)
    is_clear = min(sign * gain for gain in gains) >= 10 and sign * (quarter - rim) > 5
    around = (*ninths[:4], *ninths[5:])
    is_clear &= min(sign * (ninths[4] - mean) for mean in around) >= 5
    return sum(gains) / len(gains) if is_clear and abs(means[0] - rim) >= 18 else None


def _outstanding(means: Sequence[float], shares: Sequence[float]) -> str | None:
    """The ninth with the largest mean, where it also holds most of the extreme pixels."""
    best = max(range(len(means)), key=means.__getitem__)
    second = max(mean for place, mean in enumerate(means) if place != best)
    others = max(share for place, share in enumerate(shares) if place != best)
    is_clear = means[best] - second >= 6 and shares[best] >= max(0.3, 1.5 * others)
    return NINTHS[best] if is_clear else None


def _texture(image: Measurements) -> Iterable[Claim]:
    smooth = image.detail.smooth
    if image.detail.busy >= 0.85:
        return [Claim("busy", {})]
    # Fine grain is averaged away where smoothness is measured, but it is there.
    if smooth < 0.75 or image.detail.grain > _GRAIN_BELOW:
        return []
    return [Claim("smooth" if smooth < 0.985 else "bare", {})]


def _sharpness(edge_px: Sequence[float]) -> Iterable[Claim]:
    """Say that edges are crisp or soft, when enough of them were found and they agree."""
    if len(edge_px) >= 4 and edge_px[3] <= 2.6:
        return [Claim("crisp", {})]
    return [Claim("soft", {})] if len(edge_px) >= 4 and edge_px[0] >= 8 else []


def _colour(image: Measurements) -> Iterable[Claim]:
    hues = image.hues
    if hues.any < _GREY_BELOW and hues.mean_chroma < _GREY_CHROMA:
        return [Claim("grey", {})]
    if hues.plain < 0.004 and hues.any < 0.1 and hues.lively < 0.0005:
        return [Claim("faint", {})]
    claims = [*_strength(image)]
    for fact, share, others in (
        ("warm", hues.warm, hues.not_warm),
        ("cool", hues.cool, hues.not_cool),
    ):
        # Hues between warm and cool ones count against either.
        if share >= 0.2 and share >= 6 * others:
            claims.append(Claim(fact, {}))
    claims += _known("accent", colour=image.accent)
    return claims


def _strength(image: Measurements) -> Iterable[Claim]:
    hues = image.hues
    if hues.strong >= 0.55:
        return [Claim("vivid", {})]
    # What is neither vivid nor muted must be little, or the share is a matter of taste.
    if 0.03 <= hues.strong < 0.4 and hues.lively < 1.7 * hues.strong:
        return [Claim("partly_vivid", {"share": hues.strong})]
    is_muted = hues.lively < 0.01 and hues.strong < 0.001 and image.accent is None
    return [Claim("muted", {})] if is_muted and hues.plain >= 0.15 else []
