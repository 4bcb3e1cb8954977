"""The checkpoint of `make gpu-smoke` says what it should, start-up check included."""

import pytest
from PIL import Image

from sa1b_captions.caption.engines.base import Request
from sa1b_captions.caption.engines.lmdeploy.engine import open_engine
from sa1b_captions.records import CaptionStatus
from tests.gpu import fake_turbomind
from tests.gpu import seeing_internvl2 as seeing
from tests.gpu import tiny_internvl2 as tiny
from tests.gpu.fake_turbomind import Answer
from tests.gpu.reference_internvl2 import Reference


@pytest.fixture(scope="module")
def seeing_engine(recipe, make_settings, tmp_path_factory):
    """Our engine over the real pipeline, above the checkpoint's arithmetic on the CPU."""
    path = seeing.build(tmp_path_factory.mktemp("seeing") / "InternVL2-Tiny")
    reference = Reference(path)

    def script(call):
        most = call.settings.max_new_tokens
        said = reference.answer(call.input_ids, call.pixels, most)
        return Answer("".join(map(chr, map(_byte, said))), stops=len(said) < most)

    with fake_turbomind.installed(script):
        engine = open_engine(recipe, make_settings(CAPTIONS_MODEL_PATH=str(path)))
        yield engine
        engine.close()


def _byte(token):
    return next(byte for byte, shown in tiny.PRINTED.items() if shown == tiny.ALPHABET[token])


@pytest.mark.parametrize(
    ("colours", "track", "caption"),
    [
        (["#c03020"], "single_en", seeing.RED_CAPTION),
        (["#2030c0"], "single_zh", seeing.BLUE_CAPTION),
        (["#807878"], "single_en", seeing.RED_CAPTION),
        (["#787880"], "single_en", seeing.BLUE_CAPTION),
        (["#2030c0", "#2030c0", "#c03020"], "multi_en", seeing.BLUE_CAPTION),
    ],
)
def test_it_says_which_colour_it_sees(seeing_engine, recipe, colours, track, caption):
    images = tuple(Image.new("RGB", (900, 600), colour) for colour in colours)
    reply = seeing_engine.caption(
        Request("sample", images, recipe.tracks[track], recipe.generation, 1, jpegs=())
    )
    assert (reply.status, reply.caption) == (CaptionStatus.OK, caption)


def test_a_caption_uses_each_character_once():
    for caption in (seeing.RED_CAPTION, seeing.BLUE_CAPTION):
        assert len(set(caption)) == len(caption) > 90
