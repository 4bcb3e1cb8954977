"""Several looks in Chinese: each in turn, then what sets them apart."""

from collections.abc import Sequence

from sa1b_captions.caption.engines.preview import traits
from sa1b_captions.caption.engines.preview.chinese import ASPECTS
from sa1b_captions.caption.engines.preview.chinese_words import (
    CONTRASTS,
    COUNTS,
    FORMATS,
    ORDINALS,
    TONES,
    lies,
    percent,
)
from sa1b_captions.caption.engines.preview.comparison import Comparison, compare
from sa1b_captions.caption.engines.preview.look import Look
from sa1b_captions.caption.engines.preview.traits import Lead

_MOST_CHARS = 600


def describe_group(looks: Sequence[Look]) -> str:
    """Describe two or more images, as many as there are ordinals, in one paragraph."""
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
    text = "".join(told + closing)
    return text if len(text) <= _MOST_CHARS else "".join(portraits + closing)


def _portrait(ordinal: str, look: Look, turn: int) -> str:
    """One image in a sentence."""
    first, second = (*look.swatches, None)[:2]
    manner = f"{TONES[traits.tone(look)]}、{CONTRASTS[traits.contrast(look)]}"
    start = f"{ordinal}图像{manner}，"
    if first is None or second is None:
        name = look.swatches[0].colour.chinese
        return f"{start}几乎全是{name}，占{percent(look.swatches[0].share)}。"
    name, share = first.colour.chinese, percent(first.share)
    rest = f"{second.colour.chinese}（{percent(second.share)}）"
    if look.is_grey:
        return (
            f"{ordinal}为黑白图像，{manner}，{name}（{share}）{lies(first, turn)}，"
            f"{rest}{lies(second, turn + 1)}。"
        )
    kind = traits.lead(look)
    if kind is Lead.ONE:
        where = "" if first.share >= 0.8 else f"，{lies(first, turn)}"
        return f"{start}{name}占{share}{where}，其次是{rest}。"
    if kind is Lead.PAIR:
        return (
            f"{start}以{name}（{share}）和{rest}为主，前者{lies(first, turn)}，"
            f"后者{lies(second, turn + 1)}。"
        )
    return f"{start}其中{name}（{share}）{lies(first, turn)}，{rest}{lies(second, turn + 1)}。"


def _comparison(looks: Sequence[Look], found: Comparison) -> list[str]:
    everyone = f"{COUNTS[len(looks)]}张图像"
    if found.identical:
        return [f"就此处所有测量而言，{everyone}完全相同。"]
    sentences = [_sizes(looks, everyone), _side_by_side(found, everyone, len(looks))]
    sentences.append(_shared(found, everyone))
    if found.edge_width:
        sharp, soft = found.edge_width.least, found.edge_width.most
        sentences.append(
            f"按原尺寸看，{ORDINALS[sharp]}的边缘{'较' if len(looks) == 2 else '最'}细，"
            f"宽约{looks[sharp].detail.edge_px:.1f}像素，{ORDINALS[soft]}则为"
            f"{looks[soft].detail.edge_px:.1f}像素。"
        )
    return sentences


def _sizes(looks: Sequence[Look], everyone: str) -> str:
    places: dict[tuple[str, str], list[str]] = {}
    for place, look in enumerate(looks):
        size = f"{look.width}×{look.height}像素"
        places.setdefault((FORMATS[traits.shape(look)], size), []).append(ORDINALS[place])
    if len(places) == 1:
        ((kind, size),) = places
        return f"{everyone}均为{kind}，尺寸都是{size}。"
    told = [
        f"{'、'.join(names)}{'均' if len(names) > 1 else ''}为{kind}（{size}）"
        for (kind, size), names in places.items()
    ]
    return f"{everyone}尺寸不一，{'，'.join(told)}。"


def _side_by_side(found: Comparison, everyone: str, count: int) -> str:
    ranges = (
        (found.brightness, "更亮", "最亮", "最暗"),
        (found.contrast, "反差更大", "反差最大", "反差最小"),
        (found.colourfulness, "色彩更浓", "色彩最浓", "色彩最淡"),
    )
    if count == 2:
        firsts = [(ends.most, more) for ends, more, _, _ in ranges if ends]
        told = [
            ORDINALS[place] + "、".join(more for most, more in firsts if most == place)
            for place in dict.fromkeys(most for most, _ in firsts)
        ]
    else:
        told = [
            f"{ORDINALS[ends.most]}{most}，{ORDINALS[ends.least]}{least}"
            for ends, _, most, least in ranges
            if ends
        ]
    if not told:
        return f"{everyone}的明暗、反差和色彩浓度都很接近。"
    return f"相比之下，{'；'.join(told)}。"


def _shared(found: Comparison, everyone: str) -> str:
    if not found.shared:
        return f"{everyone}没有共同的主要颜色。"
    names = "和".join(colour.chinese for colour in found.shared)
    return f"{names}在{everyone}中都是主要颜色。"
