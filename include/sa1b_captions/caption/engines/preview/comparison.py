"""What sets several images apart, and what they have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sa1b_captions.caption.engines.preview.colours import Colour
from sa1b_captions.caption.engines.preview.look import Look


@dataclass(frozen=True, slots=True)
class Range:
    """The two ends of one measure, as positions in the sample."""

    most: int
    least: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Measures that tell the images of a sample apart; None where they are much alike."""

    same_size: bool
    identical: bool
    """Whether no measure differs at all."""
    brightness: Range | None
    contrast: Range | None
    colourfulness: Range | None
    edge_width: Range | None
    """The image with the widest edges and the one with the finest."""
    shared: tuple[Colour, ...]
    """Colours that matter in every image, commonest first; at most two."""


def compare(looks: Sequence[Look]) -> Comparison:
    """Compare two or more looks."""
    return Comparison(
        same_size=len({(look.width, look.height) for look in looks}) == 1,
        identical=len(set(looks)) == 1,
        brightness=_range(looks, lambda look: look.light.mean, 5),
        contrast=_range(looks, lambda look: look.light.spread, 12),
        colourfulness=_range(looks, lambda look: look.chroma, 6),
        edge_width=_range(looks, lambda look: look.detail.edge_px, 1.2),
        shared=_shared(looks),
    )


def _range(
    looks: Sequence[Look], measure: Callable[[Look], float], least_gap: float
) -> Range | None:
    values = [measure(look) for look in looks]
    if max(values) - min(values) < least_gap:
        return None
    return Range(values.index(max(values)), values.index(min(values)))


def _shared(looks: Sequence[Look]) -> tuple[Colour, ...]:
    first, *rest = ({swatch.colour: swatch.share for swatch in look.swatches} for look in looks)
    common = [colour for colour in first if all(colour in other for other in rest)]
    total = {colour: first[colour] + sum(other[colour] for other in rest) for colour in common}
    return tuple(sorted(common, key=lambda colour: -total[colour])[:2])
