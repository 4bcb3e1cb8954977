"""Whatever the preview engine says of colours must be so in the picture that was drawn."""

import colorsys
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sa1b_captions.caption.engines.preview.claims import Claim
from sa1b_captions.caption.engines.preview.colours import COLOURS, name_pixels
from sa1b_captions.caption.engines.preview.english import ENGLISH
from tests.support.drawn_pictures import (
    DRAWN,
    SEEDS,
    noise,
    portions,
    told,
)


def may_be_called(name, red, green, blue):
    """Whether a person may give an sRGB colour this name, by generous bounds on its HSV."""
    hue, _, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    hue, value, spread = hue * 360, value * 255, max(red, green, blue) - min(red, green, blue)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    if "dark" in name.split() and luma > (175 if "yellow" in name else 125):
        return False
    if name.split()[0] in ("pale", "light", "white", "cream") and luma < 120:
        return False
    if name == "black":
        return value <= 75
    if name in ("white", "light grey", "mid grey", "dark grey"):
        return spread <= 34
    bounds = {
        "brown": (350, 75), "beige": (0, 75), "cream": (0, 130), "khaki": (33, 80),
        "sandy": (20, 65), "ochre": (25, 60), "olive": (35, 100), "orange": (350, 52),
        "golden": (30, 62), "yellow": (35, 95), "green": (50, 185), "teal": (140, 230),
        "turquoise": (140, 225), "blue": (170, 275), "violet": (225, 300), "purple": (225, 350),
        "plum": (265, 360), "mauve": (265, 360), "tan": (15, 60), "magenta": (280, 345),
        "pink": (285, 42), "coral": (345, 30), "pinkish": (285, 45),
        "crimson": (320, 20), "red": (325, 28), "reddish": (320, 40),
    }  # fmt: skip
    families = [bounds[word] for word in re.split("[ -]", name) if word in bounds]
    greyish = "grey" in name or "greyish" in name
    fits = [
        (low <= hue <= high) if low < high else (hue >= low or hue <= high)
        for low, high in families
    ]
    return any(fits) and (not greyish or spread <= 110)


@DRAWN
@given(
    left=st.tuples(*[st.integers(0, 255)] * 3),
    right=st.tuples(*[st.integers(0, 255)] * 3),
    part=st.floats(0.1, 0.9),
)
def test_a_colour_is_named_as_people_may_and_told_with_its_share_and_side(left, right, part):
    pixels = np.zeros((60, 100, 3))
    edge = round(100 * part)
    pixels[:, :edge], pixels[:, edge:] = left, right
    areas = ((left, edge / 100), (right, 1 - edge / 100))
    for name, share, region in portions(told(pixels)):
        fitting = [(rgb, area) for rgb, area in areas if may_be_called(name, *rgb)]
        assert fitting, (name, areas)
        sums = [area for _, area in fitting] + [sum(area for _, area in fitting)]
        assert min(abs(share - area) for area in sums) < 0.02
        if "left" in region and len(fitting) == 1:
            assert fitting[0][0] == left


def test_every_colour_has_a_name_that_people_may_give_it():
    """The whole cube in coarse steps, so also yellow, pale yellow, and orange in shade."""
    levels = np.linspace(0, 255, 26).round()
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    names = name_pixels(cube[None].astype(np.uint8))[0]
    wrong = [
        (COLOURS[index], tuple(map(int, rgb)))
        for index, rgb in zip(names, cube, strict=True)
        if not may_be_called(COLOURS[index], *map(int, rgb))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("black", "#000000"), ("mid grey", "#808080"), ("white", "#ffffff"), ("red", "#ff0000"),
        ("orange-red", "#be3c05"),
        ("navy blue", "#0f1b45 #0e3048"), ("blue-black", "#1c2230"),
        ("orange", "#e87818"), ("dark orange", "#b8640c"),
        ("orange-brown", "#8a4a10"), ("yellow", "#ffe600"), ("pale yellow", "#fff4a0"),
        ("dark yellow", "#b09a10"), ("pale yellow-green", "#cfe0a4"), ("green", "#2f8a3a"),
        ("blue", "#0000ff #0b3fa0"), ("light blue", "#b8d4ec"), ("dark brown", "#5a3418"),
        ("purple", "#6a3c96"),
    ],
)  # fmt: skip
def test_plain_colours_get_the_name_people_use(name, codes):
    for code in codes.split():
        assert portions(told(Image.new("RGB", (32, 32), code))) == [(name, 1, "")]


@pytest.mark.parametrize(
    ("survey", "code", "names"),
    [
        ("dark olive", "#373e02", "dark green/olive green"),
        ("burnt orange", "#c04e01", "dark orange/orange-red"),
        ("almost black", "#070d0d", "black"), ("very dark brown", "#1d0200", "dark brown/black"),
        ("charcoal", "#343837", "dark grey"), ("gunmetal", "#536267", "grey-blue/mid grey"),
        ("off white", "#ffffe4", "cream"), ("eggshell", "#ffffd4", "cream"),
        ("beige", "#e6daa6", "beige"), ("sand", "#e2ca76", "sandy yellow/pale yellow"),
        ("stone", "#ada587", "greyish beige/khaki"), ("taupe", "#b9a281", "greyish beige/beige"),
        ("mushroom", "#ba9e88", "greyish beige"), ("sandy brown", "#c4a661", "sandy yellow/tan"),
        ("tan brown", "#ab7e4c", "light brown"), ("fawn", "#cfaf7b", "tan"),
        ("peach", "#ffb07c", "pale orange/orange"), ("light peach", "#ffd8b1", "pale orange/cream"),
        ("purplish brown", "#6b4247", "purple-brown/red-brown"),
        ("mauve", "#ae7181", "mauve/dusty pink"),
        ("greyish pink", "#c88d94", "dusty pink"), ("faded pink", "#de9dac", "dusty pink/pink"),
        ("pinkish grey", "#c8aca9", "pinkish grey/dusty pink"),
        ("light mauve pink", "#d2c0ca", "pinkish grey"), ("dusk blue", "#26538d", "blue"),
        ("light grey green", "#b7e1a1", "pale green/pale yellow-green"),
        ("cloudy blue", "#acc2d9", "light blue/pale grey-blue"),
        ("light blue grey", "#b7c9e2", "light blue/pale grey-blue"),
        ("greyish purple", "#887191", "purple/grey-purple"),
        ("mustard", "#ceb301", "yellow/dark yellow"),
        ("copper", "#b66325", "orange-brown/dark orange"), ("brick red", "#8f1402", "dark red"),
        ("rust", "#a83c09", "rust red/orange-red"), ("brick", "#a03623", "red-brown/red"),
        ("marine blue", "#01386a", "dark blue/navy blue"),
        ("dark royal blue", "#02066f", "navy blue"),
        ("darkish blue", "#014182", "dark blue/blue"), ("warm grey", "#978a84", "mid grey"),
        ("cement", "#a5a391", "light grey"), ("very dark green", "#062e03", "dark green"),
        ("forest green", "#06470c", "dark green"), ("sage", "#87ae73", "green"),
    ],
)  # fmt: skip
def test_colours_of_a_large_survey_get_a_name_that_says_the_same(survey, code, names):
    """The xkcd survey of 2010: what most of 200,000 people called a colour on their screen."""
    ((told_name, share, _),) = portions(told(Image.new("RGB", (32, 32), code)))
    assert told_name in names.split("/"), survey
    assert share == 1


@DRAWN
@given(grey=st.integers(120, 200), tint=st.integers(0, 60), swapped=st.booleans())
def test_a_colour_lies_in_a_half_only_if_the_other_differs_plainly(grey, tint, swapped):
    pixels = np.full((60, 100, 3), float(grey))
    pixels[:, 50:, 2] -= tint
    told_places = [region for _, _, region in portions(told(pixels[:, :: -1 if swapped else 1]))]
    halves = {"the left half", "the right half"}
    assert not halves & set(told_places) if tint < 20 else tint < 50 or set(told_places) == halves


@DRAWN
@given(rgb=st.tuples(*[st.integers(0, 255)] * 3), seed=SEEDS, spread=st.floats(2, 14))
def test_a_grainy_surface_has_only_names_that_people_may_give_it(rgb, seed, spread):
    facts = told(np.array(rgb) + noise(seed, (80, 100, 1), spread))
    shades = np.clip(np.add(rgb, [[-spread], [0], [spread]]), 0, 255)
    for name, _, _ in portions(facts):
        assert any(may_be_called(name, *shade) for shade in shades)


@DRAWN
@given(
    ground=st.integers(30, 48),
    tree=st.integers(0, 40),
    code=st.sampled_from(["#1f3d20", "#9cc79c", "#6f7d6a", "#5f6b2a"]),
)
def test_a_plain_name_lies_in_a_place_only_if_its_kinds_lie_there_too(ground, tree, code):
    """Who reads that green lies at the bottom will look for no tree above."""
    image = Image.new("RGB", (120, 90), "#b8d4ec")
    image.paste("#3f8f3a", (0, 90 - ground, 120, 90))
    image.paste(code, (40, 5, 40 + tree, 35))
    (place,) = [region for name, _, region in portions(told(image)) if name == "green"]
    is_told = tree * 30 >= 0.09 * 120 * 90
    above = 0 if is_told else tree * 30 / (tree * 30 + ground * 120)
    assert above < 0.3 or place == ""


@DRAWN
@given(areas=st.lists(st.integers(4, 40), min_size=1, max_size=12), seed=SEEDS)
def test_colours_are_called_main_only_if_they_take_half_of_the_frame(areas, seed):
    hues = np.random.default_rng(seed).permutation(12)[: len(areas)]
    strips = [
        np.full((30, 3 * area, 3), np.array(colorsys.hsv_to_rgb(hue / 12, 0.9, 0.9)) * 255)
        for area, hue in zip(areas, hues, strict=True)
    ]
    facts = told(np.concatenate(strips, axis=1))
    total = sum(share for _, share, _ in portions(facts))
    assert ("among_others" in facts) == (total < 0.5)


@DRAWN
@given(part=st.floats(0, 0.9), hue=st.floats(0, 0.99), grey=st.integers(40, 220))
def test_strong_colour_is_told_by_the_area_it_takes(part, hue, grey):
    rows = round(100 * part)
    pixels = np.full((100, 120, 3), float(grey))
    pixels[:rows] = np.array(colorsys.hsv_to_rgb(hue, 1, 0.9)) * 255
    facts, area = told(pixels), rows / 100
    assert ("grey" in facts) == (area == 0)
    assert "faint" not in facts or area < 0.01
    assert "muted" not in facts, "a vivid wall is not muted"
    # No screen shows blues near cyan as vivid as others: they may go untold.
    is_pale = 0.48 < hue < 0.6
    assert ("vivid" in facts) == (area >= 0.55) or (is_pale and "vivid" not in facts)
    if "partly_vivid" in facts:
        told_share = re.search(
            r"(\d+)%", ENGLISH.sentence(Claim("partly_vivid", facts["partly_vivid"]))
        )
        assert int(told_share[1]) == pytest.approx(100 * area, abs=2)
    else:
        assert area < 0.05 or area > 0.38 or is_pale


@DRAWN
@given(hue=st.floats(0, 0.99), saturation=st.floats(0.2, 1), value=st.floats(0.2, 1))
def test_only_a_colour_that_is_strong_and_light_enough_is_called_vivid(hue, saturation, value):
    image = Image.new("RGB", (100, 80), "#808080")
    spot = [round(255 * level) for level in colorsys.hsv_to_rgb(hue, saturation, value)]
    image.paste(tuple(spot), (30, 30, 42, 40))
    accent = told(image).get("accent", {"colour": None})["colour"]
    if accent is not None:
        assert saturation > 0.4
        assert value > 0.4
        assert may_be_called(accent, *spot)
        assert not {"dark", "pale", "light", "brown", "grey", "ochre"} & set(
            re.split("[ -]", accent)
        )


@DRAWN
@given(spread=st.floats(0, 0.3), hue=st.floats(0, 0.99), seed=SEEDS)
def test_muted_and_absent_colour_are_told_only_of_pictures_without_a_lively_spot(spread, hue, seed):
    pale = np.array(colorsys.hsv_to_rgb(hue, spread, 0.6)) * 255
    plain = told(pale + noise(seed, (100, 120, 1), 10))
    strengths = {"grey", "faint", "muted"} & set(plain)
    assert strengths or spread > 0.05
    assert "grey" not in strengths or spread < 0.1
    pixels = np.full((100, 120, 3), pale)
    pixels[40:56, 50:62] = np.array(colorsys.hsv_to_rgb(hue, 1, 0.9)) * 255
    assert not {"grey", "faint", "muted"} & set(told(pixels))


@DRAWN
@given(warm=st.floats(0, 1), seed=SEEDS)
def test_warm_hues_prevail_only_where_they_were_drawn(warm, seed):
    rng = np.random.default_rng(seed)
    rows = round(100 * warm)
    pixels = np.zeros((100, 120, 3))
    pixels[:rows] = np.array(colorsys.hsv_to_rgb(rng.uniform(0, 0.14), 0.7, 0.8)) * 255
    pixels[rows:] = np.array(colorsys.hsv_to_rgb(rng.uniform(0.36, 0.66), 0.7, 0.8)) * 255
    facts = told(pixels)
    if "warm" in facts or "cool" in facts:
        assert warm > 0.85 if "warm" in facts else warm < 0.15
    else:
        assert 0.12 < warm < 0.88
