"""Whatever the preview engine says of edges and surfaces must be so in the picture drawn."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from sa1b_captions.caption.engines.preview.chinese import CHINESE
from sa1b_captions.caption.engines.preview.claims import Claim
from sa1b_captions.caption.engines.preview.english import ENGLISH
from tests.support.drawn_pictures import (
    DRAWN,
    SEEDS,
    as_image,
    enlarged,
    noise,
    told,
)


@DRAWN
@given(radius=st.floats(0, 9), seed=SEEDS)
def test_edges_are_crisp_or_soft_only_as_they_were_blurred(radius, seed):
    blocks = np.random.default_rng(seed).integers(0, 2, (11, 16)) * 200 + 20
    image = as_image(enlarged(blocks, (640, 440))).filter(ImageFilter.GaussianBlur(radius))
    facts = told(image)
    if "crisp" in facts:
        assert radius < 1.5
    elif "soft" in facts:
        assert radius > 2
    else:
        assert radius > 0.9, "plain edges are told"


@DRAWN
@given(seed=SEEDS, coarse=st.integers(3, 6), height=st.integers(30, 140))
def test_clouds_and_soft_gradients_say_nothing_of_sharpness(seed, coarse, height):
    clouds = np.random.default_rng(seed).uniform(0, 1, (coarse, coarse)) * height + 60
    soft = enlarged(clouds, (480, 320), Image.Resampling.BICUBIC)
    facts = told(soft + noise(seed, (*soft.shape[:2], 1), 6))
    assert not {"crisp", "soft"} & set(facts)


@DRAWN
@given(seed=SEEDS, points=st.integers(40, 900), radius=st.floats(0, 1.2))
def test_points_of_light_have_no_edges(seed, points, radius):
    """Stars, sparks and hot pixels are as small in a blurred photograph as in a sharp one."""
    rng = np.random.default_rng(seed)
    pixels = enlarged(rng.uniform(10, 60, (4, 6)), (640, 440), Image.Resampling.BICUBIC).copy()
    pixels[rng.integers(0, 440, points), rng.integers(0, 640, points)] = 255
    facts = told(as_image(pixels).filter(ImageFilter.GaussianBlur(radius)))
    assert not {"crisp", "soft"} & set(facts)


@DRAWN
@given(seed=SEEDS, part=st.floats(0.2, 0.8))
def test_only_of_the_sharpest_edges_is_said_that_they_are_crisp(seed, part):
    blocks = np.random.default_rng(seed).integers(0, 2, (11, 16)) * 200 + 20
    sharp = enlarged(blocks, (640, 440))
    pixels = np.asarray(as_image(sharp).filter(ImageFilter.GaussianBlur(6))).copy()
    pixels[:, : round(640 * part)] = sharp[:, : round(640 * part)]
    facts = told(pixels)
    assert "soft" not in facts
    if "crisp" in facts:
        assert "the sharpest edges" in ENGLISH.sentence(Claim("crisp", {})).lower()
        assert "最清晰的边缘" in CHINESE.sentence(Claim("crisp", {}))


@DRAWN
@given(degrees=st.integers(0, 179), period_px=st.integers(12, 30))
def test_edges_run_only_the_way_they_were_drawn(degrees, period_px):
    rows, columns = np.indices((128, 160))
    # Edges run across the direction in which stripes follow each other.
    along = columns * np.sin(np.radians(degrees)) + rows * np.cos(np.radians(degrees))
    facts = told(110 + 100 * np.clip(3 * np.sin(2 * np.pi * along / period_px), -1, 1))
    truth = {
        "horizontal": 0, "rising to the right": 45, "vertical": 90, "falling to the right": 135
    }  # fmt: skip
    offs = {name: abs((degrees - own + 90) % 180 - 90) for name, own in truth.items()}
    if "direction" in facts:
        assert offs[facts["direction"]["direction"]] <= 10
    else:
        assert min(offs.values()) > 4


@DRAWN
@given(part=st.floats(0, 1), seed=SEEDS, height=st.sampled_from([25, 90]))
def test_a_surface_is_smooth_or_busy_by_the_part_that_has_noise(part, seed, height):
    rows = round(100 * part)
    pixels = np.full((100, 125), 120.0)
    pixels[:rows] += np.random.default_rng(seed).uniform(-height, height, (rows, 125))
    facts = told(np.kron(pixels, np.ones((2, 2))))
    assert rows <= 3 if "bare" in facts else rows > 0
    assert "smooth" not in facts or rows < 40
    assert "busy" not in facts or rows > 80
    if rows and "detail" in facts:
        assert rows < 80
        assert "upper" in facts["detail"]["region"]


@DRAWN
@given(part=st.floats(0.2, 0.8), seed=SEEDS)
def test_a_surface_of_which_a_part_has_faint_grain_is_not_all_texture(part, seed):
    """A crowd above a lawn: the lawn is not flat, but nobody calls it texture."""
    height = np.where(np.indices((100, 125))[0] < round(100 * part), 90, 8)
    grain = np.random.default_rng(seed).uniform(-1, 1, (100, 125)) * height
    assert "busy" not in told(np.kron(120 + grain, np.ones((2, 2))))


def test_fine_noise_that_a_reduction_hides_is_not_called_smooth():
    facts = told(128 + noise(0, (1000, 1400), 8))
    assert not {"smooth", "bare"} & set(facts)
