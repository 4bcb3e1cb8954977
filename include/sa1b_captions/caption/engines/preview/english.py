"""Claims in English, one sentence each."""

from collections.abc import Iterable, Sequence

from sa1b_captions.caption.engines.preview import claims as c
from sa1b_captions.caption.engines.preview.look import Slant, Swatch

_SIDES = {
    (-1, -1): "the upper left", (0, -1): "the top", (1, -1): "the upper right",
    (-1, 0): "the left", (1, 0): "the right",
    (-1, 1): "the lower left", (0, 1): "the bottom", (1, 1): "the lower right",
}  # fmt: skip
_SLANTS = {
    Slant.VERTICAL: "vertically",
    Slant.HORIZONTAL: "horizontally",
    Slant.RISING: "diagonally, rising to the right",
    Slant.FALLING: "diagonally, falling to the right",
}
_RANKS = {
    c.Scale.BRIGHTNESS: ("brighter", "is the brightest", "is the darkest"),
    c.Scale.CONTRAST: ("richer in contrast", "has the most contrast", "has the least contrast"),
    c.Scale.COLOUR: ("more colourful", "is the most colourful", "is the least colourful"),
}
"""More of two; most and least of several."""
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_COUNTS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")
_UNEVENLY = ("is spread unevenly", "is unevenly distributed", "is found in uneven amounts")
_EVERYWHERE = ("is spread over the whole frame", "turns up throughout", "is present everywhere")
_IN_FLECKS = ("is scattered about in small pieces", "is dotted over the frame", "appears in flecks")
_WITHIN = ("lies almost wholly within", "keeps almost entirely to", "sits nearly all in")
_MAINLY = ("lies mainly in", "gathers in", "sits mostly in")
_DENSEST = ("is densest in", "is commonest in", "is thickest in")


def describe(claims: Iterable[c.Claim]) -> str:
    """Tell claims in their order, in one paragraph."""
    return " ".join(sentence(claim) for claim in claims)


def sentence(claim: c.Claim) -> str:
    """One claim in a sentence."""
    text = _words(claim)
    return f"{text[0].upper()}{text[1:]}."


def _words(claim: c.Claim) -> str:  # noqa: C901  one case a claim
    match claim:
        case c.Overview():
            return _overview(claim)
        case c.Palette():
            return _palette(claim)
        case c.Portrait():
            return _portrait(claim)
        case c.Surface():
            return _surface(claim)
        case c.Sizes():
            return _sizes(claim)
        case c.Ranking():
            return _ranking(claim)
        case c.Rim(colour):
            return f"the outermost edge of the frame is almost all {colour.english}"
        case c.Slope(columns, rows):
            start, end = _SIDES[-columns, -rows], _SIDES[columns, rows]
            return f"on average the image grows lighter step by step from {start} to {end}"
        case c.CentreLight(gain):
            lighter, darker = ("central part", "rim") if gain > 0 else ("rim", "central part")
            return (
                f"the {lighter} is lighter than the {darker}, by {abs(gain):.0f} of 100 on average"
            )
        case c.Extremes(lightest, darkest):
            told = [
                f"the {most} on average is {region.english}"
                for most, region in (("lightest", lightest), ("darkest", darkest))
                if region is not None
            ]
            return f"of nine equal parts of the frame, {listed(told)}"
        case c.EvenLight(gap) if gap < 0.5:
            return "all nine equal parts of the frame are exactly as light as each other"
        case c.EvenLight(gap):
            return (
                f"light is even: nine equal parts of the frame differ by {gap:.1f} of 100 at most"
            )
        case c.Direction(slant):
            return f"most edges run {_SLANTS[slant]}"
        case c.Sharpness(True, width):
            return f"edges are crisp at full size, where the finest take about {width:.1f} pixels"
        case c.Sharpness(_, width):
            return (
                "edges are soft at full size, where even the steepest ones take about "
                f"{width:.0f} pixels from dark to light"
            )
        case c.ColourStrength(c.Strength.FAINT):
            return "colour is almost absent"
        case c.ColourStrength(c.Strength.MUTED):
            return "the colours are muted, with hardly a lively one anywhere"
        case c.ColourStrength(c.Strength.VIVID, share):
            return f"most colours are vivid, over {percent(share)} of the frame"
        case c.ColourStrength(_, share):
            return f"vivid colour takes up {percent(share)} of the frame"
        case c.Warmth(is_warm):
            warm, cool = "warm hues, reds to yellows,", "cool ones, greens to violets"
            return f"{warm} {'prevail by far over' if is_warm else 'are far rarer than'} {cool}"
        case c.Accent(swatch):
            return f"a little {swatch.colour.english} ({percent(swatch.share)}) {lies(swatch)}"
        case c.Levels(low, median, high):
            half = f"half of the frame is no lighter than {median:.0f} of 100"
            return (
                f"{half}, one twentieth no lighter than {low:.0f} and one no darker than {high:.0f}"
            )
        case c.Repeat(number, earlier):
            same = f"is the same as the {_ORDINALS[earlier]} by every measure taken here"
            return f"the {_ORDINALS[number]} image {same}"
        case c.Alike(count):
            return f"in brightness, contrast and amount of colour {everyone(count)} are much alike"
        case c.Shared(count, colours):
            verb = "ranks" if len(colours) == 1 else "rank"
            names = listed([colour.english for colour in colours])
            return f"{names} {verb} among the main colours of {everyone(count)}"
        case c.Finest(count, finest, finest_px, widest, widest_px):
            fine = "finer" if count == 2 else "finest"
            return (
                f"at full size the {_ORDINALS[finest]} has the {fine} edges, {finest_px:.1f} pixels"
                f" wide against {widest_px:.1f} in the {_ORDINALS[widest]}"
            )


def _overview(claim: c.Overview) -> str:
    size = claim.size
    manner = [claim.tone.english] if claim.tone else []
    manner += [size.format.english, *(["black-and-white"] if claim.is_grey else [])]
    contrast = f" with {claim.contrast.english}" if claim.contrast else ""
    noun = f"{article(manner[0])} {', '.join(manner)} image{contrast}"
    return f"this is {noun}, {size.width} by {size.height} pixels in size"


def _palette(claim: c.Palette) -> str:
    first, *rest = claim.swatches
    name, share = first.colour.english, percent(first.share)
    if claim.lead is c.Lead.ALL:
        text = f"{name} covers {share} of it"
    elif claim.lead is c.Lead.ONE:
        text = f"{name} prevails: it makes up {share} and {lies(first)}"
    elif claim.lead is c.Lead.PAIR:
        other = claim.swatches[1].colour.english
        text = f"{name} and {other} dominate; the former takes {share} and {lies(first)}"
    else:
        text = f"the commonest colour is {name}, which makes up {share} and {lies(first)}"
    if not rest:
        return f"{text}, and no other colour reaches even 1%"
    told = [
        f"{swatch.colour.english} ({percent(swatch.share)}) {lies(swatch, turn)}"
        for turn, swatch in enumerate(rest, start=1)
    ]
    return f"{text}, while {listed(told)}"


def _portrait(claim: c.Portrait) -> str:
    first, *rest = claim.swatches
    manner = [claim.tone.english] if claim.tone else []
    manner += ["black and white"] if claim.is_grey else []
    manner += [f"of {claim.contrast.english}"] if claim.contrast else []
    name = f"{first.colour.english} ({percent(first.share)})"
    if not rest and claim.number % 2:  # or flat images in a row would repeat each other
        also = f", {listed(manner)}" if manner else ""
        return f"{name} fills the {_ORDINALS[claim.number]} image{also}"
    start = f"the {_ORDINALS[claim.number]} image"
    start = f"{start} is {listed(manner)}" if manner else f"{start} has darks and lights"
    if not rest:
        return f"{start}, and {name} is nearly all that it shows"
    other = f"{rest[0].colour.english} ({percent(rest[0].share)})"
    if claim.lead is c.Lead.ALL:
        return f"{start}; {name} covers nearly all of it, and {other} comes next"
    ruled = " ruled by" if claim.lead is not c.Lead.MANY else " led by"
    where, other_where = lies(first, claim.number), lies(rest[0], claim.number + 1)
    return f"{start},{ruled} {name}, which {where}, and {other}, which {other_where}"


def _surface(claim: c.Surface) -> str:
    where, smooth_where = claim.detail_place.english, claim.smooth_place.english
    share = percent(claim.smooth)
    if claim.texture is c.Texture.BARE:
        return "the surface is smooth practically everywhere, without texture to speak of"
    if claim.texture is c.Texture.SMOOTH:
        detail = f"gathers in {where}" if where else "is spread over the rest"
        return f"smooth areas make up {share} of the frame, and detail {detail}"
    if claim.texture is c.Texture.BUSY:
        strongest = f", and it is strongest in {where}" if where else ""
        return f"texture covers most of the frame, of which {share} is smooth{strongest}"
    text = f"detail is densest in {where}" if where else "detail is found in many places"
    chiefly = f", chiefly {smooth_where}" if smooth_where else ""
    return f"{text}, and {share} of the frame is smooth{chiefly}"


def _sizes(claim: c.Sizes) -> str:
    if len(claim.groups) == 1:
        size = claim.groups[0][0]
        pixels = f"{size.width} by {size.height} pixels"
        return f"{everyone(claim.count)} are {size.format.english} and measure {pixels}"
    told = [
        f"the {listed([_ORDINALS[number] for number in numbers])} "
        f"{'is' if len(numbers) == 1 else 'are'} {size.format.english} at "
        f"{size.width} by {size.height}"
        for size, numbers in claim.groups
    ]
    return f"their sizes differ: {listed(told)} pixels"


def _ranking(claim: c.Ranking) -> str:
    told = []
    for scale, most, least in claim.ends:
        more, best, worst = _RANKS[scale]
        if claim.count == 2:
            told.append(f"the {_ORDINALS[most or 0]} is {more}")
            continue
        ends = [
            f"the {_ORDINALS[number]} {words}"
            for number, words in ((most, best), (least, worst))
            if number is not None
        ]
        told.append(" and ".join(ends))
    return f"side by side, {'; '.join(told)}"


def lies(swatch: Swatch, turn: int = 0) -> str:
    """Say where a colour lies, as a verb phrase; `turn` varies the verb in a list."""
    place, turn = swatch.place, turn % 3
    if place.english is None:
        spread = _EVERYWHERE if place.even else _UNEVENLY
        return (_IN_FLECKS if swatch.flecked else spread)[turn]
    if place.filled:
        return f"fills {place.english}" + ("" if place.held >= 0.8 else " and reaches beyond it")
    verbs = _WITHIN if place.held >= 0.9 else _MAINLY if place.held >= 0.65 else _DENSEST
    broken = "is broken up and " if swatch.flecked else ""
    return f"{broken}{verbs[turn]} {place.english}"


def percent(share: float) -> str:
    """A share of the frame as people write it."""
    if share < 0.0005:
        return "under 0.1%"
    return f"{share:.1%}" if share < 0.0195 else f"{share:.0%}"


def everyone(count: int) -> str:
    """All images of a sample."""
    return "both" if count == 2 else f"all {_COUNTS[count]}"


def article(word: str) -> str:
    """The indefinite article before a word."""
    return "an" if word[0] in "aeiou" else "a"


def listed(parts: Sequence[str]) -> str:
    """Join with commas and a final `and`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
