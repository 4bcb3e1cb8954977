"""What reaches TurboMind, token by token, for each track."""

import pytest
from PIL import Image

from sa1b_captions.caption.engines.base import Request
from sa1b_captions.caption.engines.lmdeploy.checks import SHAPES, tile_counts
from tests.gpu import tiny_internvl2 as tiny

TOKENS_PER_TILE = 256


def request(recipe, track, sizes, attempt=1):
    images = tuple(Image.new("RGB", size, "green") for size in sizes)
    return Request("sample", images, recipe.tracks[track], recipe.generation, attempt, jpegs=())


def ids(*parts):
    """Token ids of texts and single tokens."""
    return [
        token
        for part in parts
        for token in ([part] if isinstance(part, int) else tiny.encode(part))
    ]


def image(tiles):
    return [tiny.IMG, *[tiny.IMG_CONTEXT] * (tiles * TOKENS_PER_TILE), tiny.IMG_END]


def conversation(recipe, *user):
    """The recipe's conversation: no line break after <|im_end|>, one <|begin_of_text|>."""
    return [
        *ids(tiny.BOS, tiny.IM_START, f"system\n{recipe.model.system_prompt}", tiny.IM_END),
        *ids(tiny.IM_START, "user\n", *user, tiny.IM_END, tiny.IM_START, "assistant\n"),
    ]


@pytest.mark.parametrize("track", ["single_en", "single_zh"])
def test_one_image_stands_before_the_prompt(engine, turbomind, recipe, track):
    engine.caption(request(recipe, track, [(2250, 1500)]))
    (call,) = turbomind.calls
    expected = conversation(recipe, *image(7), "\n", recipe.tracks[track].prompt)
    assert call.input_ids == expected
    assert call.tiles == [7]
    assert call.offsets == [expected.index(tiny.IMG_CONTEXT)]


@pytest.mark.parametrize("track", ["multi_en", "multi_zh"])
def test_several_images_are_numbered(engine, turbomind, recipe, track):
    engine.caption(request(recipe, track, [(2250, 1500), (448, 448), (1500, 1500)]))
    (call,) = turbomind.calls
    assert call.input_ids == conversation(
        recipe,
        *("Image-1: ", *image(7), "\n"),
        *("Image-2: ", *image(1), "\n"),
        *("Image-3: ", *image(5), "\n"),
        recipe.tracks[track].prompt,
    )
    assert call.tiles == [7, 1, 5]


def test_chinese_after_english_repeats_all_tokens_of_the_image(engine, turbomind, recipe):
    """Only a common beginning is found in the prefix cache."""
    for track in ("single_en", "single_zh"):
        engine.caption(request(recipe, track, [(2250, 1500)]))
    english, chinese = (call.input_ids for call in turbomind.calls)
    after_image = english.index(tiny.IMG_END) + 1
    assert english[:after_image] == chinese[:after_image]
    assert after_image > 0.8 * len(chinese)


def test_photographs_are_cut_as_the_budget_assumes():
    assert tile_counts(12) == {"3:2": 7, "4:3": 13, "1:1": 10, "16:9": 9}
    assert max(tile_counts(6).values()) == 7


def test_the_largest_sample_leaves_room_for_its_caption(engine, turbomind, recipe):
    """The tiny tokenizer needs one token per byte, several times what the real one needs."""
    for size in SHAPES.values():
        track = recipe.tracks["multi_zh"]
        engine.caption(request(recipe, "multi_zh", [size] * track.images_max))
    assert len(turbomind.calls) == len(SHAPES)
    assert max(len(call.input_ids) for call in turbomind.calls) < recipe.model.context_tokens - 256
