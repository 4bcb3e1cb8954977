"""What reaches TurboMind from the other families' models, token by token."""

import pytest
from PIL import Image

from sa1b_captions.caption.engines.base import Request
from sa1b_captions.caption.engines.lmdeploy.engine import open_engine
from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe import load_recipe, parse_recipe
from tests.gpu import fake_turbomind
from tests.gpu import tiny_internvl2 as tiny
from tests.lmdeploy_cpu import families
from tests.lmdeploy_cpu.families import INTERNLM2, Family

FAMILIES = pytest.mark.parametrize(
    "family",
    [
        families.INTERNLM2,
        families.INTERNLM2_SMALL,
        families.INTERNLM2_5,
        families.QWEN2,
        families.QWEN2_SMALL,
        families.QWEN3,
    ],
    ids=lambda family: f"{family.recipe}-{family.model_type}",
)
TOKENS_PER_TILE = 256

# As the families' own conversation.py writes a first turn.
INTERNVL2 = [
    "<|im_start|>",
    "system\n你是由上海人工智能实验室联合商汤科技开发的书生多模态大模型，"
    "英文名叫InternVL, 是一个有用无害的人工智能助手。",
    "<|im_end|>",
    *("<|im_start|>", "user\n", "QUESTION", "<|im_end|>", "<|im_start|>", "assistant\n"),
]
INTERNVL2_5 = [
    "<|im_start|>",
    "system\n你是书生·万象，英文名是InternVL，是由上海人工智能实验室、清华大学及多家合作单位联合开发的多模态大语言模型。",
    *("<|im_end|>", "\n", "<|im_start|>", "user\n", "QUESTION", "<|im_end|>", "\n"),
    *("<|im_start|>", "assistant\n"),
]
CONVERSATIONS = {"internvl2": INTERNVL2, "internvl2_5": INTERNVL2_5}


def recipe_of(family: Family):
    source = load_recipe(family.recipe).source
    source["model"]["id"] = "tests/Tiny"
    return parse_recipe(source, where="tests")


def golden(family: Family, tiles: list[int], prompt: str) -> list[int]:
    """Token ids of the whole conversation."""
    question = []
    for number, count in enumerate(tiles, start=1):
        if len(tiles) > 1:
            question.append(f"Image-{number}: ")
        question += ["<img>", *["<IMG_CONTEXT>"] * (count * TOKENS_PER_TILE), "</img>", "\n"]
    question.append(prompt)
    words = []
    turns = CONVERSATIONS["internvl2" if family.recipe.startswith("internvl2-") else "internvl2_5"]
    for word in [*([family.bos] if family.bos else []), *turns]:
        words += question if word == "QUESTION" else [word]
    return [
        token
        for word in words
        for token in ([family.token(word)] if word in family.special_tokens else tiny.encode(word))
    ]


@FAMILIES
def test_a_familys_model_gets_the_conversation_it_was_trained_with(family, make_settings, tmp_path):
    recipe = recipe_of(family)
    settings = make_settings(CAPTIONS_MODEL_PATH=str(family.build(tmp_path / "Tiny")))
    with fake_turbomind.installed() as built:
        engine = open_engine(recipe, settings)
        try:
            turbomind = built[-1]
            turbomind.calls.clear()
            for track, sizes in (
                ("single_en", [(2250, 1500)]),
                ("single_zh", [(2250, 1500)]),
                ("multi_zh", [(2250, 1500), (448, 448)]),
            ):
                images = tuple(Image.new("RGB", size, "green") for size in sizes)
                reply = engine.caption(
                    Request("s", images, recipe.tracks[track], recipe.generation, 1, jpegs=())
                )
                assert reply.error is None
        finally:
            engine.close()
    assert built[-1].engine_config.session_len == recipe.model.context_tokens
    for call, track, tiles in zip(
        turbomind.calls, ("single_en", "single_zh", "multi_zh"), ([7], [7], [7, 1]), strict=True
    ):
        assert call.tiles == tiles
        assert call.input_ids == golden(family, tiles, recipe.tracks[track].prompt)


def test_a_language_model_that_turbomind_does_not_run_is_refused(make_settings, tmp_path):
    phi3 = Family(
        recipe="internvl2-8b",
        config_class="Phi3Config",
        model_type="phi3",
        architecture="Phi3ForCausalLM",
        special_tokens=INTERNLM2.special_tokens,
        bos="<s>",
        eos="</s>",
    )
    path = phi3.build(tmp_path / "Tiny")
    with (
        fake_turbomind.installed(),
        pytest.raises(PermanentError, match="read as Phi3Config, not LlamaConfig or InternLM2"),
    ):
        open_engine(recipe_of(phi3), make_settings(CAPTIONS_MODEL_PATH=str(path)))
