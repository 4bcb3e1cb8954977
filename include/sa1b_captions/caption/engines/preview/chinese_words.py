"""Chinese words for traits and places."""

from sa1b_captions.caption.engines.preview.look import Slant, Swatch
from sa1b_captions.caption.engines.preview.traits import Contrast, Format, Strength, Tone

TONES = {
    Tone.VERY_DARK: "很暗",
    Tone.DARK: "偏暗",
    Tone.MIDDLING: "亮度适中",
    Tone.BRIGHT: "偏亮",
    Tone.VERY_BRIGHT: "非常明亮",
}
FORMATS = {
    Format.PANORAMIC: "超宽横幅",
    Format.WIDE: "宽横幅",
    Format.LANDSCAPE: "横幅",
    Format.SQUARE: "正方形",
    Format.PORTRAIT: "竖幅",
    Format.TALL: "细长竖幅",
}
CONTRASTS = {
    Contrast.FLAT: "几乎没有反差",
    Contrast.LOW: "反差较弱",
    Contrast.MODERATE: "反差中等",
    Contrast.STRONG: "反差较强",
    Contrast.EXTREME: "反差强烈",
}
STRENGTHS = {
    Strength.FAINT: "色彩极淡",
    Strength.MUTED: "色彩偏淡",
    Strength.MODERATE: "色彩浓淡适中",
    Strength.VIVID: "色彩鲜艳",
}
SIDES = {
    (-1, -1): "左上",
    (0, -1): "上方",
    (1, -1): "右上",
    (-1, 0): "左侧",
    (1, 0): "右侧",
    (-1, 1): "左下",
    (0, 1): "下方",
    (1, 1): "右下",
}
SLANTS = {
    Slant.VERTICAL: "边缘多为竖直走向",
    Slant.HORIZONTAL: "边缘多为水平走向",
    Slant.RISING: "边缘多由左下斜向右上",
    Slant.FALLING: "边缘多由左上斜向右下",
}
ORDINALS = tuple(f"第{number}张" for number in "一二三四五六七八")
COUNTS = ("零", "一", "两", "三", "四", "五", "六", "七", "八")

_UNEVENLY = ("分布不均", "各处多寡不一", "疏密不一")
_EVERYWHERE = ("遍布整个画面", "各处都有", "全幅可见")
_IN_FLECKS = ("零碎地散布各处", "星星点点地散落画面", "以小块散见各处")
_WITHIN = ("几乎全在{}", "基本限于{}", "绝大部分位于{}")
_MAINLY = ("主要在{}", "集中于{}", "大半位于{}")
_DENSEST = ("在{}最密", "以{}居多", "在{}分布较多")


def percent(share: float) -> str:
    """A share of the frame as people write it."""
    if share < 0.0005:
        return "极少"
    return f"{share:.1%}" if share < 0.0195 else f"{share:.0%}"


def lies(swatch: Swatch, turn: int = 0) -> str:
    """Say where a colour lies, as a predicate; `turn` varies the verb in a list."""
    place, turn = swatch.place, turn % 3
    if place.chinese is None:
        spread = _EVERYWHERE if place.even else _UNEVENLY
        return (_IN_FLECKS if swatch.flecked else spread)[turn]
    if place.filled:
        return f"铺满{place.chinese}" + ("" if place.held >= 0.8 else "并向外延伸")
    verbs = _WITHIN if place.held >= 0.9 else _MAINLY if place.held >= 0.65 else _DENSEST
    told = verbs[turn].format(place.chinese)
    return f"较为零碎，{told}" if swatch.flecked and swatch.share >= 0.1 else told
