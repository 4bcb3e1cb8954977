"""Sizes of the models of the packaged recipes, from their published config.json."""

from dataclasses import dataclass

from sa1b_captions.costs.sourced import Numbers

HEAD_SIZE = 128
BF16_BYTES = 2
AWQ_BITS = 4 + 20 / 128
"""Of a weight: 4 of its own, and a scale and a zero point for each group of 128."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """A model's sizes."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    inner: int
    vocabulary: int
    vision_parameters: float
    """InternViT and the projector behind it; a copy lies on each GPU."""
    weight_bits: float = 8 * BF16_BYTES
    """Of the layers' weights; embeddings, output and vision model stay in bf16."""

    @property
    def layer_parameters(self) -> int:
        """Weights of all layers of the language model."""
        attention = 2 * self.hidden * (self.heads + self.kv_heads) * HEAD_SIZE
        return self.layers * (attention + 3 * self.hidden * self.inner)

    @property
    def layer_gb(self) -> float:
        """Weights that are read for every token."""
        return self.layer_parameters * self.weight_bits / 8 / 1e9

    @property
    def language_gb(self) -> float:
        """Language model, which GPUs share."""
        embeddings = 2 * self.vocabulary * self.hidden * BF16_BYTES
        return self.layer_gb + embeddings / 1e9

    @property
    def vision_gb(self) -> float:
        """Vision model, on each GPU."""
        return self.vision_parameters * BF16_BYTES / 1e9

    @property
    def kv_bytes(self) -> int:
        """KV cache of a token, over all GPUs."""
        return 2 * self.layers * self.kv_heads * HEAD_SIZE * BF16_BYTES


_LLAMA_70B = (80, 8192, 64, 8, 28672, 128_265)
_VIT_300M, _VIT_6B = 0.34e9, 5.7e9

ARCHITECTURES = {
    "OpenGVLab/InternVL2-Llama3-76B": Architecture(*_LLAMA_70B, _VIT_6B),
    "OpenGVLab/InternVL2-Llama3-76B-AWQ": Architecture(*_LLAMA_70B, _VIT_6B, AWQ_BITS),
    "OpenGVLab/InternVL2-8B": Architecture(32, 4096, 32, 8, 14336, 92_553, _VIT_300M),
    "OpenGVLab/InternVL2-2B": Architecture(24, 2048, 16, 8, 8192, 92_553, _VIT_300M),
    "OpenGVLab/InternVL2_5-8B": Architecture(32, 4096, 32, 8, 14336, 92_553, _VIT_300M),
    "OpenGVLab/InternVL3-8B": Architecture(28, 3584, 28, 4, 18944, 151_674, _VIT_300M),
    "OpenGVLab/InternVL3_5-8B": Architecture(36, 4096, 32, 8, 12288, 151_936, _VIT_300M),
    "OpenGVLab/InternVL3_5-38B": Architecture(64, 5120, 64, 8, 25600, 151_936, _VIT_6B),
}
"""By the model's id."""


def kv_tokens(model: Architecture, gpu_gb: float, gpus: int, numbers: Numbers) -> float:
    """Tokens that the KV cache has room for; below 0 where the model does not fit.

    Args:
        gpu_gb: memory of a GPU that the driver reports.
        gpus: that share the model.
        numbers: say what else takes memory, and the cache's share of the rest.
    """
    free_gb = gpu_gb - numbers["overhead_gb"] - model.vision_gb - model.language_gb / gpus
    return numbers["kv_share"] * free_gb * 1e9 * gpus / model.kv_bytes
