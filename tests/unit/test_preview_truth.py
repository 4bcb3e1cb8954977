"""Pictures drawn with known truth: whatever the preview engine claims of them must be so.

The oracles look at what was drawn, with numpy and HSV; none of them uses a measure of the engine.
"""

import colorsys
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from sa1b_captions.caption.engines.preview import chinese, english
from sa1b_captions.caption.engines.preview import claims as c
from sa1b_captions.caption.engines.preview.colours import COLOURS
from sa1b_captions.caption.engines.preview.group import GROUP_MOST, claims_of_group
from sa1b_captions.caption.engines.preview.look import Slant
from sa1b_captions.caption.engines.preview.pixels import measure
from sa1b_captions.caption.engines.preview.places import NINTHS
from sa1b_captions.caption.engines.preview.single import claims_of

DRAWN = settings(max_examples=25, deadline=None, derandomize=True)
SEEDS = st.integers(0, 10_000)


def told(pixels, kind):
    """The claim of one kind about a picture, or None; (H, W) or (H, W, 3) of 0 to 255."""
    return claim_of(claims_of(measure(as_image(pixels))), kind)


def claim_of(claims, kind):
    found = [claim for claim in claims if isinstance(claim, kind)]
    assert len(found) <= 1
    return found[0] if found else None


def as_image(pixels):
    array = np.clip(np.asarray(pixels), 0, 255).astype(np.uint8)
    return Image.fromarray(array if array.ndim == 3 else np.repeat(array[..., None], 3, axis=2))


def ramp(degrees, shape=(160, 200)):
    """0 to 1 along a direction, y downwards."""
    rows, columns = np.indices(shape)
    along = columns / shape[1] * np.cos(np.radians(degrees)) + rows / shape[0] * np.sin(
        np.radians(degrees)
    )
    return (along - along.min()) / np.ptp(along)


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
        "brown": (350, 75), "beige": (0, 75), "cream": (0, 130), "khaki": (35, 80),
        "sandy": (20, 65), "ochre": (25, 60), "olive": (35, 100), "orange": (350, 52),
        "golden": (30, 62), "yellow": (35, 95), "green": (50, 185), "teal": (140, 230),
        "turquoise": (140, 225), "blue": (170, 275), "violet": (225, 300), "purple": (225, 345),
        "plum": (265, 360), "magenta": (280, 345), "pink": (285, 42), "pinkish": (285, 45),
        "crimson": (320, 20), "red": (330, 28), "reddish": (320, 40),
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
    pixels = np.zeros((120, 200, 3))
    edge = round(200 * part)
    pixels[:, :edge], pixels[:, edge:] = left, right
    areas = ((left, edge / 200), (right, 1 - edge / 200))
    for swatch in told(pixels, c.Palette).swatches:
        name = swatch.colour.english
        fitting = [(rgb, area) for rgb, area in areas if may_be_called(name, *rgb)]
        assert fitting, (name, areas)
        sums = [area for _, area in fitting] + [sum(area for _, area in fitting)]
        assert min(abs(swatch.share - area) for area in sums) < 0.02
        if swatch.place.english and "left" in swatch.place.english and len(fitting) == 1:
            assert fitting[0][0] == left


def test_every_colour_has_a_name_that_people_may_give_it():
    """The whole cube in coarse steps, so also yellow, pale yellow, and orange in shade."""
    levels = [0, 24, 56, 88, 120, 152, 184, 216, 255]
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    from sa1b_captions.caption.engines.preview.colours import name_pixels

    names = name_pixels(cube[None].astype(np.uint8))[0]
    wrong = [
        (COLOURS[index].english, tuple(map(int, rgb)))
        for index, rgb in zip(names, cube, strict=True)
        if not may_be_called(COLOURS[index].english, *map(int, rgb))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("#000000", {"black"}),
        ("#808080", {"mid grey"}),
        ("#ffffff", {"white"}),
        ("#0f1b45", {"navy blue"}),
        ("#ff0000", {"red"}),
        ("#e87818", {"orange"}),
        ("#a8580c", {"orange-brown"}),
        ("#8a4a10", {"orange-brown"}),
        ("#ffe600", {"yellow"}),
        ("#fff4a0", {"pale yellow"}),
        ("#b09a10", {"dark yellow"}),
        ("#2f8a3a", {"green"}),
        ("#0000ff", {"blue"}),
        ("#b8d4ec", {"light blue"}),
        ("#5a3418", {"dark brown"}),
        ("#6a3c96", {"purple"}),
    ],
)
def test_plain_colours_get_the_name_people_use(code, names):
    (swatch,) = told(np.asarray(Image.new("RGB", (64, 64), code)), c.Palette).swatches
    assert swatch.colour.english in names


@DRAWN
@given(degrees=st.integers(0, 359), dark=st.integers(0, 90), gain=st.integers(60, 160), seed=SEEDS)
def test_light_grows_only_towards_the_side_it_was_drawn_to(degrees, dark, gain, seed):
    noise = np.random.default_rng(seed).normal(0, 12, (160, 200))
    claim = told(dark + gain * ramp(degrees) + noise, c.Slope)
    across, down = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    if claim is not None:
        for step, truth in ((claim.columns, across), (claim.rows, down)):
            assert step * truth > 0 or (step == 0 and abs(truth) < 0.8)
    elif max(abs(across), abs(down)) > 0.99:
        pytest.fail("a plain ramp is told")


@DRAWN
@given(waves=st.floats(1, 4), dark=st.integers(0, 60), degrees=st.sampled_from([0, 90, 45]))
def test_light_that_comes_and_goes_does_not_grow(waves, dark, degrees):
    along = ramp(degrees)
    pixels = dark + 60 * along + 90 * np.sin(2 * np.pi * waves * along) ** 2
    assert told(pixels, c.Slope) is None


@DRAWN
@given(ninth=st.integers(0, 8), base=st.integers(60, 150), seed=SEEDS, lighter=st.booleans())
def test_the_lightest_and_darkest_part_are_the_drawn_ones(ninth, base, seed, lighter):
    pixels = np.full((180, 240), float(base)) + np.random.default_rng(seed).normal(0, 5, (180, 240))
    row, column = divmod(ninth, 3)
    patch = (slice(row * 60, row * 60 + 60), slice(column * 80, column * 80 + 80))
    pixels[patch] += 70 if lighter else -50
    claims = claims_of(measure(as_image(pixels)))
    extremes, centre = claim_of(claims, c.Extremes), claim_of(claims, c.CentreLight)
    if ninth == 4 and extremes is None:
        assert centre is not None
        assert (centre.gain > 0) == lighter
        return
    assert extremes == c.Extremes(
        NINTHS[ninth] if lighter else None, None if lighter else NINTHS[ninth]
    )


@DRAWN
@given(seed=SEEDS, spots=st.integers(2, 5))
def test_a_part_is_lightest_only_when_no_other_holds_as_much_light(seed, spots):
    """Small white spots elsewhere are what people see as lightest."""
    rng = np.random.default_rng(seed)
    pixels = np.full((180, 240), 70.0)
    pixels[60:120, 80:160] += 25
    for row, column in zip(rng.integers(0, 40, spots), rng.integers(0, 220, spots), strict=True):
        pixels[row : row + 16, column : column + 16] = 250
    claim = told(pixels, c.Extremes)
    assert claim is None or claim.lightest not in (NINTHS[4], *NINTHS[6:])


@DRAWN
@given(cells=st.sampled_from([12, 24]), low=st.integers(0, 100), high=st.integers(130, 255))
def test_a_checkerboard_is_evenly_light(cells, low, high):
    rows, columns = np.indices((cells, cells))
    board = Image.fromarray(np.where((rows + columns) % 2, low, high).astype(np.uint8))
    pixels = np.asarray(board.resize((240, 240), Image.Resampling.NEAREST))
    claims = claims_of(measure(as_image(pixels)))
    assert claim_of(claims, c.EvenLight).gap < 1
    assert not any(isinstance(claim, c.Slope | c.CentreLight | c.Extremes) for claim in claims)


@DRAWN
@given(radius=st.floats(0, 9), seed=SEEDS)
def test_edges_are_crisp_or_soft_only_as_they_were_blurred(radius, seed):
    blocks = np.random.default_rng(seed).integers(0, 2, (16, 24)) * 200 + 20
    image = as_image(blocks).resize((960, 640), Image.Resampling.NEAREST)
    claim = told(np.asarray(image.filter(ImageFilter.GaussianBlur(radius))), c.Sharpness)
    width = max(1.0, radius * np.sqrt(2 * np.pi))
    # Height over steepest slope of a step under a Gaussian.
    if claim is None:
        assert radius > 0.9, "plain edges are told"
    else:
        assert claim.edge_px == pytest.approx(width, rel=0.4, abs=0.6)
        assert radius < 1.5 if claim.is_crisp else radius > 2


@DRAWN
@given(seed=SEEDS, coarse=st.integers(3, 6), height=st.integers(30, 140))
def test_clouds_and_soft_gradients_say_nothing_of_sharpness(seed, coarse, height):
    clouds = np.random.default_rng(seed).uniform(0, 1, (coarse, coarse)) * height + 60
    image = as_image(clouds).resize((900, 600), Image.Resampling.BICUBIC)
    assert told(np.asarray(image), c.Sharpness) is None


@DRAWN
@given(degrees=st.integers(0, 179), period_px=st.integers(12, 30))
def test_edges_run_only_the_way_they_were_drawn(degrees, period_px):
    rows, columns = np.indices((200, 256))
    # Edges run across the direction in which stripes follow each other.
    along = columns * np.sin(np.radians(degrees)) + rows * np.cos(np.radians(degrees))
    waves = np.sin(2 * np.pi * along / period_px)
    claim = told(110 + 100 * np.clip(3 * waves, -1, 1), c.Direction)
    truth = {Slant.HORIZONTAL: 0, Slant.FALLING: 135, Slant.VERTICAL: 90, Slant.RISING: 45}
    offs = {slant: abs((degrees - own + 90) % 180 - 90) for slant, own in truth.items()}
    if claim is not None:
        assert offs[claim.slant] <= 10
    else:
        assert min(offs.values()) > 4


@DRAWN
@given(part=st.floats(0, 0.6), hue=st.floats(0, 0.99), grey=st.integers(40, 220))
def test_strong_colour_is_told_by_the_area_it_takes(part, hue, grey):
    pixels = np.full((150, 200, 3), float(grey))
    rows = round(150 * part)
    pixels[:rows] = np.array(colorsys.hsv_to_rgb(hue, 1, 0.9)) * 255
    area = rows / 150
    claims = claims_of(measure(as_image(pixels)))
    overview, strength = claim_of(claims, c.Overview), claim_of(claims, c.ColourStrength)
    assert overview.is_grey == (area < 0.005)
    if strength is None:
        assert area < 0.05 or area > 0.38
    elif strength.strength is c.Strength.FAINT:
        assert area < 0.03
    elif strength.strength is c.Strength.MUTED:
        pytest.fail("a vivid wall is not muted")
    else:
        assert strength.vivid == pytest.approx(area, abs=0.02)


@DRAWN
@given(warm=st.floats(0, 1), seed=SEEDS)
def test_warm_hues_prevail_only_where_they_were_drawn(warm, seed):
    rng = np.random.default_rng(seed)
    rows = round(150 * warm)
    pixels = np.zeros((150, 200, 3))
    pixels[:rows] = np.array(colorsys.hsv_to_rgb(rng.uniform(0, 0.14), 0.7, 0.8)) * 255
    pixels[rows:] = np.array(colorsys.hsv_to_rgb(rng.uniform(0.36, 0.66), 0.7, 0.8)) * 255
    claim = told(pixels, c.Warmth)
    if claim is None:
        assert 0.15 < warm < 0.85
    else:
        assert warm > 0.75 if claim.is_warm else warm < 0.25


@DRAWN
@given(part=st.floats(0, 1), seed=SEEDS)
def test_the_smooth_share_is_the_part_left_without_noise(part, seed):
    pixels = np.full((200, 250), 120.0)
    rows = round(200 * part)
    pixels[:rows] += np.random.default_rng(seed).uniform(-90, 90, (rows, 250))
    claim = told(np.kron(pixels, np.ones((6, 6))), c.Surface)
    if claim is None:
        assert 150 < rows < 200, "only where the calmest part has texture too"
        return
    assert claim.smooth == pytest.approx(1 - rows / 200, abs=0.03)
    assert (claim.texture is c.Texture.BARE) == (rows == 0)


def test_fine_noise_that_a_reduction_hides_is_not_called_smooth():
    noise = np.random.default_rng(0).normal(128, 18, (1500, 2000))
    assert told(noise, c.Surface) is None


@DRAWN
@given(width=st.integers(20, 300), height=st.integers(20, 300), level=st.integers(0, 255))
def test_size_and_shape_are_those_of_the_picture(width, height, level):
    claims = claims_of(measure(Image.new("RGB", (width, height), (level, level, level))))
    size = claim_of(claims, c.Overview).size
    assert (size.width, size.height) == (width, height)
    words = english.describe(claims)
    assert f"{width} by {height} pixels" in words
    assert ("portrait" in words or "tall" in words) <= (height > width)
    assert ("landscape" in words or "panoramic" in words) <= (width > height)
    assert ("square" in words) <= (abs(width - height) <= 0.016 * max(width, height))


@DRAWN
@given(low=st.integers(0, 120), gap=st.integers(0, 130), seed=SEEDS)
def test_tone_and_contrast_are_told_only_within_the_levels_drawn(low, gap, seed):
    pixels = np.random.default_rng(seed).integers(low, low + gap + 1, (60, 90))
    overview = told(np.kron(pixels, np.ones((3, 3))), c.Overview)
    if overview.tone in (c.Tone.DARK, c.Tone.VERY_DARK):
        assert pixels.mean() < 110
    if overview.tone in (c.Tone.BRIGHT, c.Tone.VERY_BRIGHT):
        assert pixels.mean() > 140
    if overview.contrast is c.Contrast.FLAT:
        assert gap < 40
    if overview.contrast in (c.Contrast.STRONG, c.Contrast.EXTREME):
        assert gap > 100


def patchwork(seed, size, colours, blur):
    small = np.random.default_rng(seed).integers(0, 256, (colours, colours, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize(size, Image.Resampling.NEAREST)
    return image.filter(ImageFilter.GaussianBlur(blur))


@DRAWN
@given(
    seed=SEEDS,
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    colours=st.sampled_from([1, 2, 3, 5, 40]),
    blur=st.sampled_from([0, 2, 12]),
    count=st.integers(1, GROUP_MOST),
)
def test_both_languages_tell_the_same_claims_with_the_same_values(seed, size, colours, blur, count):
    looks = [measure(patchwork(seed + number, size, colours, blur)) for number in range(count)]
    claims = claims_of(looks[0]) if count == 1 else claims_of_group(looks)
    for claim in claims:
        words = (english.sentence(claim), chinese.sentence(claim))
        numbers = [sorted(re.findall(r"\d+(?:\.\d+)?%?", text)) for text in words]
        assert numbers[0] == numbers[1], words
        for name in names_in(claim):
            assert name.english.lower() in words[0].lower()
            assert name.chinese in words[1]
    assert english.describe(claims) == " ".join(english.sentence(claim) for claim in claims)
    assert chinese.describe(claims) == "".join(chinese.sentence(claim) for claim in claims)
    facts = [type(claim) for claim in claims if not isinstance(claim, c.Portrait | c.Repeat)]
    assert len(facts) == len(set(facts)), "one fact, one claim"
    shapes = {c.Slope, c.CentreLight, c.Extremes, c.EvenLight}
    assert count > 1 or len(shapes & set(facts)) <= 1


def names_in(claim):
    """Colours, regions and terms that a claim holds."""
    match claim:
        case c.Palette(_, swatches) | c.Portrait(swatches=swatches):
            return [swatch.colour for swatch in swatches]
        case c.Overview(size, tone, contrast):
            return [term for term in (size.format, tone, contrast) if term]
        case c.Extremes(lightest, darkest):
            return [region for region in (lightest, darkest) if region]
        case c.Accent(swatch):
            return [swatch.colour]
        case c.Rim(colour):
            return [colour]
        case c.Shared(_, colours):
            return colours
    return []
