import io
import itertools
import re
from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from demo.photographs import CROPS, photograph
from sa1b_captions.caption.engines.base import Reply, Request
from sa1b_captions.caption.engines.preview.colours import to_lab
from sa1b_captions.caption.engines.preview.engine import PreviewEngine, open_engine
from sa1b_captions.caption.engines.preview.pixels import measure
from sa1b_captions.caption.engines.registry import open_engine as open_by_name
from sa1b_captions.quality import features
from sa1b_captions.quality.rules import find_reasons
from sa1b_captions.recipe import Recipe, load_recipe
from sa1b_captions.records import CaptionStatus
from sa1b_captions.settings import load_settings

ENGINE = PreviewEngine()
HAN = re.compile(r"[\u4e00-\u9fff]")
ENDS = re.compile(r"[。！？]|(?<!\d)\.(?=\s|$)|(?<=\d)\.(?=\s|$)")
LIMITS = {"en": (200, 900), "zh": (60, 350)}


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return load_recipe("internvl")


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    return [_decoded(photograph(crop, 240)) for crop in CROPS]


@pytest.fixture(scope="module")
def captions(recipe: Recipe, photographs: list[Image.Image]) -> dict[str, list[str]]:
    """One caption per photograph, by language."""
    return {
        language: [_reply(recipe, [image], language).caption for image in photographs]
        for language in LIMITS
    }


def _decoded(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg)).convert("RGB")


def _reply(recipe: Recipe, images: Sequence[Image.Image], language: str) -> Reply:
    name = f"{'single' if len(images) == 1 else 'multi'}_{language}"
    return ENGINE.caption(
        Request(
            "sample", tuple(images), recipe.tracks[name], recipe.generation, attempt=1, jpegs=()
        )
    )


def _sentences(caption: str) -> list[str]:
    return [text.strip() for text in ENDS.split(caption) if text.strip()]


def _halves(left: str, right: str, size: tuple[int, int] = (300, 200)) -> Image.Image:
    image = Image.new("RGB", size, left)
    image.paste(Image.new("RGB", (size[0] // 2, size[1]), right), (size[0] // 2, 0))
    return image


def _solid_or_noise(seed: int, size: tuple[int, int], colours: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (colours, colours, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.NEAREST)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_photograph_gets_its_own_well_formed_caption(captions, language):
    assert len(set(captions[language])) == len(CROPS)
    low, high = LIMITS[language]
    for caption in captions[language]:
        assert low <= len(caption) <= high, caption
        _assert_well_formed(caption, language)


def _assert_well_formed(caption: str, language: str) -> None:
    assert not re.search(r"[\n\r*#<>]|\.\.|  |None|，，|。。", caption), caption
    assert caption[-1] == ("." if language == "en" else "。")
    sentences = _sentences(caption)
    assert len(sentences) >= 3
    assert len(set(sentences)) == len(sentences), caption
    if language == "en":
        assert not HAN.search(caption)
        assert all(text[0].isupper() for text in sentences), caption
    else:
        assert not re.search(r"[A-Za-z,;]", caption), caption


@pytest.mark.parametrize(("language", "width"), [("en", 3), ("zh", 5)])
def test_captions_of_different_photographs_are_no_near_duplicates(captions, language, width):
    def shingles(caption: str) -> set[tuple[str, ...]]:
        units = re.findall(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+", caption.lower())
        return {tuple(units[i : i + width]) for i in range(len(units) - width + 1)}

    told = [shingles(caption) for caption in captions[language]]
    likest = max(len(a & b) / len(a | b) for a, b in itertools.combinations(told, 2))
    assert likest < 0.6


@pytest.mark.parametrize("language", ["en", "zh"])
def test_identical_pixels_give_identical_captions(recipe, photographs, language):
    first = _reply(recipe, [photographs[8]], language)
    again = _reply(recipe, [photographs[8].copy()], language)
    assert first == again


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    colours=st.sampled_from([1, 2, 3, 40]),
    language=st.sampled_from(["en", "zh"]),
    count=st.integers(1, 4),
)
def test_any_image_gets_a_caption_that_breaks_no_rule(seed, size, colours, language, count):
    recipe = load_recipe("internvl")
    images = [_solid_or_noise(seed + number, size, colours) for number in range(count)]
    caption = _reply(recipe, images, language).caption
    rows = features.measure(pa.array([caption])).with_columns(status=pl.lit("ok"))
    (reasons,) = find_reasons(rows, recipe.quality.languages[language]).to_list()
    # Three or four flat images have nothing of their own to tell; the rule is right about them.
    assert set(reasons) <= ({"ngram_repetition"} if count > 2 else set()), caption
    _assert_well_formed(caption, language)


def test_reply_says_how_it_ended_and_about_how_long_it_is(recipe, photographs):
    for language, least in (("en", 60), ("zh", 60)):
        reply = _reply(recipe, [photographs[0]], language)
        assert reply.status is CaptionStatus.OK
        assert reply.finish_reason == "stop"
        assert reply.completion_tokens is not None
        assert least < reply.completion_tokens < len(reply.caption)


def test_colours_are_named_where_they_lie():
    look = measure(_halves("#d02018", "#2c64c8"))
    told = {swatch.colour.english: swatch for swatch in look.swatches}
    assert set(told) == {"red", "blue"}
    assert told["red"].place.english == "the left half"
    assert told["blue"].place.english == "the right half"
    assert told["red"].share == pytest.approx(0.5, abs=0.01)
    assert told["red"].place.filled


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("#000000", "black"),
        ("#808080", "mid grey"),
        ("#ffffff", "white"),
        ("#0f1b45", "navy blue"),
        ("#e87818", "orange"),
        ("#2f8a3a", "green"),
        ("#b8d4ec", "pale blue"),
        ("#5a3418", "dark brown"),
    ],
)
def test_plain_colours_get_the_name_people_use(code, name):
    assert measure(Image.new("RGB", (64, 64), code)).swatches[0].colour.english == name


def test_lab_agrees_with_published_values():
    rgb = np.array([[255, 0, 0], [0, 0, 255], [255, 255, 255]], dtype=np.uint8)
    published = [[53.24, 80.09, 67.20], [32.30, 79.19, -107.86], [100, 0, 0]]
    np.testing.assert_allclose(to_lab(rgb), published, atol=0.05)


def test_warm_and_cool_hues_are_told_apart():
    look = measure(_halves("#e87818", "#2f8a3a"))
    assert (look.warm, look.cool) == (pytest.approx(0.5, abs=0.02), pytest.approx(0.5, abs=0.02))
    assert measure(Image.new("RGB", (40, 40), "#c83018")).cool == 0
    assert measure(Image.new("RGB", (40, 40), "#2c64c8")).warm == 0


def test_a_light_middle_and_a_uniform_rim_are_seen(recipe):
    image = Image.new("RGB", (300, 200), "#101010")
    image.paste(Image.new("RGB", (220, 140), "#e0e0e0"), (40, 30))
    caption = _reply(recipe, [image], "en").caption
    assert "The central part is lighter than the rim" in caption
    assert "The outermost edge of the frame is almost all black." in caption
    assert "画面最外缘几乎全为黑色。" in _reply(recipe, [image], "zh").caption


def test_light_is_said_to_grow_towards_the_lighter_side(recipe):
    ramp = np.tile(np.linspace(0, 255, 300, dtype=np.uint8), (200, 1))
    image = Image.fromarray(np.repeat(ramp[..., None], 3, axis=2))
    assert "grows lighter from the left to the right" in _reply(recipe, [image], "en").caption
    assert "由左侧向右侧渐亮" in _reply(recipe, [image], "zh").caption
    turned = image.transpose(Image.Transpose.ROTATE_90)
    assert "grows lighter from the bottom to the top" in _reply(recipe, [turned], "en").caption


def test_only_images_without_colour_are_called_black_and_white(recipe, photographs):
    grey = photographs[8].convert("L").convert("RGB")
    assert "black-and-white" in _reply(recipe, [grey], "en").caption
    assert "黑白图像" in _reply(recipe, [grey], "zh").caption
    assert "black-and-white" not in _reply(recipe, [photographs[8]], "en").caption


def test_edge_width_follows_the_blur():
    rng = np.random.default_rng(0)
    blocks = Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8))
    sharp = blocks.resize((1200, 800), Image.Resampling.NEAREST)
    widths = [
        measure(sharp.filter(ImageFilter.GaussianBlur(radius))).detail.edge_px
        for radius in (0, 2, 6)
    ]
    assert widths[0] == pytest.approx(1, abs=0.2)
    assert widths == sorted(widths)
    assert widths[2] > 2 * widths[1]


def test_noise_has_no_direction_and_stripes_have_theirs():
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (128, 192, 3), dtype=np.uint8))
    assert measure(noise).detail.slant is None
    row, column = np.indices((128, 192)) // 8
    for mask, slant in (
        (column % 2, "vertical"),
        (row % 2, "horizontal"),
        ((np.indices((128, 192)).sum(axis=0) // 8) % 2, "rising"),
    ):
        stripes = Image.fromarray((mask * 200).astype(np.uint8)).convert("RGB")
        assert measure(stripes).detail.slant == slant


def test_detail_is_found_where_it_is():
    rng = np.random.default_rng(0)
    pixels = np.full((200, 300, 3), 120, dtype=np.uint8)
    pixels[100:] = rng.integers(0, 256, (100, 300, 3), dtype=np.uint8)
    detail = measure(Image.fromarray(pixels)).detail
    assert detail.place.english == "the lower half"
    assert detail.smooth_place.english == "the upper half"
    assert detail.smooth == pytest.approx(0.5, abs=0.02)


def test_a_large_image_is_measured_like_its_reduction():
    small = _halves("#d02018", "#f0f0f0", (225, 150))
    large = small.resize((2250, 1500), Image.Resampling.NEAREST)
    for one, other in zip(measure(large).swatches, measure(small).swatches, strict=True):
        assert (one.colour, one.place.english) == (other.colour, other.place.english)
        assert one.share == pytest.approx(other.share, abs=0.01)


def test_several_images_are_told_in_turn_and_compared(recipe):
    images = [Image.new("RGB", (90, 60), "#101010"), _halves("#f0f0f0", "#2c64c8", (60, 90))]
    english = _reply(recipe, images, "en").caption
    assert english.index("first image") < english.index("second image")
    assert "Side by side, the second is brighter" in english
    assert "the first is landscape-format at 90 by 60" in english
    chinese = _reply(recipe, images, "zh").caption
    assert "第一张图像" in chinese
    assert "第二张更亮" in chinese


def test_the_same_image_twice_is_said_to_be_the_same(recipe, photographs):
    pair = [photographs[3], photographs[3]]
    assert "both images are the same" in _reply(recipe, pair, "en").caption
    assert "两张图像完全相同" in _reply(recipe, pair, "zh").caption


def test_too_many_images_are_an_error_of_that_sample(recipe):
    reply = _reply(recipe, [Image.new("RGB", (30, 30))] * 9, "en")
    assert reply.status is CaptionStatus.ERROR
    assert reply.error_code == "image_count"
    assert not reply.caption


def test_engine_opens_by_name_with_any_recipe(recipe):
    settings = load_settings({"CAPTIONS_ROOT": "file:///x"})
    assert isinstance(open_engine(recipe, settings), PreviewEngine)
    engine = open_by_name("preview", recipe, settings)
    assert (engine.name, engine.model, engine.model_revision) == ("preview", "preview", "1")
    engine.close()
