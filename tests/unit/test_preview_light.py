"""Whatever the preview engine says of light must be so in the picture that was drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sa1b_captions.caption.engines.preview.claims import Claim
from sa1b_captions.caption.engines.preview.group import claims_of_group
from sa1b_captions.caption.engines.preview.pixels import measure
from sa1b_captions.caption.engines.preview.places import NINTHS
from tests.support.drawn_pictures import (
    DRAWN,
    SEEDS,
    as_image,
    enlarged,
    noise,
    ramp,
    told,
)


@DRAWN
@given(degrees=st.integers(0, 359), dark=st.integers(0, 90), gain=st.integers(60, 160), seed=SEEDS)
def test_light_grows_only_towards_the_side_it_was_drawn_to(degrees, dark, gain, seed):
    facts = told(dark + gain * ramp(degrees) + noise(seed, (96, 120), 8))
    across, down = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    if "slope" in facts:
        end = facts["slope"]["end"]
        columns = ("right" in end) - ("left" in end)
        rows = ("bottom" in end or "lower" in end) - ("top" in end or "upper" in end)
        for step, truth in ((columns, across), (rows, down)):
            assert step * truth > 0 or (step == 0 and abs(truth) < 0.8)
    else:
        assert max(abs(across), abs(down)) <= 0.99, "a plain ramp is told"


@DRAWN
@given(waves=st.floats(1, 4), dark=st.integers(0, 60), degrees=st.sampled_from([0, 90, 45]))
def test_light_that_comes_and_goes_does_not_grow(waves, dark, degrees):
    along = ramp(degrees)
    pixels = dark + 60 * along + 90 * np.sin(2 * np.pi * waves * along) ** 2
    assert "slope" not in told(pixels)
    only_above = dark + 150 * along
    only_above[48:] = dark
    assert degrees or "slope" not in told(only_above)


@DRAWN
@given(row=st.integers(30, 66), column=st.integers(20, 100), radius=st.integers(14, 24))
def test_light_does_not_grow_past_something_light_in_its_way(row, column, radius):
    rows, columns = np.indices((96, 120))
    pixels = 30 + 150 * ramp(0 if row % 2 else 90)
    pixels[np.hypot(rows - row, columns - column) < radius] = 255
    assert "slope" not in told(pixels)


@DRAWN
@given(ground=st.integers(20, 76), dark=st.integers(0, 60), sky=st.integers(0, 25), seed=SEEDS)
def test_a_light_sky_over_a_dark_ground_is_one_step_of_light_and_not_many(ground, dark, sky, seed):
    rows, columns = np.indices((96, 120))
    horizon = ground + 4 * np.sin(columns / 9)
    pixels = np.where(rows < horizon, 230 - sky * rows / 96, dark) + noise(seed, (96, 120), 3)
    assert "slope" not in told(pixels)


@DRAWN
@given(side=st.integers(0, 3), seed=SEEDS, apart=st.integers(-8, 20))
def test_a_centre_is_not_lighter_than_the_rim_where_a_side_is_as_light(side, seed, apart):
    pixels = np.full((90, 120), 60.0)
    pixels[24:66, 32:88] = 180
    row, column = ((0, 1), (1, 0), (1, 2), (2, 1))[side]
    pixels[row * 30 : row * 30 + 30, column * 40 : column * 40 + 40] = 180 + apart
    assert "light_centre" not in told(pixels + noise(seed, (90, 120), 4))


@DRAWN
@given(
    places=st.permutations(range(9)),
    apart=st.integers(0, 30),
    lighter=st.booleans(),
    base=st.integers(90, 140),
)
def test_of_two_parts_that_are_about_as_light_none_is_the_lightest(places, apart, lighter, base):
    pixels = np.full((90, 120), float(base))
    sign = 1 if lighter else -1
    for place, change in ((places[0], 60), (places[1], 60 - apart)):
        row, column = divmod(place, 3)
        pixels[row * 30 : row * 30 + 30, column * 40 : column * 40 + 40] += sign * change
    ends = told(pixels).get("extremes", {"ends": ()})["ends"]
    regions = [end.values["region"] for end in ends]
    assert NINTHS[places[1]] not in regions or apart == 0
    assert apart > 8 or not regions


@DRAWN
@given(ninth=st.integers(0, 8), base=st.integers(60, 150), seed=SEEDS, lighter=st.booleans())
def test_the_lightest_and_darkest_part_are_the_drawn_ones(ninth, base, seed, lighter):
    pixels = base + noise(seed, (90, 120), 5)
    row, column = divmod(ninth, 3)
    pixels[row * 30 : row * 30 + 30, column * 40 : column * 40 + 40] += 70 if lighter else -50
    facts = told(pixels)
    if ninth == 4 and "extremes" not in facts:
        assert ("light_centre" if lighter else "dark_centre") in facts
        return
    (end,) = facts["extremes"]["ends"]
    assert end == Claim("lightest" if lighter else "darkest", {"region": NINTHS[ninth]})


@DRAWN
@given(seed=SEEDS, spots=st.integers(2, 5))
def test_a_part_is_lightest_only_when_no_other_holds_as_much_light(seed, spots):
    """Small white spots elsewhere are what people see as lightest."""
    rng = np.random.default_rng(seed)
    pixels = np.full((90, 120), 70.0)
    pixels[30:60, 40:80] += 25
    for row, column in zip(rng.integers(0, 20, spots), 10 * rng.permutation(11), strict=False):
        pixels[row : row + 8, column : column + 8] = 250
    ends = told(pixels).get("extremes", {"ends": ()})["ends"]
    lightest = [end.values["region"] for end in ends if end.fact == "lightest"]
    assert not set(lightest) & {NINTHS[4], *NINTHS[6:]}


@DRAWN
@given(
    seed=SEEDS,
    inner=st.integers(0, 255),
    rim=st.tuples(*[st.integers(0, 255)] * 4),
    sides=st.floats(0, 1),
)
def test_a_centre_is_lighter_or_darker_only_than_every_side(seed, inner, rim, sides):
    pixels = np.full((90, 120), float(inner))
    levels = [round(rim[0] + sides * (level - rim[0])) for level in rim]
    pixels[:15], pixels[-15:], pixels[15:-15, :20], pixels[15:-15, -20:] = levels
    facts = told(pixels + noise(seed, (90, 120), 4))
    if "light_centre" in facts:
        assert inner > max(levels)
    elif "dark_centre" in facts:
        assert inner < min(levels)
    else:
        near = abs(np.array(levels) - inner).min() < 60
        assert near or min(levels) < inner < max(levels), "a plain centre is told"


@DRAWN
@given(cells=st.sampled_from([12, 24]), low=st.integers(0, 100), high=st.integers(130, 255))
def test_a_checkerboard_is_evenly_light(cells, low, high):
    rows, columns = np.indices((cells, cells))
    board = np.where((rows + columns) % 2, low, high)
    assert "even_light" in told(enlarged(board, (120, 120)))


@DRAWN
@given(low=st.integers(0, 120), gap=st.integers(0, 255), seed=SEEDS)
def test_tone_and_contrast_are_told_only_within_the_levels_drawn(low, gap, seed):
    gap = min(gap, 255 - low)
    pixels = np.random.default_rng(seed).integers(low, low + gap + 1, (40, 60))
    facts = told(pixels)
    tone, contrast = (facts.get(fact, {}).get(fact, "") for fact in ("tone", "contrast"))
    assert "dark" not in tone or pixels.mean() < 90
    assert "bright" not in tone or pixels.mean() > 140
    assert contrast != "practically absent" or gap < 40
    assert contrast != "strong" or gap > 140
    assert contrast != "moderate" or 80 < gap < 220


@pytest.mark.parametrize("count", [2, 3, 5])
def test_images_of_a_group_are_ranked_as_they_were_drawn(count):
    levels = np.random.default_rng(count).permutation(np.linspace(30, 225, count))
    images = [measure(as_image(np.full((40, 60), level))) for level in levels]
    (ranking,) = [claim for claim in claims_of_group(images) if claim.fact == "ranking"]
    ends = {end.fact: end.values["number"] for end in ranking.values["ends"]}
    lightest, darkest = int(levels.argmax()), int(levels.argmin())
    several = {"most_bright": lightest, "least_bright": darkest}
    assert ends == ({"more_bright": lightest} if count == 2 else several)
