"""What is claimed of several images: each in turn, then how they compare."""

from collections.abc import Callable, Sequence

from sa1b_captions.caption.engines.preview import claims
from sa1b_captions.caption.engines.preview.claims import Claim, Value
from sa1b_captions.caption.engines.preview.measurements import Measurements

GROUP_MOST = 8
"""Most images of a sample that can be told apart in words."""
_MOST_WITH_ASPECTS = 5
"""Of more images only the colours are told, or the text gets too long."""
_MOST_VALUES = 4

_SCALES: tuple[tuple[str, Callable[[Measurements], float], float], ...] = (
    ("bright", lambda image: image.light.mean, 6),
    ("contrasty", lambda image: image.light.high - image.light.low, 12),
    ("colourful", lambda image: image.hues.mean_chroma, 6),
)
"""Each with its measure, and the gap from which one image leads another."""


def claims_of_group(images: Sequence[Measurements]) -> list[Claim]:
    """All that is claimed of two to GROUP_MOST images, in the order in which it is told."""
    told: list[Claim] = []
    used: set[str] = set()
    for number, image in enumerate(images):
        if (earlier := images.index(image)) < number:
            told.append(Claim("repeat", {"number": number, "earlier": earlier}))
            continue
        values: dict[str, Value] = {"number": number, "parts": claims.colours(image, most=2)}
        # An aspect of its own each, or images that are much alike are told in the same words.
        own = [claim for claim in claims.aspects(image) if claim.fact not in used][:1]
        if own and len(images) <= _MOST_WITH_ASPECTS:
            used.add(own[0].fact)
            told.append(Claim("image_with_aspect", {**values, "aspect": own[0]}))
        else:
            told.append(Claim("image", values))
    told += _sorted("sizes", [claims.size(image) for image in images])
    told += _sorted("tones", [claims.tone(image.light) for image in images])
    told += _sorted("contrasts", [claims.contrast(image.light) for image in images])
    return told + _ranking(images) + _shared(images)


def _sorted(fact: str, values: Sequence[Value | None]) -> list[Claim]:
    """Say which images share which value of one fact; of those without a value nothing is said."""
    distinct = [
        value
        for number, value in enumerate(values)
        if value is not None and values.index(value) == number
    ]
    if not distinct or len(distinct) > _MOST_VALUES:
        return []
    parts = [
        Claim("in", {"value": value, "numbers": _numbers(value, values)}) for value in distinct
    ]
    if values.count(distinct[0]) == len(values):
        parts = [Claim("in_all", {"value": distinct[0], "count": len(values)})]
    return [Claim(fact, {"parts": tuple(parts)})]


def _numbers(value: Value, values: Sequence[Value | None]) -> tuple[int, ...]:
    return tuple(number for number, other in enumerate(values) if other == value)


def _ranking(images: Sequence[Measurements]) -> list[Claim]:
    """Say which image leads on which scale, if one does so with a margin."""
    ends, are_alike = [], True
    for scale, measure, margin in _SCALES:
        values = [measure(image) for image in images]
        order = sorted(range(len(values)), key=values.__getitem__)
        gap = values[order[-1]] - values[order[0]]
        are_alike &= gap < margin / 2
        if gap < margin:
            continue
        if len(images) == 2:
            ends.append(Claim(f"more_{scale}", {"number": order[1]}))
            continue
        # Among several, the first and the last must also stand apart from the next.
        if values[order[-1]] - values[order[-2]] >= margin / 2:
            ends.append(Claim(f"most_{scale}", {"number": order[-1]}))
        if values[order[1]] - values[order[0]] >= margin / 2:
            ends.append(Claim(f"least_{scale}", {"number": order[0]}))
    if ends:
        return [Claim("ranking", {"ends": tuple(ends)})]
    return [Claim("alike", {"count": len(images)})] if are_alike else []


def _shared(images: Sequence[Measurements]) -> list[Claim]:
    """Name one or two colours that are among the largest of every image."""
    first, *rest = ({swatch.colour: swatch.share for swatch in image.swatches} for image in images)
    total = {
        colour: share + sum(other[colour] for other in rest)
        for colour, share in first.items()
        if all(colour in other for other in rest)
    }
    shared = tuple(sorted(total, key=lambda colour: -total[colour])[:2])
    return [Claim("shared", {"count": len(images), "colours": shared})] if shared else []
