"""Claims in Chinese, one sentence each."""

from collections.abc import Iterable

from sa1b_captions.caption.engines.preview import claims as c
from sa1b_captions.caption.engines.preview.look import Slant, Swatch

_SIDES = {
    (-1, -1): "左上", (0, -1): "上方", (1, -1): "右上", (-1, 0): "左侧", (1, 0): "右侧",
    (-1, 1): "左下", (0, 1): "下方", (1, 1): "右下",
}  # fmt: skip
_SLANTS = {
    Slant.VERTICAL: "边缘多为竖直走向",
    Slant.HORIZONTAL: "边缘多为水平走向",
    Slant.RISING: "边缘多由左下斜向右上",
    Slant.FALLING: "边缘多由左上斜向右下",
}
_RANKS = {
    c.Scale.BRIGHTNESS: ("更亮", "最亮", "最暗"),
    c.Scale.CONTRAST: ("反差更大", "反差最大", "反差最小"),
    c.Scale.COLOUR: ("色彩更浓", "色彩最浓", "色彩最淡"),
}
"""More of two; most and least of several."""
_ORDINALS = tuple(f"第{number}张" for number in "一二三四五六七八")
_COUNTS = ("零", "一", "两", "三", "四", "五", "六", "七", "八")
_UNEVENLY = ("分布不均", "各处多寡不一", "疏密不一")
_EVERYWHERE = ("遍布整个画面", "各处都有", "全幅可见")
_IN_FLECKS = ("零碎地散布各处", "星星点点地散落画面", "以小块散见各处")
_WITHIN = ("几乎全在{}", "基本限于{}", "绝大部分位于{}")
_MAINLY = ("主要在{}", "集中于{}", "大半位于{}")
_DENSEST = ("在{}最密", "以{}居多", "在{}分布较多")


def describe(claims: Iterable[c.Claim]) -> str:
    """Tell claims in their order, in one paragraph."""
    return "".join(sentence(claim) for claim in claims)


def sentence(claim: c.Claim) -> str:
    """One claim in a sentence."""
    return f"{_words(claim)}。"


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
            return f"画面最外缘几乎全为{colour.chinese}"
        case c.Slope(columns, rows):
            return f"平均而言，画面由{_SIDES[-columns, -rows]}向{_SIDES[columns, rows]}逐步变亮"
        case c.CentreLight(gain):
            lighter, darker = ("中央", "四周") if gain > 0 else ("四周", "中央")
            return f"{lighter}比{darker}明亮，明度平均高出{abs(gain):.0f}（满分100）"
        case c.Extremes(lightest, darkest):
            told = [
                f"{region.chinese}平均{most}"
                for most, region in (("最亮", lightest), ("最暗", darkest))
                if region is not None
            ]
            return f"把画面等分为九块，{'，'.join(told)}"
        case c.EvenLight(gap) if gap < 0.5:
            return "把画面等分为九块，各块明暗完全一致"
        case c.EvenLight(gap):
            return f"明暗均匀，画面等分为九块，明度最多相差{gap:.1f}（满分100）"
        case c.Direction(slant):
            return _SLANTS[slant]
        case c.Sharpness(True, width):
            return f"按原尺寸看边缘锐利，最细处宽约{width:.1f}像素"
        case c.Sharpness(_, width):
            return f"按原尺寸看边缘偏软，最陡处由暗到亮也要约{width:.0f}像素"
        case c.ColourStrength(c.Strength.FAINT):
            return "画面几乎没有色彩"
        case c.ColourStrength(c.Strength.MUTED):
            return "色彩偏淡，几乎没有浓艳之处"
        case c.ColourStrength(c.Strength.VIVID, share):
            return f"大部分色彩鲜艳，占画面的{percent(share)}"
        case c.ColourStrength(_, share):
            return f"鲜艳的色彩占画面的{percent(share)}"
        case c.Warmth(is_warm):
            return f"从红到黄的暖色远{'多于' if is_warm else '少于'}从绿到紫的冷色"
        case c.Accent(swatch):
            return f"另有少许{swatch.colour.chinese}（{percent(swatch.share)}），{lies(swatch)}"
        case c.Levels(low, median, high):
            return (
                f"一半画面的明度不超过{median:.0f}（满分100），最暗的二十分之一不超过{low:.0f}，"
                f"最亮的二十分之一不低于{high:.0f}"
            )
        case c.Repeat(number, earlier):
            return f"就此处所有测量而言，{_ORDINALS[number]}与{_ORDINALS[earlier]}完全相同"
        case c.Alike(count):
            return f"{everyone(count)}的明暗、反差和色彩浓度都很接近"
        case c.Shared(count, colours):
            names = "和".join(colour.chinese for colour in colours)
            return f"{names}在{everyone(count)}中都是主要颜色"
        case c.Finest(count, finest, finest_px, widest, widest_px):
            return (
                f"按原尺寸看，{_ORDINALS[finest]}的边缘{'较' if count == 2 else '最'}细，"
                f"宽约{finest_px:.1f}像素，{_ORDINALS[widest]}则为{widest_px:.1f}像素"
            )


def _overview(claim: c.Overview) -> str:
    size = claim.size
    manner = [claim.tone.chinese] if claim.tone else []
    manner += [claim.contrast.chinese] if claim.contrast else []
    grey = "黑白" if claim.is_grey else ""
    text = f"这是一幅{size.format.chinese}{grey}图像，尺寸为{size.width}×{size.height}像素"
    return f"{text}，整体{'，'.join(manner)}" if manner else text


def _palette(claim: c.Palette) -> str:
    first, *rest = claim.swatches
    name, share = first.colour.chinese, percent(first.share)
    if claim.lead is c.Lead.ALL:
        text = f"{name}占去画面的{share}"
    elif claim.lead is c.Lead.ONE:
        text = f"画面以{name}为主，占{share}，{lies(first)}"
    elif claim.lead is c.Lead.PAIR:
        other = claim.swatches[1].colour.chinese
        text = f"{name}与{other}构成主调，前者占{share}，{lies(first)}"
    else:
        text = f"最多的颜色是{name}，占{share}，{lies(first)}"
    if not rest:
        return f"{text}，其他颜色都不到1%"
    told = [
        f"{swatch.colour.chinese}（{percent(swatch.share)}）{lies(swatch, turn)}"
        for turn, swatch in enumerate(rest, start=1)
    ]
    return f"{text}；{'，'.join(told)}"


def _portrait(claim: c.Portrait) -> str:
    first, *rest = claim.swatches
    manner = [claim.tone.chinese] if claim.tone else []
    manner += [claim.contrast.chinese] if claim.contrast else []
    start = f"{_ORDINALS[claim.number]}图像"
    manner = ["黑白", *manner] if claim.is_grey else manner
    start += "、".join(manner) if manner else "有明有暗"
    name = f"{first.colour.chinese}（{percent(first.share)}）"
    if not rest:
        return f"{start}，几乎全是{name}"
    other = f"{rest[0].colour.chinese}（{percent(rest[0].share)}）"
    if claim.lead is c.Lead.ALL:
        return f"{start}，{name}几乎占满画面，其次是{other}"
    ruled = "为主" if claim.lead is not c.Lead.MANY else "较多"
    where, other_where = lies(first, claim.number), lies(rest[0], claim.number + 1)
    return f"{start}，以{name}和{other}{ruled}，前者{where}，后者{other_where}"


def _surface(claim: c.Surface) -> str:
    where, smooth_where = claim.detail_place.chinese, claim.smooth_place.chinese
    share = percent(claim.smooth)
    if claim.texture is c.Texture.BARE:
        return "画面几乎处处平滑，谈不上纹理"
    if claim.texture is c.Texture.SMOOTH:
        detail = f"细节集中于{where}" if where else "细节散布在其余部分"
        return f"平滑部分占{share}，{detail}"
    if claim.texture is c.Texture.BUSY:
        strongest = f"，以{where}的纹理最强" if where else ""
        return f"纹理占了大部分画面，平滑部分占{share}{strongest}"
    text = f"细节以{where}最为密集" if where else "细节见于多处"
    chiefly = f"，多在{smooth_where}" if smooth_where else ""
    return f"{text}，平滑部分占{share}{chiefly}"


def _sizes(claim: c.Sizes) -> str:
    if len(claim.groups) == 1:
        size = claim.groups[0][0]
        pixels = f"{size.width}×{size.height}像素"
        return f"{everyone(claim.count)}均为{size.format.chinese}，尺寸都是{pixels}"
    told = [
        f"{'、'.join(_ORDINALS[number] for number in numbers)}{'均' if len(numbers) > 1 else ''}为"
        f"{size.format.chinese}（{size.width}×{size.height}像素）"
        for size, numbers in claim.groups
    ]
    return f"{everyone(claim.count)}尺寸不一，{'，'.join(told)}"


def _ranking(claim: c.Ranking) -> str:
    told = []
    for scale, most, least in claim.ends:
        more, best, worst = _RANKS[scale]
        if claim.count == 2:
            told.append(f"{_ORDINALS[most or 0]}{more}")
            continue
        ends = ((most, best), (least, worst))
        told.append(
            "，".join(f"{_ORDINALS[number]}{words}" for number, words in ends if number is not None)
        )
    return f"相比之下，{'；'.join(told)}"


def lies(swatch: Swatch, turn: int = 0) -> str:
    """Say where a colour lies, as a predicate; `turn` varies the verb in a list."""
    place, turn = swatch.place, turn % 3
    if place.chinese is None:
        spread = _EVERYWHERE if place.even else _UNEVENLY
        return (_IN_FLECKS if swatch.flecked else spread)[turn]
    if place.filled:
        return f"铺满{place.chinese}" + ("" if place.held >= 0.8 else "并向外延伸")
    verbs = _WITHIN if place.held >= 0.9 else _MAINLY if place.held >= 0.65 else _DENSEST
    broken = "较为零碎，" if swatch.flecked else ""
    return f"{broken}{verbs[turn].format(place.chinese)}"


def percent(share: float) -> str:
    """A share of the frame as people write it."""
    if share < 0.0005:
        return "不到0.1%"
    return f"{share:.1%}" if share < 0.0195 else f"{share:.0%}"


def everyone(count: int) -> str:
    """All images of a sample."""
    return f"{_COUNTS[count]}张图像"
