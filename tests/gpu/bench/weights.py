"""Weights of any shape that see a picture's colour, the scheme of `seeing_internvl2` made wide.

What contributes is set by hand. All else is noise, so that the arithmetic costs what it costs, and
is multiplied out: the vision layers by scales of 0, the language layers by weights so small that 80
of them stay far below what is set. So a layer's kernels run, but nothing compares what they make.
"""

import itertools
import math

import torch

from tests.gpu.bench.shapes import COLOURS, Shape
from tests.gpu.bench.tensors import SILENT, Spec, Tensors
from tests.gpu.bench.words import Vocabulary

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""By which lmdeploy normalises the three channels."""
_GAIN = 0.06
"""What attention writes of what was seen; any token of a caption weighs more."""


def specs(shape: Shape, vocabulary: Vocabulary) -> dict[str, Spec]:
    """Every tensor of the checkpoint by name, with how to make it."""
    places = _Places(shape, vocabulary)
    dtype = getattr(torch, shape.dtype)
    towers = Tensors(dtype, quantised=False)
    _patches(towers, shape)
    for layer in range(shape.vit_layers):
        _vision_layer(towers, shape, layer)
    _projector(towers, shape, places)
    language = Tensors(dtype, quantised=shape.awq)
    _language(language, shape, places)
    for layer in range(shape.layers):
        _language_layer(language, shape, places, layer)
    return {**towers, **language}


class _Places:
    """Who lives where in the language model's hidden state."""

    def __init__(self, shape: Shape, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        tokens = itertools.chain([vocabulary.newline], *vocabulary.chains.values())
        self.token = {token: n for n, token in enumerate(dict.fromkeys(tokens))}
        self.other = len(self.token)
        self.image = self.other + 1
        self.seen = {colour: self.image + 1 + n for n, colour in enumerate(COLOURS)}
        self.said = {colour: self.image + 7 + n for n, colour in enumerate(COLOURS)}
        self.top = self.image + 13
        if self.top > shape.hidden:
            raise ValueError(f"captions need a hidden state {self.top} wide, not {shape.hidden}")


def colour_weights() -> list[tuple[float, float, float]]:
    """For each colour, what to sum of red, green and blue."""
    primary = [tuple(1.0 if c == n else -0.5 for c in range(3)) for n in range(3)]
    return [*primary, *(tuple(-share for share in shares) for shares in primary)]  # type: ignore


def _residual(shape: Shape) -> float:
    """Standard deviation of the noise in every hidden state."""
    return math.sqrt(0.05 / shape.hidden)


def _patches(tensors: Tensors, shape: Shape) -> None:
    hidden, v = shape.vit_hidden, "vision_model."

    def patch(device: str) -> torch.Tensor:
        weight = torch.zeros(hidden, 3, 14, 14)
        for n, shares in enumerate(colour_weights()):
            for channel, share in enumerate(shares):
                weight[n, channel] = share * STD[channel] / 196
        return weight.to(device)

    def bias(device: str) -> torch.Tensor:
        tensor = torch.zeros(hidden)
        for n, shares in enumerate(colour_weights()):
            tensor[n] = sum(s * mean for s, mean in zip(shares, MEAN, strict=True))
        tensor[6] = 0.5  # what the projector's norm divides by where there is no colour
        return tensor.to(device)

    def positions(device: str) -> torch.Tensor:
        tensor = torch.empty(1, 1025, hidden, device=device).normal_(0, math.sqrt(0.1 / hidden))
        tensor[..., :7] = 0
        return tensor

    tensors.put(f"{v}embeddings.patch_embedding.weight", (hidden, 3, 14, 14), patch)
    tensors.put(f"{v}embeddings.patch_embedding.bias", (hidden,), bias)
    tensors.put(f"{v}embeddings.position_embedding", (1, 1025, hidden), positions)
    tensors.noise(f"{v}embeddings.class_embedding", 1, 1, hidden, std=0.1)


def _vision_layer(tensors: Tensors, shape: Shape, layer: int) -> None:
    hidden, p = shape.vit_hidden, f"vision_model.encoder.layers.{layer}."
    for scale in ("ls1", "ls2"):
        tensors.full(f"{p}{scale}", hidden)
    norms = ("norm1", "norm2", *(("attn.q_norm", "attn.k_norm") if shape.large_vit else ()))
    for norm in norms:
        tensors.full(f"{p}{norm}.weight", hidden, value=1.0)
    if not shape.large_vit:
        for name, size in (("norm1", 1), ("norm2", 1), ("attn.qkv", 3)):
            tensors.full(f"{p}{name}.bias", size * hidden)
    tensors.noise(f"{p}attn.qkv.weight", 3 * hidden, hidden)
    for name, out, width in (
        ("attn.proj", hidden, hidden),
        ("mlp.fc1", shape.vit_inner, hidden),
        ("mlp.fc2", hidden, shape.vit_inner),
    ):
        tensors.noise(f"{p}{name}.weight", out, width)
        tensors.full(f"{p}{name}.bias", out)


def _projector(tensors: Tensors, shape: Shape, places: _Places) -> None:
    joined, hidden = 4 * shape.vit_hidden, shape.hidden
    rows = list(places.seen.values())
    tensors.full("mlp1.0.weight", joined, value=math.sqrt(1024 / joined))
    tensors.full("mlp1.0.bias", joined)
    # The same place of four patches.
    first = {
        (row, n + k * shape.vit_hidden): 1 / 40 for n, row in enumerate(rows) for k in range(4)
    }
    tensors.noise("mlp1.1.weight", hidden, joined, entries=first)
    tensors.full("mlp1.1.bias", hidden)
    quiet = _residual(shape) / (0.35 * math.sqrt(hidden))
    tensors.noise(
        "mlp1.3.weight", hidden, hidden, std=quiet, entries={(row, row): 1.0 for row in rows}
    )

    def bias(device: str) -> torch.Tensor:
        tensor = torch.zeros(hidden, device=device)
        tensor[places.image] = 1.0
        return tensor

    tensors.put("mlp1.3.bias", (hidden,), bias)


def _language(tensors: Tensors, shape: Shape, places: _Places) -> None:
    size = (shape.vocabulary, shape.hidden)
    vocabulary, dtype = places.vocabulary, getattr(torch, shape.dtype)

    def embedding(device: str) -> torch.Tensor:
        tensor = torch.empty(size, dtype=dtype, device=device).normal_(0, _residual(shape))
        tensor[:, : places.top] = 0
        tensor[:, places.other] = 1.0
        tokens = torch.tensor(list(places.token), device=device)
        tensor[tokens, places.other] = 0.0
        tensor[tokens, torch.tensor(list(places.token.values()), device=device)] = 1.0
        return tensor

    def head(device: str) -> torch.Tensor:
        tensor = torch.empty(size, dtype=dtype, device=device).normal_(0, 0.005)
        end = vocabulary.special["<|im_end|>"]
        for colour, chain in vocabulary.chains.items():
            for before, after in itertools.pairwise([vocabulary.newline, *chain, end]):
                tensor[after, places.token[before]] = 1.0
            tensor[chain[0], places.said[colour]] = 1.0
        return tensor

    tensors.put("language_model.model.embed_tokens.weight", size, embedding)
    tensors.put("language_model.lm_head.weight", size, head)
    tensors.full("language_model.model.norm.weight", shape.hidden, value=_unit(shape))


def _unit(shape: Shape) -> float:
    """Weight of a norm that makes 16 of a lone 1."""
    return 16 / math.sqrt(shape.hidden)


def _language_layer(tensors: Tensors, shape: Shape, places: _Places, layer: int) -> None:
    hidden, p = shape.hidden, f"language_model.model.layers.{layer}."
    keys = shape.kv_heads * (hidden // shape.heads)
    unit = _unit(shape) if layer == 0 else 1.0
    tensors.full(f"{p}input_layernorm.weight", hidden, value=unit)
    tensors.full(f"{p}post_attention_layernorm.weight", hidden, value=1.0)
    a = f"{p}self_attn."
    tensors.linear(f"{a}k_proj", keys, hidden)
    if layer == 0:  # with queries of 0 it averages what was seen over all tokens
        tensors.exact(f"{a}q_proj", hidden, hidden, {})
        seen = {(n, place): 1.0 for n, place in enumerate(places.seen.values())}
        said = {(place, n): _GAIN for n, place in enumerate(places.said.values())}
        tensors.exact(f"{a}v_proj", keys, hidden, seen)
        tensors.exact(f"{a}o_proj", hidden, hidden, said)
    else:
        tensors.linear(f"{a}q_proj", hidden, hidden)
        tensors.linear(f"{a}v_proj", keys, hidden)
        tensors.linear(f"{a}o_proj", hidden, hidden, std=SILENT)
    tensors.linear(f"{p}mlp.gate_proj", shape.inner, hidden)
    tensors.linear(f"{p}mlp.up_proj", shape.inner, hidden)
    tensors.linear(f"{p}mlp.down_proj", hidden, shape.inner, std=SILENT)
