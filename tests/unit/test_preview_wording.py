"""English and Chinese say the same of an image, and what they say is what was measured."""

import re
import string

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from sa1b_captions.caption.engines.preview.chinese import CHINESE
from sa1b_captions.caption.engines.preview.claims import Claim, claims_of
from sa1b_captions.caption.engines.preview.colours import COLOURS
from sa1b_captions.caption.engines.preview.english import ENGLISH
from sa1b_captions.caption.engines.preview.group import GROUP_MOST, claims_of_group
from sa1b_captions.caption.engines.preview.pixels import measure
from sa1b_captions.caption.engines.preview.places import REGIONS
from tests.support.drawn_pictures import (
    DRAWN,
    SEEDS,
)


@DRAWN
@given(width=st.integers(20, 300), height=st.integers(20, 300), level=st.integers(0, 255))
def test_size_and_shape_are_those_of_the_picture(width, height, level):
    claims = claims_of(measure(Image.new("RGB", (width, height), (level, level, level))))
    words = ENGLISH.sentence(claims[0])
    assert f"{width} by {height} pixels" in words
    assert f"{width}×{height}像素" in CHINESE.sentence(claims[0])
    assert ("portrait" in words or "tall" in words) <= (height > width)
    assert ("landscape" in words or "panoramic" in words) <= (width > height)
    assert ("square" in words) <= (abs(width - height) <= 0.016 * max(width, height))


def patchwork(seed, size, colours, blur):
    small = np.random.default_rng(seed).integers(0, 256, (colours, colours, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize(size, Image.Resampling.NEAREST)
    return image.filter(ImageFilter.GaussianBlur(blur))


@DRAWN
@given(
    seed=SEEDS,
    size=st.tuples(st.integers(1, 200), st.integers(1, 200)),
    colours=st.sampled_from([1, 2, 3, 5, 40]),
    blur=st.sampled_from([0, 2, 12]),
    count=st.integers(2, GROUP_MOST),
)
def test_both_languages_tell_the_same_values_of_each_claim(seed, size, colours, blur, count):
    images = [measure(patchwork(seed + number, size, colours, blur)) for number in range(count)]
    for claim in (*claims_of(images[0]), *claims_of_group(images)):
        words = (ENGLISH.sentence(claim), CHINESE.sentence(claim))
        numbers = [re.findall(r"\d+(?:\.\d+)?%?", text) for text in words]
        assert numbers[0] == numbers[1], words
        for name in names_in(claim):
            assert name in words[0].lower()
            assert CHINESE.words[name] in words[1]


def names_in(value):
    """All names that a claim holds."""
    match value:
        case Claim():
            return [name for part in value.values.values() for name in names_in(part)]
        case tuple():
            return [name for part in value for name in names_in(part)]
        case str():
            return [value] if value else []
    return []


def test_languages_have_the_same_templates_of_the_same_values():
    def values(template):
        return {name for _, name, _, _ in string.Formatter().parse(template) if name}

    english, chinese = (
        {fact: values(template) for fact, template in language.templates.items()}
        for language in (ENGLISH, CHINESE)
    )
    assert english == chinese
    assert not {*COLOURS, *REGIONS} - set(CHINESE.words)
    assert len(set(CHINESE.words.values())) == len(CHINESE.words)
