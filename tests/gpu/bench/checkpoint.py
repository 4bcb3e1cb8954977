"""Writes a checkpoint: InternVL2's small files, and weights in safetensors of some GB each."""

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from tests.gpu import tiny_internvl2 as tiny
from tests.gpu.bench.shapes import Shape
from tests.gpu.bench.tensors import Spec
from tests.gpu.bench.weights import specs
from tests.gpu.bench.words import Vocabulary

_PER_FILE = 2 << 30
_WRITERS = 4
"""Files written at once; each is in memory until it is written."""
_INDEX = "model.safetensors.index.json"
"""Written last: a folder that has it is whole."""


def make(folder: Path, shape: Shape, device: str) -> dict[str, float]:
    """Write the checkpoint unless it is there; what was written, in GB, and in how many seconds.

    Raises:
        OSError: the folder has too little room.
    """
    if (folder / _INDEX).exists():
        return {"gb": 0.0, "seconds": 0.0}
    began = time.monotonic()
    vocabulary = Vocabulary(shape)
    tensors = specs(shape, vocabulary)
    total = sum(spec.bytes for spec in tensors.values())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    free = shutil.disk_usage(folder).free
    if free < total * 1.05:
        raise OSError(
            f"the weights take {total / 1e9:.1f} GB and {folder} has room for {free / 1e9:.1f}: "
            "name a roomier folder with --scratch"
        )
    _small_files(folder, shape, vocabulary)
    files = {f"model-{n:05d}.safetensors": group for n, group in enumerate(_files(tensors))}

    def write(name: str) -> None:
        made = {n: spec.fill(device).contiguous().cpu() for n, spec in files[name].items()}
        save_file(made, str(folder / name), metadata={"format": "pt"})

    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(write, files))
    index = {tensor: name for name, group in files.items() for tensor in group}
    content = {"metadata": {"total_size": total}, "weight_map": index}
    (folder / _INDEX).write_text(json.dumps(content))
    return {"gb": round(total / 1e9, 2), "seconds": round(time.monotonic() - began, 1)}


def configuration(shape: Shape, vocabulary: Vocabulary) -> dict[str, Any]:
    """What config.json says."""
    config = tiny.configuration()
    config["torch_dtype"] = shape.dtype
    config["llm_config"] |= {
        "hidden_size": shape.hidden,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "vocab_size": shape.vocabulary,
        "torch_dtype": shape.dtype,
        "bos_token_id": vocabulary.special["<|begin_of_text|>"],
        "eos_token_id": vocabulary.special["<|im_end|>"],
    }
    if shape.awq:
        config["llm_config"]["quantization_config"] = {
            "bits": 4,
            "group_size": 128,
            "modules_to_not_convert": None,
            "quant_method": "awq",
            "version": "gemm",
            "zero_point": True,
        }
    config["vision_config"] |= {
        "hidden_size": shape.vit_hidden,
        "num_attention_heads": shape.vit_heads,
        "intermediate_size": shape.vit_inner,
        "num_hidden_layers": shape.vit_layers,
        "qk_normalization": shape.large_vit,
        "qkv_bias": not shape.large_vit,
        "norm_type": "rms_norm" if shape.large_vit else "layer_norm",
        "torch_dtype": shape.dtype,
    }
    return config


def _small_files(folder: Path, shape: Shape, vocabulary: Vocabulary) -> None:
    """As `tiny_internvl2` writes them, but for the shape and the vocabulary."""
    tiny.build(folder)
    (folder / "model.safetensors").unlink()
    vocabulary.save(folder / "tokenizer.json")
    (folder / "config.json").write_text(json.dumps(configuration(shape, vocabulary), indent=1))
    special = vocabulary.special
    generation = {
        "_from_model_config": True,
        "bos_token_id": special["<|begin_of_text|>"],
        "eos_token_id": [special["<|im_end|>"], special["<|end_of_text|>"]],
    }
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=1))


def _files(tensors: dict[str, Spec]) -> list[dict[str, Spec]]:
    groups: list[dict[str, Spec]] = [{}]
    held = 0
    for name, spec in tensors.items():
        if held and held + spec.bytes > _PER_FILE:
            groups.append({})
            held = 0
        groups[-1][name] = spec
        held += spec.bytes
    return groups
