"""Everything a preview caption may state about an image, as numbers."""

import enum
from dataclasses import dataclass

from sa1b_captions.caption.engines.preview.colours import Colour
from sa1b_captions.caption.engines.preview.places import Place


class Slant(enum.StrEnum):
    """Which way most edges run."""

    VERTICAL = "vertical"
    HORIZONTAL = "horizontal"
    RISING = "rising"  # from the lower left to the upper right
    FALLING = "falling"


@dataclass(frozen=True, slots=True)
class Swatch:
    """One named colour of an image."""

    colour: Colour
    share: float
    """Of the frame, 0 to 1."""
    place: Place
    flecked: bool
    """Whether it is broken into small pieces."""


@dataclass(frozen=True, slots=True)
class Light:
    """How light is spread."""

    mean: float
    """Mean lightness L*, 0 to 100."""
    spread: float
    """Lightness between the darkest and the lightest twentieth, 0 to 100."""
    near_black: float
    """Share of the frame below L* 20."""
    near_white: float
    """Share of the frame above L* 85."""
    across: float
    """L* gained from the left edge to the right one, by the plane that fits best."""
    down: float
    """L* gained from the top edge to the bottom one."""
    slope_fit: float
    """Share of the lightness variance that the plane explains, 0 to 1."""
    centre_gain: float
    """Mean L* of the central part minus that of the outer rim."""
    lightest: int
    """Index into NINTHS."""
    darkest: int
    ninth_range: float
    """Mean L* of the lightest ninth minus that of the darkest."""


@dataclass(frozen=True, slots=True)
class Detail:
    """Where there is texture, and how sharp it is."""

    place: Place
    smooth: float
    """Share of the frame whose lightness hardly changes from pixel to pixel, 0 to 1."""
    smooth_place: Place
    slant: Slant | None
    """None when edges run in all directions."""
    edge_px: float
    """Pixels of the full-size image that its crispest busy part takes to go from dark to light."""
    reduced_edge_px: float
    """The same after reduction to the size of a thumbnail."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the pixels of one image prove."""

    width: int
    height: int
    light: Light
    detail: Detail
    swatches: tuple[Swatch, ...]
    """Colours of at least 4 % of the frame, or 1 % if there are fewer than three; the largest
    always. By share, descending."""
    accent: Swatch | None
    """The largest vivid colour that is too small to be a swatch."""
    chroma: float
    """Mean chroma C*, 0 for grey."""
    is_grey: bool
    """Whether practically no pixel has a hue."""
    warm: float
    """Share of the frame in reds, oranges and yellows."""
    cool: float
    """Share of the frame in greens, blues and violets."""
    rim: Colour | None
    """The colour of nearly all of the outermost edge, when the inside differs."""
