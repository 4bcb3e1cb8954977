"""A look in English, one sentence per aspect."""

from sa1b_captions.caption.engines.preview import traits
from sa1b_captions.caption.engines.preview.english_words import (
    CONTRASTS,
    FORMATS,
    SIDES,
    SLANTS,
    STRENGTHS,
    TONES,
    lies,
    listed,
    percent,
    sentence,
)
from sa1b_captions.caption.engines.preview.look import Look, Swatch
from sa1b_captions.caption.engines.preview.places import NINTHS
from sa1b_captions.caption.engines.preview.traits import (
    Aspect,
    Lead,
    Lean,
    LightShape,
    Sharpness,
    Strength,
    Texture,
)

_MOST_SWATCHES = 4


def describe(look: Look) -> str:
    """Describe one image in one paragraph."""
    sentences = [opening(look), *others(look.swatches[1:_MOST_SWATCHES])]
    sentences += [ASPECTS[aspect](look) for aspect in traits.aspects(look)]
    return " ".join(sentences)


def opening(look: Look) -> str:
    """Shape, size, brightness, contrast and the first colour."""
    noun = f"{TONES[traits.tone(look)]} {FORMATS[traits.shape(look)]} image"
    size = f"{look.width} by {look.height} pixels"
    contrast = CONTRASTS[traits.contrast(look)]
    first = look.swatches[0]
    name, share = first.colour.english, percent(first.share)
    if look.is_grey:
        noun = noun.replace("image", "black-and-white image")
        return f"This {noun} of {size} has {contrast} and no colour; {_most(first)}."
    kind = traits.lead(look)
    if kind is Lead.ONE and first.share >= 0.8:
        return sentence(f"{name} covers {share} of this {noun} of {size}, which has {contrast}")
    if kind is Lead.ONE:
        return sentence(
            f"{name} prevails in this {noun} of {size} with {contrast}: it makes up {share} and "
            f"{lies(first)}"
        )
    if kind is Lead.PAIR:
        return sentence(
            f"{name} and {look.swatches[1].colour.english} dominate this {noun}, which measures "
            f"{size} and has {contrast}; the former takes {share} of it and {lies(first)}"
        )
    return (
        f"No single colour rules this {noun} of {size}, which has {contrast}; the commonest, "
        f"{name}, makes up {share} and {lies(first)}."
    )


def _most(first: Swatch) -> str:
    name, share = first.colour.english, percent(first.share)
    if first.share >= 0.8:
        return f"{share} of it is {name}"
    return f"{name} takes the largest part, {share}, and {lies(first)}"


def others(swatches: tuple[Swatch, ...]) -> list[str]:
    """The colours after the first, as one sentence or none."""
    if not swatches:
        return ["No other colour reaches even 1% of the frame."]
    if len(swatches) == 1:
        (only,) = swatches
        name, share = only.colour.english, percent(only.share)
        return [f"The only other colour of note is {name}, at {share}, which {lies(only)}."]
    told = [
        f"{swatch.colour.english} ({percent(swatch.share)}) {lies(swatch, turn)}"
        for turn, swatch in enumerate(swatches, start=1)
    ]
    return [sentence(listed(told))]


def _hues(look: Look) -> str:
    strength, lean = traits.strength(look), traits.lean(look)
    warm, cool = percent(look.warm), percent(look.cool)
    start = f"the colours are {STRENGTHS[strength]}"
    if strength is Strength.FAINT:
        start = "colour is almost absent"
    text = {
        Lean.NEITHER: f"{start}, only {percent(look.warm + look.cool)} of the frame showing a hue",
        Lean.BOTH: f"{start}, divided between warm hues ({warm}) and cool ones ({cool})",
        Lean.WARM: f"{start} and lean warm, reds to yellows covering {warm}",
        Lean.COOL: f"{start} and lean cool, greens to violets covering {cool}",
    }[lean]
    if look.accent is not None:
        accent = look.accent
        text += f", while a little {accent.colour.english} ({percent(accent.share)}) {lies(accent)}"
    return sentence(text)


def _rim(look: Look) -> str:
    colour = "" if look.rim is None else look.rim.english
    return f"The outermost edge of the frame is almost all {colour}."


def _light(look: Look) -> str:
    text = _light_shape(look)
    dark, light = look.light.near_black, look.light.near_white
    depth, share = ("black", dark) if dark >= light else ("white", light)
    if share >= 0.12 and depth not in {swatch.colour.english for swatch in look.swatches}:
        text += f", while {percent(share)} of the picture comes close to {depth}"
    return sentence(text)


def _light_shape(look: Look) -> str:
    light = look.light
    lightest, darkest = NINTHS[light.lightest].english, NINTHS[light.darkest].english
    kind = traits.light_shape(look)
    if kind is LightShape.SLOPE:
        columns, rows = traits.lighter_side(look)
        start, end = SIDES[-columns, -rows], SIDES[columns, rows]
        return f"the image grows lighter from {start} to {end}, and {darkest} is darkest"
    if kind is LightShape.CENTRE:
        return f"the central part is lighter than the rim, and {darkest} is darkest of all"
    if kind is LightShape.RIM:
        return f"the rim is lighter than the central part, and {lightest} is lightest of all"
    if kind is LightShape.UNEVEN:
        gap = "far" if light.ninth_range >= 40 else "clearly"
        gap = gap if light.ninth_range >= 20 else "somewhat"
        return f"the lightest area is {lightest}; {darkest}, the darkest, is {gap} darker"
    if light.ninth_range < 0.5:
        return "light is the same everywhere"
    return f"light is even, with only a shade of difference between {lightest} and {darkest}"


def _detail(look: Look) -> str:
    detail = look.detail
    where, smooth_where = detail.place.english, detail.smooth_place.english
    share = percent(detail.smooth)
    kind = traits.texture(look)
    if detail.smooth >= traits.BARE_FROM:
        return "The surface is smooth practically everywhere, without edges or texture to speak of."
    if kind is Texture.SMOOTH:
        text = f"smooth areas make up {share} of the frame, and "
        text += f"detail gathers in {where}" if where else "detail is spread thinly over the rest"
    elif kind is Texture.BUSY:
        text = f"texture covers almost everything, with {share} of the frame left smooth"
        text += f", and is strongest in {where}" if where else ""
    else:
        text = f"detail is densest in {where}" if where else "detail is found all over"
        text += f", and {share} of the frame is smooth"
        text += f", chiefly {smooth_where}" if smooth_where else ""
    if detail.slant is not None:
        text += f"; most edges run {SLANTS[detail.slant]}"
    return sentence(text)


def _sharpness(look: Look) -> str:
    width = f"{look.detail.edge_px:.1f} pixels"
    kind = traits.sharpness(look)
    if kind is Sharpness.CRISP:
        return f"Edges stay crisp at full size, where the finest take {width}."
    if kind is Sharpness.SOFTENED:
        return f"At full size its edges are slightly soft, about {width} wide."
    if kind is Sharpness.SHARP_REDUCED:
        return f"Sharp when reduced, it turns soft at full size, where edges span {width}."
    if kind is Sharpness.SOFT:
        return f"Seen at full size it is soft, even its busiest parts having edges {width} wide."
    return f"Edges are blurred, even when the image is reduced; at full size they span {width}."


ASPECTS = {
    Aspect.RIM: _rim,
    Aspect.LIGHT: _light,
    Aspect.DETAIL: _detail,
    Aspect.SHARPNESS: _sharpness,
    Aspect.HUES: _hues,
}
"""One sentence for each aspect."""
