import io
import itertools
import re

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from demo.photographs import CROPS, photograph
from sa1b_captions.caption.engines.base import Request
from sa1b_captions.caption.engines.preview.claims import claims_of
from sa1b_captions.caption.engines.preview.colours import to_lab
from sa1b_captions.caption.engines.preview.engine import LANGUAGES, PreviewEngine, open_engine
from sa1b_captions.caption.engines.preview.group import claims_of_group
from sa1b_captions.caption.engines.preview.pixels import measure
from sa1b_captions.caption.engines.registry import open_engine as open_by_name
from sa1b_captions.quality import features
from sa1b_captions.quality.rules import find_reasons
from sa1b_captions.recipe import load_recipe
from sa1b_captions.records import CaptionStatus
from sa1b_captions.settings import load_settings

ENGINE = PreviewEngine()
RECIPE = load_recipe("internvl")
DEMO = load_recipe("demo/recipe.toml")
SOME = CROPS[:49]
HAN = re.compile(r"[\u4e00-\u9fff]")
ENDS = re.compile(r"[。！？]|\.(?=\s|$)")
LIMITS = {"en": (200, 1000), "zh": (60, 350)}


@pytest.fixture(scope="module")
def photographs():
    """Some of the demo's crops, small."""
    return [Image.open(io.BytesIO(photograph(crop, 200))).convert("RGB") for crop in SOME]


@pytest.fixture(scope="module")
def measured(photographs):
    return [measure(image) for image in photographs]


@pytest.fixture(scope="module")
def captions(measured):
    """One caption per photograph, by language."""
    claims = [claims_of(image) for image in measured]
    return {
        name: [language.describe(one) for one in claims] for name, language in LANGUAGES.items()
    }


def reply_to(images, language):
    track = RECIPE.tracks[f"{'single' if len(images) == 1 else 'multi'}_{language}"]
    request = Request("sample", tuple(images), track, RECIPE.generation, attempt=1, jpegs=())
    return ENGINE.caption(request)


def caption(images, language):
    return reply_to(images, language).caption


def sentences(text):
    return [part.strip() for part in ENDS.split(text) if part.strip()]


def halves(left, right, size=(300, 200)):
    image = Image.new("RGB", size, left)
    image.paste(Image.new("RGB", (size[0] // 2, size[1]), right), (size[0] // 2, 0))
    return image


def blocks(seed, size, colours):
    small = np.random.default_rng(seed).integers(0, 256, (colours, colours, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.NEAREST)


def assert_well_formed(text, language):
    assert not re.search(r"[\n\r*#<>]|\.\.|  |None|，，|。。", text), text
    assert text[-1] == ("." if language == "en" else "。")
    parts = sentences(text)
    assert len(parts) >= 3
    assert len(set(parts)) == len(parts), text
    if language == "en":
        assert not HAN.search(text)
        assert all(part[0].isupper() for part in parts), text
        assert not re.search(r"\blooks?\b", text)
    else:
        assert not re.search(r"[A-Za-z,;]", text), text


def reasons(texts, language, recipe):
    rows = features.measure(pa.array(texts)).with_columns(status=pl.lit("ok"))
    return find_reasons(rows, recipe.quality.languages[language]).to_list()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_photograph_gets_its_own_well_formed_caption(captions, language):
    assert len(set(captions[language])) == len(SOME)
    low, high = LIMITS[language]
    for text in captions[language]:
        assert low <= len(text) <= high, text
        assert_well_formed(text, language)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_demos_rules_accept_every_photograph_and_every_group(captions, measured, language):
    assert reasons(captions[language], language, DEMO) == [[]] * len(SOME)
    groups = [measured[start : start + size] for size in (2, 3, 4) for start in range(0, 44, 3)]
    told = [LANGUAGES[language].describe(claims_of_group(group)) for group in groups]
    assert reasons(told, language, DEMO) == [[]] * len(groups)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_captions_of_different_photographs_are_no_near_duplicates(captions, language):
    def shingles(text):
        units = re.findall(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+", text.lower())
        return {tuple(units[i : i + 5]) for i in range(len(units) - 4)}

    told = [shingles(text) for text in captions[language]]
    likest = max(len(a & b) / len(a | b) for a, b in itertools.combinations(told, 2))
    assert likest < 0.7


@pytest.mark.parametrize("language", ["en", "zh"])
def test_identical_pixels_give_identical_captions(photographs, language):
    assert caption([photographs[8]], language) == caption([photographs[8].copy()], language)


@settings(max_examples=15, deadline=None)
@example(seed=393, size=(1, 1), colours=1, language="en", count=2)
@given(
    seed=st.integers(0, 1000),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    colours=st.sampled_from([1, 2, 3, 40]),
    language=st.sampled_from(["en", "zh"]),
    count=st.integers(1, 4),
)
def test_any_image_gets_a_caption_that_breaks_no_rule(seed, size, colours, language, count):
    text = caption([blocks(seed + number, size, colours) for number in range(count)], language)
    (found,) = reasons([text], language, RECIPE)
    # Several drawings of few colours may be told in the same words; the rules are right about them.
    repeated = {"ngram_repetition", "sentence_repetition"}
    assert set(found) <= (repeated if count > 1 else set()), text
    low, high = LIMITS[language]
    assert count > 1 or low <= len(text) <= high, "what has no name is told as a number"
    assert_well_formed(text, language)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_reply_says_how_it_ended_and_about_how_long_it_is(photographs, language):
    reply = reply_to([photographs[0]], language)
    assert reply.status is CaptionStatus.OK
    assert reply.finish_reason == "stop"
    assert reply.completion_tokens is not None
    assert 60 < reply.completion_tokens < len(reply.caption)


def test_colours_are_named_where_they_lie():
    told = {swatch.colour: swatch for swatch in measure(halves("#d02018", "#2c64c8")).swatches}
    assert set(told) == {"red", "blue"}
    assert told["red"].place.region == "the left half"
    assert told["blue"].place.region == "the right half"
    assert told["red"].share == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("boxes", "place"),
    [
        ([(0, 0, 300, 30), (140, 175, 160, 200)], "the upper third"),
        ([(0, 0, 300, 30), (0, 170, 300, 200)], "the strips along the top and bottom"),
        ([(0, 0, 50, 200), (250, 0, 300, 200)], "the strips along both sides"),
        ([(0, 0, 90, 60)], "the upper left corner"),
    ],
)
def test_a_colour_lies_in_a_place_of_several_parts_only_if_it_is_in_each(boxes, place):
    image = Image.new("RGB", (300, 200), "#303030")
    for left, top, right, bottom in boxes:
        image.paste("#2c64c8", (left, top, right, bottom))
    told = {swatch.colour: swatch.place.region for swatch in measure(image).swatches}
    assert told["blue"] == place


def test_lab_agrees_with_published_values():
    rgb = np.array([[255, 0, 0], [0, 0, 255], [255, 255, 255]], dtype=np.uint8)
    published = [[53.24, 80.09, 67.20], [32.30, 79.19, -107.86], [100, 0, 0]]
    np.testing.assert_allclose(to_lab(rgb), published, atol=0.05)


def test_a_light_middle_and_a_uniform_rim_are_seen():
    image = Image.new("RGB", (300, 200), "#101010")
    image.paste(Image.new("RGB", (220, 140), "#e0e0e0"), (40, 30))
    text = caption([image], "en")
    assert "The central part is lighter than the rim on all sides." in text
    assert "The outermost edge of the frame is almost all black." in text
    assert "画面最外缘几乎全为黑色。" in caption([image], "zh")


def test_light_is_said_to_grow_towards_the_lighter_side():
    ramp = np.tile(np.linspace(0, 255, 300, dtype=np.uint8), (200, 1))
    image = Image.fromarray(np.repeat(ramp[..., None], 3, axis=2))
    assert "lighter step by step from the left to the right" in caption([image], "en")
    assert "由左侧向右侧逐步变亮" in caption([image], "zh")
    turned = image.transpose(Image.Transpose.ROTATE_90)
    assert "lighter step by step from the bottom to the top" in caption([turned], "en")


def test_only_images_without_colour_are_called_black_and_white(photographs):
    grey = photographs[8].convert("L").convert("RGB")
    assert "no colour but black, white and greys" in caption([grey], "en")
    assert "除黑白灰外" in caption([grey], "zh")
    assert "no colour but" not in caption([photographs[8]], "en")


def test_noise_has_no_direction():
    noise = np.random.default_rng(0).integers(0, 256, (128, 192, 3), dtype=np.uint8)
    assert measure(Image.fromarray(noise)).detail.direction is None


def test_detail_is_found_where_it_is():
    pixels = np.full((200, 300, 3), 120, dtype=np.uint8)
    pixels[100:] = np.random.default_rng(0).integers(0, 256, (100, 300, 3), dtype=np.uint8)
    assert measure(Image.fromarray(pixels)).detail.place.region == "the lower half"


def test_a_large_image_is_measured_like_its_reduction():
    small = halves("#d02018", "#f0f0f0", (225, 150))
    large = small.resize((2250, 1500), Image.Resampling.NEAREST)
    for one, other in zip(measure(large).swatches, measure(small).swatches, strict=True):
        assert (one.colour, one.place.region) == (other.colour, other.place.region)
        assert one.share == pytest.approx(other.share, abs=0.01)


def test_several_images_are_told_in_turn_and_compared():
    images = [Image.new("RGB", (90, 60), "#101010"), halves("#f0f0f0", "#2c64c8", (60, 90))]
    text = caption(images, "en")
    assert text.index("first image") < text.index("second image")
    assert "Side by side, the second is brighter" in text
    assert "landscape-format at 90 by 60 pixels in the first and portrait-format" in text
    told = caption(images, "zh")
    assert "第一张图像" in told
    assert "第一张为横幅（90×60像素），第二张为竖幅（60×90像素）" in told
    assert "第二张更亮" in told


def test_the_same_image_twice_is_said_to_be_the_same(measured):
    claims = claims_of_group([measured[20], measured[3], measured[20]])
    told = {name: language.describe(claims) for name, language in LANGUAGES.items()}
    assert "The third image is the same as the first by every measure" in told["en"]
    assert "第三张与第一张完全相同" in told["zh"]
    assert all(reasons([text], name, DEMO) == [[]] for name, text in told.items())


@pytest.mark.parametrize("count", range(2, 9))
def test_a_group_of_any_size_stays_within_the_length_that_the_demo_accepts(measured, count):
    for start in range(0, len(measured) - count, 5):
        claims = claims_of_group(measured[start : start + count])
        for name, language in LANGUAGES.items():
            assert len(language.describe(claims)) <= DEMO.quality.languages[name].max_chars


def test_too_many_images_are_an_error_of_that_sample():
    reply = reply_to([Image.new("RGB", (30, 30))] * 9, "en")
    assert reply.status is CaptionStatus.ERROR
    assert reply.error_code == "image_count"
    assert not reply.caption


def test_engine_opens_by_name_with_any_recipe():
    deployment = load_settings({"CAPTIONS_ROOT": "file:///x"})
    assert isinstance(open_engine(RECIPE, deployment), PreviewEngine)
    engine = open_by_name("preview", RECIPE, deployment)
    assert (engine.name, engine.model, engine.model_revision) == ("preview", "preview", "1")
    engine.close()
