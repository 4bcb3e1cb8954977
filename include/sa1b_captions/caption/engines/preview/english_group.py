"""Several looks in English: each in turn, then what sets them apart."""

from collections.abc import Sequence

from sa1b_captions.caption.engines.preview import traits
from sa1b_captions.caption.engines.preview.comparison import Comparison, compare
from sa1b_captions.caption.engines.preview.english import ASPECTS
from sa1b_captions.caption.engines.preview.english_words import (
    CONTRASTS,
    COUNTS,
    FORMATS,
    ORDINALS,
    TONES,
    lies,
    listed,
    percent,
)
from sa1b_captions.caption.engines.preview.look import Look
from sa1b_captions.caption.engines.preview.traits import Lead

_MOST_CHARS = 2000


def describe_group(looks: Sequence[Look]) -> str:
    """Describe two to GROUP_MOST images in one paragraph."""
    portraits = [_portrait(ORDINALS[place], look, place) for place, look in enumerate(looks)]
    closing = _comparison(looks, compare(looks))
    told: list[str] = []
    used: set[traits.Aspect] = set()
    for portrait, look in zip(portraits, looks, strict=True):
        told.append(portrait)
        # An aspect of its own each, or images that are much alike are told in the same words.
        for aspect in [one for one in traits.aspects(look) if one not in used][:1]:
            told.append(ASPECTS[aspect](look))
            used.add(aspect)
    text = " ".join(told + closing)
    return text if len(text) <= _MOST_CHARS else " ".join(portraits + closing)


def _portrait(ordinal: str, look: Look, turn: int) -> str:
    """One image in a sentence."""
    first, second = (*look.swatches, None)[:2]
    tone, contrast = TONES[traits.tone(look)], CONTRASTS[traits.contrast(look)]
    name, share = look.swatches[0].colour.english, percent(look.swatches[0].share)
    if first is None or second is None:
        if turn % 2:  # or flat images in a row would repeat each other
            return f"{name.capitalize()} fills {share} of the {ordinal} image, {tone} throughout."
        return (
            f"The {ordinal} image is {tone} with {contrast} and almost wholly {name}, at {share}."
        )
    where, rest = lies(first, turn), f"{second.colour.english} ({percent(second.share)})"
    if look.is_grey:
        return (
            f"The {ordinal} image is black and white, {tone} and of {contrast}: {name} ({share}) "
            f"{where}, and {rest} {lies(second, turn + 1)}."
        )
    kind = traits.lead(look)
    if kind is Lead.ONE:
        prevails = f"covers {share}" if first.share >= 0.8 else f"prevails with {share} and {where}"
        return (
            f"In the {ordinal} image, which is {tone} with {contrast}, {name} {prevails}; "
            f"{rest} comes next."
        )
    if kind is Lead.PAIR:
        return (
            f"The {ordinal} image, {tone} and of {contrast}, is ruled by {name} ({share}), which "
            f"{where}, and {rest}, which {lies(second, turn + 1)}."
        )
    return (
        f"The {ordinal} image is {tone} with {contrast}; of its colours, {name} ({share}) {where} "
        f"and {rest} {lies(second, turn + 1)}."
    )


def _comparison(looks: Sequence[Look], found: Comparison) -> list[str]:
    everyone = "both" if len(looks) == 2 else f"all {COUNTS[len(looks)]}"
    if found.identical:
        return [f"By every measure taken here, {everyone} images are the same."]
    sentences = [_sizes(looks, everyone), _side_by_side(found, everyone, len(looks))]
    sentences.append(_shared(found, everyone))
    if found.edge_width:
        sharp, soft = found.edge_width.least, found.edge_width.most
        sentences.append(
            f"At full size the {ORDINALS[sharp]} has the finer edges of the two, "
            if len(looks) == 2
            else f"At full size the {ORDINALS[sharp]} has the finest edges, "
        )
        sentences[-1] += (
            f"{looks[sharp].detail.edge_px:.1f} pixels wide against "
            f"{looks[soft].detail.edge_px:.1f} in the {ORDINALS[soft]}."
        )
    return sentences


def _sizes(looks: Sequence[Look], everyone: str) -> str:
    places: dict[tuple[str, str], list[str]] = {}
    for place, look in enumerate(looks):
        size = f"{look.width} by {look.height}"
        places.setdefault((FORMATS[traits.shape(look)], size), []).append(ORDINALS[place])
    if len(places) == 1:
        ((kind, size),) = places
        return f"{everyone.capitalize()} are {kind} and measure {size} pixels."
    told = [
        f"the {listed(names)} {'is' if len(names) == 1 else 'are'} {kind} at {size}"
        for (kind, size), names in places.items()
    ]
    return f"Their sizes differ: {listed(told)} pixels."


def _side_by_side(found: Comparison, everyone: str, count: int) -> str:
    ranges = (
        (found.brightness, "brighter", "is the brightest", "the darkest"),
        (found.contrast, "richer in contrast", "has the strongest contrast", "the weakest"),
        (found.colourfulness, "more colourful", "is the most colourful", "the least so"),
    )
    if count == 2:
        firsts = [(ends.most, more) for ends, more, _, _ in ranges if ends]
        told = [
            f"the {ORDINALS[place]} is {listed([more for most, more in firsts if most == place])}"
            for place in dict.fromkeys(most for most, _ in firsts)
        ]
    else:
        told = [
            f"the {ORDINALS[ends.most]} {most} and the {ORDINALS[ends.least]} {least}"
            for ends, _, most, least in ranges
            if ends
        ]
    if not told:
        return f"In brightness, contrast and colourfulness {everyone} are much alike."
    return f"Side by side, {'; '.join(told)}."


def _shared(found: Comparison, everyone: str) -> str:
    if not found.shared:
        return "They have no leading colour in common."
    names = listed([colour.english for colour in found.shared])
    verb = "ranks" if len(found.shared) == 1 else "rank"
    return f"{names.capitalize()} {verb} among the main colours of {everyone}."
