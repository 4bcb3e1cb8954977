"""All that is measured of an image, as numbers."""

from dataclasses import dataclass

from sa1b_captions.caption.engines.preview.places import Place


@dataclass(frozen=True, slots=True)
class Swatch:
    """One named colour of an image."""

    colour: str
    """One of COLOURS."""
    share: float
    """Of the frame, 0 to 1."""
    place: Place


@dataclass(frozen=True, slots=True)
class Light:
    """How light is spread, in lightness L* from 0 to 100."""

    mean: float
    low: float
    """One twentieth of the frame is darker."""
    quarter: float
    three_quarters: float
    high: float
    """One twentieth of the frame is lighter."""
    cells: tuple[tuple[float, ...], ...]
    """Mean of each cell of the grid, row by row."""
    across: tuple[float, ...]
    """Mean of each of many narrow columns, from the left."""
    down: tuple[float, ...]
    """Mean of each of many narrow rows, from the top."""
    lightest_in: tuple[float, ...]
    """Of the lightest hundredth of the frame, the share that lies in each of NINTHS."""
    darkest_in: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Detail:
    """Where there is texture, and how sharp it is."""

    place: Place
    busy: float
    """Share of the cells of the grid in which most pixels differ plainly from the next."""
    smooth: float
    """Share of the frame whose lightness hardly changes from pixel to pixel, 0 to 1."""
    direction: str | None
    """Name of the way that more than half of all that edges amount to runs, if there is one."""
    grain: float
    """Mean step to the next full-size pixel where the reduced image is calmest, of 100."""
    edge_px: tuple[float, ...]
    """Full-size pixels that edges take from dark to light, for each tile with edges; ascending."""


@dataclass(frozen=True, slots=True)
class Hues:
    """How much colour there is: shares of the frame, 0 to 1."""

    mean_chroma: float
    """Mean C*, 0 for grey."""
    any: float
    """Pixels with a trace of colour: chroma over 6."""
    plain: float
    """Pixels with a hue that people see: chroma over 12."""
    lively: float
    """Pixels whose colour is more than muted: chroma over 24, or 18 from
    green to cyan, which have less of it."""
    strong: float
    """Pixels of vivid colour: chroma over 52, or 36 in turquoise, and not too dark to show."""
    warm: float
    """Plain pixels in reds, oranges and yellows."""
    cool: float
    """Plain pixels in greens, blues and violets."""
    not_warm: float
    """Pixels with a trace of any other colour than a warm one."""
    not_cool: float


@dataclass(frozen=True, slots=True)
class Measurements:
    """What the pixels of one image prove."""

    width: int
    height: int
    light: Light
    detail: Detail
    hues: Hues
    swatches: tuple[Swatch, ...]
    """The largest colours, by share, descending; one at least."""
    accent: str | None
    """The largest vivid colour that is too small to be a swatch."""
    rim: str | None
    """The colour of nearly all of the outermost edge, when the inside differs."""
