"""A random InternVL2-Llama3 of a few megabytes: the published model's files, names and keys.

Two layers per tower and a byte-level tokenizer; heads of 128 as in the 76B model, so TurboMind has
kernels for it. What it says is noise.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers.convert_slow_tokenizer import bytes_to_unicode

SPECIAL_TOKENS = (
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|im_start|>",
    "<|im_end|>",
    "<img>",
    "</img>",
    "<IMG_CONTEXT>",
)
BOS, EOS, IM_START, IM_END, IMG, IMG_END, IMG_CONTEXT = range(256, 263)
"""Token ids: one per byte, then the special ones."""

PRINTED = bytes_to_unicode()
"""Character that stands for each byte in the vocabulary."""
ALPHABET = sorted(PRINTED.values())

VOCABULARY = 320
HIDDEN, HEADS, HEAD_SIZE, INNER, LAYERS = 256, 2, 128, 512, 2

# The tokenizer's own template: no system prompt, and a line break after every turn.
TOKENIZER_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + "
    "message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

CONFIGURATION_CODE = """
from transformers import LlamaConfig
from transformers.configuration_utils import PretrainedConfig


class InternVisionConfig(PretrainedConfig):
    model_type = "intern_vit_6b"


class InternVLChatConfig(PretrainedConfig):
    model_type = "internvl_chat"
    is_composition = True

    def __init__(self, vision_config=None, llm_config=None, **settings):
        settings.pop("model_type", None)
        super().__init__(**settings)
        vision = {k: v for k, v in (vision_config or {}).items() if k != "model_type"}
        llama = {k: v for k, v in (llm_config or {}).items() if k != "model_type"}
        self.vision_config = InternVisionConfig(**vision)
        self.llm_config = LlamaConfig(**llama)
        self.llm_config.architectures = ["LlamaForCausalLM"]

    def to_dict(self):
        return super().to_dict() | {
            "vision_config": self.vision_config.to_dict(),
            "llm_config": self.llm_config.to_dict(),
        }
"""


BROKEN_CONFIGURATION_CODE = """
from transformers.configuration_utils import PretrainedConfig


class InternVLChatConfig(PretrainedConfig):
    model_type = "internvl_chat"

    def __init__(self, **settings):
        raise ValueError("Unsupported architecture: ")
"""
"""What the published code comes to under transformers 4.57 and 5.17, which build it bare."""


def build(
    folder: Path,
    *,
    broken_configuration: bool = False,
    weights: dict[str, torch.Tensor] | None = None,
) -> Path:
    """Write the checkpoint into a folder, which is made if it is missing; random weights."""
    folder.mkdir(parents=True, exist_ok=True)
    _tokenizer().save(str(folder / "tokenizer.json"))
    tokenizer_config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|begin_of_text|>",
        "eos_token": "<|im_end|>",
        "pad_token": "<|end_of_text|>",
        "model_max_length": 8192,
        "clean_up_tokenization_spaces": False,
        "chat_template": TOKENIZER_TEMPLATE,
    }
    generation_config = {
        "_from_model_config": True,
        "bos_token_id": BOS,
        "eos_token_id": [IM_END, EOS],
    }
    preprocessor_config = {
        "feature_extractor_type": "CLIPFeatureExtractor",
        "crop_size": 448,
        "size": 448,
        "resample": 3,
        "do_center_crop": True,
        "do_normalize": True,
        "do_resize": True,
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
    }
    for name, content in {
        "config": configuration(),
        "tokenizer_config": tokenizer_config,
        "generation_config": generation_config,
        "preprocessor_config": preprocessor_config,
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1))
    code = BROKEN_CONFIGURATION_CODE if broken_configuration else CONFIGURATION_CODE
    (folder / "configuration_internvl_chat.py").write_text(code)
    save_file(
        weights or random_weights(), str(folder / "model.safetensors"), metadata={"format": "pt"}
    )
    return folder


def encode(text: str) -> list[int]:
    """Token ids of a text without special tokens."""
    return [ALPHABET.index(PRINTED[byte]) for byte in text.encode()]


def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(vocab={c: n for n, c in enumerate(ALPHABET)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", BOS)]
    )
    return tokenizer


def configuration() -> dict[str, Any]:
    """What config.json says."""
    llama = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "num_attention_heads": HEADS,
        "num_key_value_heads": 1,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5,
        "rope_theta": 500000.0,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": False,
        "torch_dtype": "float16",
        "bos_token_id": BOS,
        "eos_token_id": IM_END,
        "use_cache": True,
    }
    vision = {
        "architectures": ["InternVisionModel"],
        "model_type": "intern_vit_6b",
        "hidden_size": HIDDEN,
        "num_attention_heads": HEADS,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "image_size": 448,
        "patch_size": 14,
        "num_channels": 3,
        "qk_normalization": True,
        "qkv_bias": False,
        "norm_type": "rms_norm",
        "layer_norm_eps": 1e-6,
        "hidden_act": "gelu",
        "initializer_factor": 0.1,
        "initializer_range": 1e-10,
        "attention_dropout": 0.0,
        "dropout": 0.0,
        "drop_path_rate": 0.0,
        "use_flash_attn": True,
        "torch_dtype": "float16",
    }
    return {
        "architectures": ["InternVLChatModel"],
        "model_type": "internvl_chat",
        "auto_map": {"AutoConfig": "configuration_internvl_chat.InternVLChatConfig"},
        "downsample_ratio": 0.5,
        "dynamic_image_size": True,
        "force_image_size": 448,
        "max_dynamic_patch": 12,
        "min_dynamic_patch": 1,
        "pad2square": False,
        "ps_version": "v2",
        "select_layer": -1,
        "template": "internlm2-chat",
        "torch_dtype": "float16",
        "use_backbone_lora": 0,
        "use_llm_lora": 0,
        "use_thumbnail": True,
        "llm_config": llama,
        "vision_config": vision,
    }


def random_weights() -> dict[str, torch.Tensor]:
    """Tensors by name, float16, the same at each call."""
    generator = torch.Generator().manual_seed(0)

    def noise(*shape: int) -> torch.Tensor:
        return (torch.randn(*shape, generator=generator) * 0.02).half()

    def ones(*shape: int) -> torch.Tensor:
        return torch.ones(*shape).half()

    def zeros(*shape: int) -> torch.Tensor:
        return torch.zeros(*shape).half()

    weights = {
        "vision_model.embeddings.class_embedding": noise(1, 1, HIDDEN),
        "vision_model.embeddings.position_embedding": noise(1, 1025, HIDDEN),
        "vision_model.embeddings.patch_embedding.weight": noise(HIDDEN, 3, 14, 14),
        "vision_model.embeddings.patch_embedding.bias": zeros(HIDDEN),
        "mlp1.0.weight": ones(4 * HIDDEN),
        "mlp1.0.bias": zeros(4 * HIDDEN),
        "mlp1.1.weight": noise(HIDDEN, 4 * HIDDEN),
        "mlp1.1.bias": zeros(HIDDEN),
        "mlp1.3.weight": noise(HIDDEN, HIDDEN),
        "mlp1.3.bias": zeros(HIDDEN),
        "language_model.model.embed_tokens.weight": noise(VOCABULARY, HIDDEN),
        "language_model.model.norm.weight": ones(HIDDEN),
        "language_model.lm_head.weight": noise(VOCABULARY, HIDDEN),
    }
    for layer in range(LAYERS):
        vision = {
            "ls1": ones(HIDDEN) * 0.1,
            "ls2": ones(HIDDEN) * 0.1,
            "norm1.weight": ones(HIDDEN),
            "norm2.weight": ones(HIDDEN),
            "attn.qkv.weight": noise(3 * HIDDEN, HIDDEN),
            "attn.q_norm.weight": ones(HIDDEN),
            "attn.k_norm.weight": ones(HIDDEN),
            "attn.proj.weight": noise(HIDDEN, HIDDEN),
            "attn.proj.bias": zeros(HIDDEN),
            "mlp.fc1.weight": noise(INNER, HIDDEN),
            "mlp.fc1.bias": zeros(INNER),
            "mlp.fc2.weight": noise(HIDDEN, INNER),
            "mlp.fc2.bias": zeros(HIDDEN),
        }
        llama = {
            "input_layernorm.weight": ones(HIDDEN),
            "post_attention_layernorm.weight": ones(HIDDEN),
            "self_attn.q_proj.weight": noise(HEADS * HEAD_SIZE, HIDDEN),
            "self_attn.k_proj.weight": noise(HEAD_SIZE, HIDDEN),
            "self_attn.v_proj.weight": noise(HEAD_SIZE, HIDDEN),
            "self_attn.o_proj.weight": noise(HIDDEN, HEADS * HEAD_SIZE),
            "mlp.gate_proj.weight": noise(INNER, HIDDEN),
            "mlp.up_proj.weight": noise(INNER, HIDDEN),
            "mlp.down_proj.weight": noise(HIDDEN, INNER),
        }
        weights |= {f"vision_model.encoder.layers.{layer}.{k}": v for k, v in vision.items()}
        weights |= {f"language_model.model.layers.{layer}.{k}": v for k, v in llama.items()}
    return weights
