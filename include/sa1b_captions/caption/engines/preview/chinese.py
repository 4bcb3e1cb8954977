"""A look in Chinese, one sentence per aspect."""

from sa1b_captions.caption.engines.preview import traits
from sa1b_captions.caption.engines.preview.chinese_words import (
    CONTRASTS,
    FORMATS,
    SIDES,
    SLANTS,
    STRENGTHS,
    TONES,
    lies,
    percent,
)
from sa1b_captions.caption.engines.preview.look import Look, Swatch
from sa1b_captions.caption.engines.preview.places import NINTHS
from sa1b_captions.caption.engines.preview.traits import (
    Aspect,
    Lead,
    Lean,
    LightShape,
    Sharpness,
    Texture,
)

_MOST_SWATCHES = 4


def describe(look: Look) -> str:
    """Describe one image in one paragraph."""
    sentences = [_opening(look), _others(look.swatches[1:_MOST_SWATCHES])]
    sentences += [ASPECTS[aspect](look) for aspect in traits.aspects(look)]
    return "".join(sentences)


def _opening(look: Look) -> str:
    size = f"{look.width}×{look.height}像素"
    shape = FORMATS[traits.shape(look)]
    manner = f"整体{TONES[traits.tone(look)]}，{CONTRASTS[traits.contrast(look)]}"
    first = look.swatches[0]
    name, share = first.colour.chinese, percent(first.share)
    kind = traits.lead(look)
    if look.is_grey:
        start = f"这是一幅{shape}黑白图像，尺寸为{size}，{manner}；"
        if first.share >= 0.8:
            return f"{start}{share}的画面是{name}。"
        return f"{start}其中{name}最多，占{share}，{lies(first)}。"
    if kind is Lead.ONE and first.share >= 0.8:
        return f"{name}占去画面的{share}，几乎主宰了这幅{size}的{shape}图像，{manner}。"
    if kind is Lead.ONE:
        return f"这幅{size}的{shape}图像以{name}为主，占{share}，{lies(first)}；{manner}。"
    if kind is Lead.PAIR:
        second = look.swatches[1].colour.chinese
        return (
            f"{name}与{second}构成这幅{shape}图像的主调，尺寸为{size}，{manner}；"
            f"前者占{share}，{lies(first)}。"
        )
    return (
        f"这幅{size}的{shape}图像{manner}，没有哪种颜色独占上风；"
        f"最多的{name}占{share}，{lies(first)}。"
    )


def _others(swatches: tuple[Swatch, ...]) -> str:
    if not swatches:
        return "除此之外，没有任何颜色达到1%。"
    if len(swatches) == 1:
        (only,) = swatches
        return f"此外值得一提的只有占{percent(only.share)}的{only.colour.chinese}，{lies(only)}。"
    told = [
        f"{swatch.colour.chinese}（{percent(swatch.share)}）{lies(swatch, turn)}"
        for turn, swatch in enumerate(swatches, start=1)
    ]
    return f"{'，'.join(told)}。"


def _hues(look: Look) -> str:
    strength, lean = traits.strength(look), traits.lean(look)
    warm, cool = percent(look.warm), percent(look.cool)
    start = STRENGTHS[strength]
    text = {
        Lean.NEITHER: f"{start}，带有色相的部分只占{percent(look.warm + look.cool)}",
        Lean.BOTH: f"{start}，暖色（{warm}）与冷色（{cool}）并存",
        Lean.WARM: f"{start}而偏暖，从红到黄的色相占{warm}",
        Lean.COOL: f"{start}而偏冷，从绿到紫的色相占{cool}",
    }[lean]
    if look.accent is not None:
        accent = look.accent
        text += f"，另有少许{accent.colour.chinese}（{percent(accent.share)}）{lies(accent)}"
    return f"{text}。"


def _rim(look: Look) -> str:
    colour = "" if look.rim is None else look.rim.chinese
    return f"画面最外缘几乎全为{colour}。"


def _light(look: Look) -> str:
    text = _light_shape(look)
    dark, light = look.light.near_black, look.light.near_white
    depth, share = ("黑色", dark) if dark >= light else ("白色", light)
    if share >= 0.12 and depth not in {swatch.colour.chinese for swatch in look.swatches}:
        text += f"，约{percent(share)}的画面接近{depth}"
    return f"{text}。"


def _light_shape(look: Look) -> str:
    light = look.light
    lightest, darkest = NINTHS[light.lightest].chinese, NINTHS[light.darkest].chinese
    kind = traits.light_shape(look)
    if kind is LightShape.SLOPE:
        columns, rows = traits.lighter_side(look)
        start, end = SIDES[-columns, -rows], SIDES[columns, rows]
        return f"画面由{start}向{end}渐亮，{darkest}最暗"
    if kind is LightShape.CENTRE:
        return f"中央比四周明亮，{darkest}最暗"
    if kind is LightShape.RIM:
        return f"四周比中央明亮，{lightest}最亮"
    if kind is LightShape.UNEVEN:
        gap = "相差悬殊" if light.ninth_range >= 40 else "差别明显"
        gap = gap if light.ninth_range >= 20 else "略有差别"
        return f"{lightest}最亮，{darkest}最暗，两处{gap}"
    if light.ninth_range < 0.5:
        return "各处明暗毫无差别"
    return f"明暗十分均匀，{lightest}与{darkest}也只有细微差别"


def _detail(look: Look) -> str:
    detail = look.detail
    where, smooth_where = detail.place.chinese, detail.smooth_place.chinese
    share = percent(detail.smooth)
    kind = traits.texture(look)
    if detail.smooth >= traits.BARE_FROM:
        return "画面几乎处处平滑，没有可辨的边缘和纹理。"
    if kind is Texture.SMOOTH:
        text = f"平滑部分占{share}，"
        text += f"细节聚集在{where}" if where else "细节稀疏地散在其余各处"
    elif kind is Texture.BUSY:
        text = f"纹理几乎铺满画面，平滑部分仅占{share}"
        text += f"，{where}的纹理最强" if where else ""
    else:
        text = f"细节以{where}最为密集" if where else "细节各处都有"
        text += f"，平滑部分占{share}"
        text += f"，多在{smooth_where}" if smooth_where else ""
    if detail.slant is not None:
        text += f"，{SLANTS[detail.slant]}"
    return f"{text}。"


def _sharpness(look: Look) -> str:
    width = f"{look.detail.edge_px:.1f}像素"
    kind = traits.sharpness(look)
    if kind is Sharpness.CRISP:
        return f"按原尺寸看边缘依然锐利，宽仅{width}。"
    if kind is Sharpness.SOFTENED:
        return f"按原尺寸看边缘略显柔和，宽约{width}。"
    if kind is Sharpness.SHARP_REDUCED:
        return f"缩小时清晰，放到原尺寸则偏软，边缘宽约{width}。"
    if kind is Sharpness.SOFT:
        return f"按原尺寸看明显偏软，细节最多处的边缘也宽达{width}。"
    return f"即便缩小，边缘仍然模糊，原尺寸下宽达{width}。"


ASPECTS = {
    Aspect.RIM: _rim,
    Aspect.LIGHT: _light,
    Aspect.DETAIL: _detail,
    Aspect.SHARPNESS: _sharpness,
    Aspect.HUES: _hues,
}
"""One sentence for each aspect."""
