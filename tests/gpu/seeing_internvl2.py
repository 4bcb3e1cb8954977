"""A hand-made InternVL2-Llama3 of a few megabytes that sees whether a picture is red or blue.

Same files, names and sizes as `tiny_internvl2`, but its weights are set, not drawn, so that what an
engine says of a picture is known to the letter. It answers the start-up check because it sees the
red disc, and its captions show that tiles, pixel order, projector, attention, key/value cache and
stop tokens are right. The vision tower's layers are switched off: their arithmetic is not checked.

Vision: each patch embedding holds the mean of red minus blue. Language: one attention layer
averages that over all tokens, and every character leads to the next one of the caption.
"""

import itertools
from pathlib import Path

import torch

from tests.gpu import tiny_internvl2 as tiny

RED, BLUE = "red", "BLUE"
TAIL = "," + "".join(
    chr(code) for code in range(0x7E, 0x1F, -1) if chr(code) not in set(RED + BLUE + ",.")
)
RED_CAPTION, BLUE_CAPTION = f"{RED}{TAIL}.", f"{BLUE}{TAIL}."
"""All it ever says, each character once: 91 and 92 tokens and the stop token."""

# Places in the language model's hidden state. Below them, one for each character.
_IMAGE, _SEEN_RED, _SEEN_BLUE, _RED, _BLUE, _OTHER = range(250, 256)
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def build(folder: Path) -> Path:
    """Write the checkpoint into a folder, which is made if it is missing."""
    return tiny.build(folder, weights=weights())


def weights() -> dict[str, torch.Tensor]:
    """Tensors by name, float16."""
    tensors = tiny.random_weights()
    _set_vision(tensors)
    _set_language(tensors)
    return {name: tensor.half().contiguous() for name, tensor in tensors.items()}


def _set_vision(tensors: dict[str, torch.Tensor]) -> None:
    patch = torch.zeros(tiny.HIDDEN, 3, 14, 14)
    bias = torch.zeros(tiny.HIDDEN)
    for place, sign in ((0, 1), (1, -1)):
        patch[place, 0] = sign * _STD[0] / 196
        patch[place, 2] = -sign * _STD[2] / 196
        bias[place] = sign * (_MEAN[0] - _MEAN[2])
    bias[2] = 0.5  # what the projector's norm divides by where there is no colour
    start = torch.zeros(1, 1, tiny.HIDDEN)
    start[..., 3] = 1.0
    embeddings = "vision_model.embeddings."
    tensors[f"{embeddings}patch_embedding.weight"] = patch
    tensors[f"{embeddings}patch_embedding.bias"] = bias
    tensors[f"{embeddings}class_embedding"] = start
    tensors[f"{embeddings}position_embedding"] = torch.zeros(1, 1025, tiny.HIDDEN)
    for layer in range(tiny.LAYERS):
        for scale in ("ls1", "ls2"):
            tensors[f"vision_model.encoder.layers.{layer}.{scale}"] = torch.zeros(tiny.HIDDEN)
    first = torch.zeros(tiny.HIDDEN, 4 * tiny.HIDDEN)
    second = torch.zeros(tiny.HIDDEN, tiny.HIDDEN)
    second_bias = torch.zeros(tiny.HIDDEN)
    for place, seen in ((0, _SEEN_RED), (1, _SEEN_BLUE)):
        first[seen, place :: tiny.HIDDEN] = 1 / 40  # the same place of four patches
        second[seen, seen] = 1.0
    second_bias[_IMAGE] = 1.0
    tensors |= {"mlp1.1.weight": first, "mlp1.3.weight": second, "mlp1.3.bias": second_bias}


def _set_language(tensors: dict[str, torch.Tensor]) -> None:
    characters = ["\n", *RED, *BLUE, *TAIL, "."]
    place = {tiny.encode(character)[0]: n for n, character in enumerate(characters)}
    embedding = torch.zeros(tiny.VOCABULARY, tiny.HIDDEN)
    for token in range(tiny.VOCABULARY):
        embedding[token, place.get(token, _OTHER)] = 1.0
    head = torch.zeros(tiny.VOCABULARY, tiny.HIDDEN)
    for caption in (RED_CAPTION, BLUE_CAPTION):
        chain = [*tiny.encode("\n" + caption), tiny.IM_END]
        for before, after in itertools.pairwise(chain):
            head[after, place[before]] = 1.0
    for word, same, other in ((RED, _RED, _BLUE), (BLUE, _BLUE, _RED)):
        first = tiny.encode(word)[0]
        head[first, same], head[first, other] = 1.0, -1.0
    model = "language_model.model."
    tensors[f"{model}embed_tokens.weight"] = embedding
    tensors["language_model.lm_head.weight"] = head
    for layer in range(tiny.LAYERS):
        prefix = f"{model}layers.{layer}."
        for name in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.o_proj", "mlp.down_proj"):
            tensors[f"{prefix}{name}.weight"] = torch.zeros_like(tensors[f"{prefix}{name}.weight"])
    attention = f"{model}layers.0.self_attn."
    value, out = f"{attention}v_proj.weight", f"{attention}o_proj.weight"
    tensors[value] = torch.zeros_like(tensors[value])
    for row, (seen, said) in enumerate(((_SEEN_RED, _RED), (_SEEN_BLUE, _BLUE))):
        tensors[value][row, seen] = 1.0
        tensors[out][said, row] = 0.02  # less than any character weighs
