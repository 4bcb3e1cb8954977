"""What is claimed of several images: each in turn, then how they compare."""

from collections.abc import Callable, Sequence

from sa1b_captions.caption.engines.preview import claims as c
from sa1b_captions.caption.engines.preview.look import Look
from sa1b_captions.caption.engines.preview.single import (
    aspects,
    contrast,
    is_grey,
    lead,
    sharpness,
    size,
    tone,
)

GROUP_MOST = 8
"""Most images of a sample that can be told apart in words."""
_MOST_WITH_ASPECTS = 5
"""Of more images only the portraits are told, or the text gets too long."""
_MOST_SIZES = 4

_SCALES: tuple[tuple[c.Scale, Callable[[Look], float], float], ...] = (
    (c.Scale.BRIGHTNESS, lambda look: look.light.mean, 6),
    (c.Scale.CONTRAST, lambda look: look.light.high - look.light.low, 12),
    (c.Scale.COLOUR, lambda look: look.hues.mean_chroma, 6),
)
"""Each with its measure, and the gap from which one image leads another."""


def claims_of_group(looks: Sequence[Look]) -> list[c.Claim]:
    """All that is claimed of two to GROUP_MOST images, in the order in which it is told."""
    told: list[c.Claim] = []
    used: set[type[c.Claim]] = set()
    for number, look in enumerate(looks):
        if (earlier := looks.index(look)) < number:
            told.append(c.Repeat(number, earlier))
            continue
        told.append(_portrait(number, look))
        if len(looks) <= _MOST_WITH_ASPECTS:
            # An aspect of its own each, or images that are much alike are told in the same words.
            own = next((claim for claim in aspects(look) if type(claim) not in used), None)
            if own is not None:
                told.append(own)
                used.add(type(own))
    return told + _comparison(looks)


def _portrait(number: int, look: Look) -> c.Portrait:
    return c.Portrait(
        number, tone(look.light), contrast(look.light), is_grey(look), lead(look), look.swatches[:2]
    )


def _comparison(looks: Sequence[Look]) -> list[c.Claim]:
    count = len(looks)
    sizes: dict[c.Size, list[int]] = {}
    for number, look in enumerate(looks):
        sizes.setdefault(size(look), []).append(number)
    groups = tuple((one, tuple(numbers)) for one, numbers in sizes.items())
    found: tuple[c.Claim | None, ...] = (
        c.Sizes(count, groups) if len(groups) <= _MOST_SIZES else None,
        _ranking(looks),
        _shared(looks),
        _finest(looks),
    )
    return [claim for claim in found if claim is not None]


def _ranking(looks: Sequence[Look]) -> c.Ranking | c.Alike | None:
    ends, is_alike = [], True
    for scale, measure, margin in _SCALES:
        values = [measure(look) for look in looks]
        order = sorted(range(len(values)), key=values.__getitem__)
        is_alike &= values[order[-1]] - values[order[0]] < margin / 2
        if values[order[-1]] - values[order[0]] < margin:
            continue
        # Among several, the first and the last must also stand apart from the next.
        apart = margin if len(looks) == 2 else margin / 2
        most = order[-1] if values[order[-1]] - values[order[-2]] >= apart else None
        least = order[0] if values[order[1]] - values[order[0]] >= apart else None
        if most is not None or least is not None:
            ends.append((scale, most, least))
    if ends:
        return c.Ranking(len(looks), tuple(ends))
    return c.Alike(len(looks)) if is_alike else None


def _shared(looks: Sequence[Look]) -> c.Shared | None:
    first, *rest = ({swatch.colour: swatch.share for swatch in look.swatches} for look in looks)
    common = [colour for colour in first if all(colour in other for other in rest)]
    total = {colour: first[colour] + sum(other[colour] for other in rest) for colour in common}
    shared = tuple(sorted(common, key=lambda colour: -total[colour])[:2])
    return c.Shared(len(looks), shared) if shared else None


def _finest(looks: Sequence[Look]) -> c.Finest | None:
    """Ends of the edge widths, where every image has edges to judge by."""
    found = [sharpness(look) for look in looks]
    widths = [claim.edge_px for claim in found if claim is not None]
    if len(widths) < len(looks) or max(widths) < 2 * min(widths):
        return None
    finest, widest = widths.index(min(widths)), widths.index(max(widths))
    return c.Finest(len(looks), finest, widths[finest], widest, widths[widest])
