"""English words for traits and places."""

from sa1b_captions.caption.engines.preview.look import Slant, Swatch
from sa1b_captions.caption.engines.preview.traits import Contrast, Format, Strength, Tone

TONES = {
    Tone.VERY_DARK: "very dark",
    Tone.DARK: "dark",
    Tone.MIDDLING: "mid-toned",
    Tone.BRIGHT: "bright",
    Tone.VERY_BRIGHT: "very bright",
}
FORMATS = {
    Format.PANORAMIC: "panoramic",
    Format.WIDE: "wide landscape",
    Format.LANDSCAPE: "landscape-format",
    Format.SQUARE: "square",
    Format.PORTRAIT: "portrait-format",
    Format.TALL: "tall",
}
CONTRASTS = {
    Contrast.FLAT: "hardly any contrast",
    Contrast.LOW: "low contrast",
    Contrast.MODERATE: "moderate contrast",
    Contrast.STRONG: "strong contrast",
    Contrast.EXTREME: "very strong contrast",
}
STRENGTHS = {
    Strength.FAINT: "nearly colourless",
    Strength.MUTED: "muted",
    Strength.MODERATE: "of moderate strength",
    Strength.VIVID: "vivid",
}
SIDES = {
    (-1, -1): "the upper left",
    (0, -1): "the top",
    (1, -1): "the upper right",
    (-1, 0): "the left",
    (1, 0): "the right",
    (-1, 1): "the lower left",
    (0, 1): "the bottom",
    (1, 1): "the lower right",
}
SLANTS = {
    Slant.VERTICAL: "vertically",
    Slant.HORIZONTAL: "horizontally",
    Slant.RISING: "diagonally, rising to the right",
    Slant.FALLING: "diagonally, falling to the right",
}
GROUP_MOST = 8
"""Most images of a sample that can be told apart in words."""
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
COUNTS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")

_UNEVENLY = ("is spread unevenly", "is unevenly distributed", "is found in uneven amounts")
_EVERYWHERE = ("is spread over the whole frame", "turns up throughout", "is present everywhere")
_IN_FLECKS = ("is scattered about in small pieces", "is dotted over the frame", "appears in flecks")
_WITHIN = ("lies almost wholly within", "keeps almost entirely to", "sits nearly all in")
_MAINLY = ("lies mainly in", "gathers in", "sits mostly in")
_DENSEST = ("is densest in", "is commonest in", "is thickest in")


def percent(share: float) -> str:
    """A share of the frame as people write it."""
    if share < 0.0005:
        return "next to nothing"
    return f"{share:.1%}" if share < 0.0195 else f"{share:.0%}"


def lies(swatch: Swatch, turn: int = 0) -> str:
    """Say where a colour lies, as a verb phrase; `turn` varies the verb in a list."""
    place, turn = swatch.place, turn % 3
    if place.english is None:
        spread = _EVERYWHERE if place.even else _UNEVENLY
        return (_IN_FLECKS if swatch.flecked else spread)[turn]
    if place.filled:
        return f"fills {place.english}" + ("" if place.held >= 0.8 else " and reaches beyond it")
    if swatch.flecked and swatch.share < 0.1:
        amount = "almost only over" if place.held >= 0.9 else "mainly over"
        amount = amount if place.held >= 0.65 else "most thickly over"
        return f"is sprinkled {amount} {place.english}"
    verbs = _WITHIN if place.held >= 0.9 else _MAINLY if place.held >= 0.65 else _DENSEST
    broken = "is broken up and " if swatch.flecked else ""
    return f"{broken}{verbs[turn]} {place.english}"


def listed(parts: list[str]) -> str:
    """Join with commas and a final `and`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def sentence(text: str) -> str:
    """Capitalise the first letter and end with a full stop."""
    return f"{text[0].upper()}{text[1:]}."
