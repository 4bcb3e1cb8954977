"""What may be said of images, as an ordered list of claims with measured values.

A claim is made only when its measure is decisive: between two words nothing is said. Every fact is
measured once and belongs to one claim, so two claims cannot contradict each other. A language
turns each claim into a sentence and decides nothing.
"""

import enum
from dataclasses import dataclass

from sa1b_captions.caption.engines.preview.colours import Colour
from sa1b_captions.caption.engines.preview.look import Slant, Swatch
from sa1b_captions.caption.engines.preview.places import Place, Region


class Term(enum.Enum):
    """A word of claims, in both languages."""

    def __init__(self, english: str, chinese: str) -> None:
        self.english = english
        self.chinese = chinese


class Tone(Term):
    """Overall brightness."""

    VERY_DARK = "very dark", "很暗"
    DARK = "dark", "偏暗"
    MIDDLING = "mid-toned", "亮度适中"
    BRIGHT = "bright", "偏亮"
    VERY_BRIGHT = "very bright", "非常明亮"


class Contrast(Term):
    """Distance between the dark and the light parts."""

    FLAT = "hardly any contrast", "几乎没有反差"
    LOW = "low contrast", "反差较弱"
    MODERATE = "moderate contrast", "反差中等"
    STRONG = "strong contrast", "反差较强"
    EXTREME = "very strong contrast", "反差强烈"


class Format(Term):
    """Shape of the frame."""

    PANORAMIC = "panoramic", "超宽横幅"
    WIDE = "wide landscape-format", "宽横幅"
    LANDSCAPE = "landscape-format", "横幅"
    SQUARE = "square", "正方形"
    PORTRAIT = "portrait-format", "竖幅"
    TALL = "tall", "细长竖幅"


class Lead(enum.StrEnum):
    """How many colours rule the image."""

    ALL = "all"  # one covers nearly everything
    ONE = "one"
    PAIR = "pair"
    MANY = "many"


class Strength(enum.StrEnum):
    """How strong the colours are."""

    FAINT = "faint"  # hardly any hue anywhere
    MUTED = "muted"  # hues, and none of them strong
    PARTLY = "partly"  # strong in a part of the frame
    VIVID = "vivid"  # strong in most of it


class Texture(enum.StrEnum):
    """How much of the frame is smooth."""

    BARE = "bare"
    SMOOTH = "smooth"
    MIXED = "mixed"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Size:
    """Pixels and shape of the frame."""

    width: int
    height: int
    format: Format


@dataclass(frozen=True, slots=True)
class Overview:
    """What is seen at a glance."""

    size: Size
    tone: Tone | None
    contrast: Contrast | None
    is_grey: bool
    """Whether practically no pixel has a hue."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The largest colours and where they lie."""

    lead: Lead
    swatches: tuple[Swatch, ...]
    """One to four, by share, descending."""


@dataclass(frozen=True, slots=True)
class Rim:
    """The outermost edge is of one colour, and the inside is not."""

    colour: Colour


@dataclass(frozen=True, slots=True)
class Slope:
    """Light grows steadily from one side to the opposite one."""

    columns: int
    """1 when it grows to the right, -1 to the left, 0 neither."""
    rows: int
    """1 when it grows downwards, -1 upwards, 0 neither."""


@dataclass(frozen=True, slots=True)
class CentreLight:
    """The central part differs from each of the four sides."""

    gain: float
    """L* of the centre over that of the rim; below 0 when the rim is lighter."""


@dataclass(frozen=True, slots=True)
class Extremes:
    """Which of nine equal parts are by far the lightest and the darkest; None if in doubt."""

    lightest: Region | None
    darkest: Region | None


@dataclass(frozen=True, slots=True)
class EvenLight:
    """All nine parts of the frame are about equally light."""

    gap: float
    """L* between the lightest part and the darkest."""


@dataclass(frozen=True, slots=True)
class Surface:
    """Smooth areas and detail."""

    texture: Texture
    smooth: float
    """Share of the frame, 0 to 1."""
    detail_place: Place
    smooth_place: Place


@dataclass(frozen=True, slots=True)
class Direction:
    """Most edges run one way."""

    slant: Slant


@dataclass(frozen=True, slots=True)
class Sharpness:
    """How steep the steepest edges are."""

    is_crisp: bool
    """Else soft: every edge that was found is wide."""
    edge_px: float
    """Full-size pixels from dark to light."""


@dataclass(frozen=True, slots=True)
class ColourStrength:
    """How strong the colours are."""

    strength: Strength
    vivid: float
    """Share of the frame whose colour is vivid; told when PARTLY or VIVID."""


@dataclass(frozen=True, slots=True)
class Warmth:
    """Warm hues, reds to yellows, have far more of the frame than cool ones, or far less."""

    is_warm: bool


@dataclass(frozen=True, slots=True)
class Accent:
    """A vivid colour too small to be among the largest."""

    swatch: Swatch


@dataclass(frozen=True, slots=True)
class Levels:
    """Lightness below which one twentieth, one half and nineteen twentieths of the frame lie."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True)
class Portrait:
    """One image of several, in a sentence."""

    number: int
    """Place in the sample, from 0."""
    tone: Tone | None
    contrast: Contrast | None
    is_grey: bool
    lead: Lead
    swatches: tuple[Swatch, ...]
    """One or two."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of several images: which of them share which."""

    count: int
    groups: tuple[tuple[Size, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """No measure tells an image from an earlier one."""

    number: int
    earlier: int


class Scale(enum.StrEnum):
    """What several images are ranked by."""

    BRIGHTNESS = "brightness"
    CONTRAST = "contrast"
    COLOUR = "colour"


@dataclass(frozen=True, slots=True)
class Ranking:
    """Which image leads on which scale; only those that lead with a margin."""

    count: int
    ends: tuple[tuple[Scale, int | None, int | None], ...]
    """Scale, place of the image with the most, of the one with the least."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Several images are close on every scale."""

    count: int


@dataclass(frozen=True, slots=True)
class Shared:
    """Colours that are among the largest of every image; one or two."""

    count: int
    colours: tuple[Colour, ...]


@dataclass(frozen=True, slots=True)
class Finest:
    """The image with the finest edges, and the one with the widest."""

    count: int
    finest: int
    finest_px: float
    widest: int
    widest_px: float


Claim = (
    Overview | Palette | Rim | Slope | CentreLight | Extremes | EvenLight | Surface | Direction
    | Sharpness | ColourStrength | Warmth | Accent | Levels | Portrait | Sizes | Repeat | Ranking
    | Alike | Shared | Finest
)  # fmt: skip
