"""A look in words' reach: the thresholds that both languages share, and what is worth saying."""

import enum
import math

from sa1b_captions.caption.engines.preview.look import Look

BARE_FROM = 0.985
"""Share of smooth pixels from which there is no detail to speak of."""


class Tone(enum.StrEnum):
    """Overall brightness."""

    VERY_DARK = "very dark"
    DARK = "dark"
    MIDDLING = "middling"
    BRIGHT = "bright"
    VERY_BRIGHT = "very bright"


class Contrast(enum.StrEnum):
    """Distance between the dark and the light parts."""

    FLAT = "flat"
    LOW = "low"
    MODERATE = "moderate"
    STRONG = "strong"
    EXTREME = "extreme"


class Format(enum.StrEnum):
    """Shape of the frame."""

    PANORAMIC = "panoramic"
    WIDE = "wide"
    LANDSCAPE = "landscape"
    SQUARE = "square"
    PORTRAIT = "portrait"
    TALL = "tall"


class Lead(enum.StrEnum):
    """How many colours rule the image."""

    ONE = "one"
    PAIR = "pair"
    MANY = "many"


class Strength(enum.StrEnum):
    """How strong the colours are."""

    NONE = "none"
    FAINT = "faint"
    MUTED = "muted"
    MODERATE = "moderate"
    VIVID = "vivid"


class Lean(enum.StrEnum):
    """Which hues prevail."""

    WARM = "warm"
    COOL = "cool"
    BOTH = "both"
    NEITHER = "neither"


class LightShape(enum.StrEnum):
    """How light is spread over the frame."""

    SLOPE = "slope"
    CENTRE = "centre"  # lighter than the rim
    RIM = "rim"  # lighter than the centre
    UNEVEN = "uneven"
    EVEN = "even"


class Texture(enum.StrEnum):
    """How much of the frame is smooth."""

    SMOOTH = "smooth"
    MIXED = "mixed"
    BUSY = "busy"


class Sharpness(enum.StrEnum):
    """How sharp edges are, at full size and reduced."""

    CRISP = "crisp"
    SOFTENED = "softened"  # a little soft at full size
    SHARP_REDUCED = "sharp reduced"  # soft at full size, sharp when reduced
    SOFT = "soft"  # soft at full size
    BLURRED = "blurred"  # soft even when reduced


class Aspect(enum.StrEnum):
    """What a caption may go on to say after its colours."""

    RIM = "rim"
    LIGHT = "light"
    DETAIL = "detail"
    SHARPNESS = "sharpness"
    HUES = "hues"


def tone(look: Look) -> Tone:
    """Name the overall brightness."""
    limits = (18, Tone.VERY_DARK), (38, Tone.DARK), (62, Tone.MIDDLING), (80, Tone.BRIGHT)
    return next((name for limit, name in limits if look.light.mean < limit), Tone.VERY_BRIGHT)


def contrast(look: Look) -> Contrast:
    """Name the contrast."""
    limits = (
        (12, Contrast.FLAT),
        (32, Contrast.LOW),
        (58, Contrast.MODERATE),
        (80, Contrast.STRONG),
    )
    return next((name for limit, name in limits if look.light.spread < limit), Contrast.EXTREME)


def shape(look: Look) -> Format:
    """Name the shape of the frame."""
    limits = (
        (1 / 1.7, Format.TALL),
        (1 / 1.03, Format.PORTRAIT),
        (1.03, Format.SQUARE),
        (1.7, Format.LANDSCAPE),
        (2.2, Format.WIDE),
    )
    ratio = look.width / look.height
    return next((name for limit, name in limits if ratio < limit), Format.PANORAMIC)


def lead(look: Look) -> Lead:
    """Say how many colours rule."""
    first, second = (*look.swatches, None)[:2]
    if first is None or first.share >= 0.6 or second is None:
        return Lead.ONE
    if first.share + second.share >= 0.55 and second.share >= 0.15:
        return Lead.PAIR
    return Lead.MANY


def strength(look: Look) -> Strength:
    """Name the strength of the colours."""
    if look.is_grey:
        return Strength.NONE
    limits = (7, Strength.FAINT), (20, Strength.MUTED), (36, Strength.MODERATE)
    return next((name for limit, name in limits if look.chroma < limit), Strength.VIVID)


def lean(look: Look) -> Lean:
    """Say whether warm or cool hues prevail."""
    if max(look.warm, look.cool) < 0.1:
        return Lean.NEITHER
    if look.warm >= 3 * look.cool:
        return Lean.WARM
    return Lean.COOL if look.cool >= 3 * look.warm else Lean.BOTH


def light_shape(look: Look) -> LightShape:
    """Name the way light is spread."""
    light = look.light
    if light.slope_fit >= 0.3 and math.hypot(light.across, light.down) >= 12:
        return LightShape.SLOPE
    if abs(light.centre_gain) >= 14:
        return LightShape.CENTRE if light.centre_gain > 0 else LightShape.RIM
    return LightShape.UNEVEN if light.ninth_range >= 6 else LightShape.EVEN


def lighter_side(look: Look) -> tuple[int, int]:
    """Direction in which the image grows lighter: (-1, 0 or 1 to the right; same downwards)."""
    across, down = look.light.across, look.light.down
    steeper = max(abs(across), abs(down))
    # Less than two fifths of the steeper part is less than 22 degrees: not yet a diagonal.
    columns = 0 if abs(across) < 0.4 * steeper else int(math.copysign(1, across))
    rows = 0 if abs(down) < 0.4 * steeper else int(math.copysign(1, down))
    return columns, rows


def texture(look: Look) -> Texture:
    """Say how much of the frame is smooth."""
    if look.detail.smooth >= 0.65:
        return Texture.SMOOTH
    return Texture.BUSY if look.detail.smooth <= 0.2 else Texture.MIXED


def sharpness(look: Look) -> Sharpness:
    """Name the sharpness of edges."""
    if look.detail.reduced_edge_px >= 3:
        return Sharpness.BLURRED
    if look.detail.edge_px < 4:
        return Sharpness.CRISP if look.detail.edge_px < 2 else Sharpness.SOFTENED
    is_sharp_reduced = look.detail.edge_px < 7 and look.detail.reduced_edge_px < 1.8
    return Sharpness.SHARP_REDUCED if is_sharp_reduced else Sharpness.SOFT


def aspects(look: Look) -> list[Aspect]:
    """What is worth saying beside the colours, most telling first."""
    light = look.light
    hues = {Strength.FAINT: 0.5, Strength.VIVID: 0.65}.get(strength(look), 0.3)
    scores = {
        Aspect.LIGHT: 0.45 if light.ninth_range < 4 else light.ninth_range / 50,
        Aspect.DETAIL: 0.3 + abs(look.detail.smooth - 0.45),
    }
    if not look.is_grey:
        scores[Aspect.HUES] = hues + 0.3 * abs(look.warm - look.cool)
    if look.detail.smooth < BARE_FROM:
        blurred = sharpness(look) is Sharpness.BLURRED
        scores[Aspect.SHARPNESS] = 0.9 if blurred else min(0.6, 0.3 + look.detail.edge_px / 30)
    if look.rim is not None:
        scores[Aspect.RIM] = 0.95
    return sorted(scores, key=lambda aspect: -scores[aspect])
