"""The Transformers library's own InternVL on the same shape, by batch: random weights, greedy.

`python -m tests.gpu.bench.peers`, by the bench. Every caption has the mean length of the others'.
"""

import argparse
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL.Image import Image

from sa1b_captions.campaign import open_campaign
from sa1b_captions.caption.decoding.images import ShardReader, decode_jpeg
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.settings import load_settings
from sa1b_captions.shards import shard_name
from sa1b_captions.storage import open_store
from tests.gpu.bench import photos
from tests.gpu.bench.lines import Lines
from tests.gpu.bench.shapes import SHAPES, Shape
from tests.gpu.bench.weights import MEAN, STD

_TEXT = 110
"""Tokens of prompt and template."""
_PATCHES = 256
"""Tokens of a tile."""


def main() -> None:
    """Each batch size that no earlier run finished, as long as time is left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("--gpu", help="its name; without it the CPU computes")
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    ends_at = time.monotonic() + options.seconds
    shape = SHAPES[options.shape]
    lines = Lines(options.results, options.shape, options.gpu)
    device = "cpu" if options.gpu is None else "cuda"
    if options.gpu is None:
        import tests.gpu.fake_turbomind  # noqa: F401  (torchvision needs what it declares)
    images = _images()
    model = _model(shape, device)
    _ask(model, shape, images[:1], 4)
    slowest_s = 0.0
    for size in shape.batches:
        step = f"Transformers, batch {size}"
        if not lines.missing(step):
            continue
        left_s = ends_at - time.monotonic()
        if 1.5 * slowest_s > left_s:
            lines.add(step, left_out=f"{left_s:.0f} s were left")
            continue
        batch = list(islice(cycle(images), size))
        tokens = sum(shape.caption_tokens().values()) // len(shape.caption_tokens())
        try:
            seconds = _ask(model, shape, batch, tokens)
        except torch.cuda.OutOfMemoryError as error:
            lines.add(step, error=str(error)[:200])
            continue
        slowest_s = max(slowest_s, seconds)
        lines.add(
            step,
            batch=size,
            images=size,
            written_tokens=tokens,
            seconds=round(seconds, 2),
            images_per_s=round(size / seconds, 3),
        )


def _images() -> list[Image]:
    """Pictures of the warm-up's shard, decoded."""
    campaign = open_campaign(open_store(load_settings()), photos.CAMPAIGN)
    recipe, shard = campaign.recipe, shard_name(0)
    track = recipe.tracks["single_en"]
    plan = plan_track(recipe, track, shard, read_index(campaign.store, shard))
    reader = ShardReader(campaign.store, shard, plan)
    return [decode_jpeg(reader.read(sample)[0]) for sample in plan]


def _model(shape: Shape, device: str) -> Any:
    from transformers import InternVLConfig, InternVLForConditionalGeneration

    config = InternVLConfig(
        vision_config={
            "hidden_size": shape.vit_hidden,
            "num_hidden_layers": shape.vit_layers,
            "num_attention_heads": shape.vit_heads,
            "intermediate_size": shape.vit_inner,
            "attention_bias": not shape.large_vit,
            "use_qk_norm": shape.large_vit,
            "norm_type": "rms_norm" if shape.large_vit else "layer_norm",
            "image_size": [448, 448],
            "patch_size": [14, 14],
        },
        text_config={
            "model_type": "llama",
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "num_key_value_heads": shape.kv_heads,
            "intermediate_size": shape.inner,
            "vocab_size": shape.vocabulary,
            "max_position_embeddings": 8192,
            "tie_word_embeddings": False,
        },
        image_token_id=shape.vocabulary - 1,
        image_seq_length=_PATCHES,
        downsample_ratio=0.5,
    )
    torch.set_default_dtype(torch.float32 if device == "cpu" else torch.bfloat16)
    with torch.device(device):
        model = InternVLForConditionalGeneration(config).eval()
    torch.set_default_dtype(torch.float32)
    return model


@torch.inference_mode()
def _ask(model: Any, shape: Shape, images: list[Image], tokens: int) -> float:
    """Caption a batch; the seconds it took, cutting into tiles included."""
    began = time.monotonic()
    image_token, pad = shape.vocabulary - 1, shape.vocabulary - 2
    pixels = [_tiles(image) for image in images]
    lengths = [_PATCHES * len(tiles) + _TEXT for tiles in pixels]
    ids = torch.full((len(images), max(lengths)), pad)
    mask = torch.zeros(ids.shape, dtype=torch.long)
    for row, length in enumerate(lengths):
        ids[row, -length:] = torch.arange(length) % 97
        ids[row, -length + _TEXT // 2 : -(_TEXT - _TEXT // 2)] = image_token
        mask[row, -length:] = 1
    output = model.generate(
        input_ids=ids.to(model.device),
        attention_mask=mask.to(model.device),
        pixel_values=torch.cat(pixels).to(model.device, model.dtype),
        do_sample=False,
        min_new_tokens=tokens,
        max_new_tokens=tokens,
        pad_token_id=pad,
    )
    output.cpu()
    return time.monotonic() - began


def _tiles(image: Image) -> torch.Tensor:
    """Normalised tiles (n, 3, 448, 448), the same that TurboMind gets."""
    from lmdeploy.vl.model.internvl import dynamic_preprocess

    parts = dynamic_preprocess(image, max_num=12, use_thumbnail=True)
    stacked = torch.stack([torch.from_numpy(np.array(part)) for part in parts])
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    return (stacked.permute(0, 3, 1, 2).float() / 255 - mean) / std


if __name__ == "__main__":
    main()
