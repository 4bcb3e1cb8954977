"""CPU-milliseconds per image that lmdeploy's own preprocessing costs; runs in its environment.

    python -m benchmarks.preprocess_cost folder-with-jpegs

Prints one JSON object. The steps are timed apart, best of three passes, one thread.
"""

# ruff: noqa: TID253  this script runs only where these packages are
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sa1b_captions.caption.decoding.images import decode_jpeg
from tests.gpu import (
    fake_turbomind,  # noqa: F401  declares what torchvision lacks without CUDA
    tiny_internvl2,
)


def cpu_ms(step: Callable[[Any], Any], inputs: list[Any]) -> tuple[float, list[Any]]:
    """Best CPU time per input, and the results."""
    best, results = float("inf"), []
    for _ in range(3):
        began = time.process_time()
        results = [step(each) for each in inputs]
        best = min(best, (time.process_time() - began) / len(inputs))
    return round(1000 * best, 2), results


def main() -> None:
    """Time decode, tiles, transform and the hash of the tiles."""
    # After fake_turbomind.
    from lmdeploy import TurbomindEngineConfig
    from lmdeploy.vl.model.builder import load_vl_model
    from lmdeploy.vl.model.internvl import dynamic_preprocess

    torch.set_num_threads(1)
    torch.cuda.mem_get_info = lambda device=None: (0, 0)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    jpegs = [path.read_bytes() for path in sorted(Path(sys.argv[1]).glob("*.jpg"))]
    with tempfile.TemporaryDirectory() as folder:
        path = tiny_internvl2.build(Path(folder) / "InternVL2-Tiny")
        model = load_vl_model(
            str(path),
            "turbomind",
            backend_config=TurbomindEngineConfig(tp=1),
            trust_remote_code=True,
        )
    if not hasattr(model, "processor"):
        model.build_preprocessor(trust_remote_code=True)
    model.set_mm_feature_dtype(torch.bfloat16)

    decode_ms, images = cpu_ms(decode_jpeg, jpegs)
    resize_ms, tiles = cpu_ms(lambda image: dynamic_preprocess(image, 1, 12, 448, True), images)
    transform_ms, pixels = cpu_ms(
        lambda cut: torch.stack([model.transform(tile) for tile in cut]).to(torch.bfloat16), tiles
    )
    hash_ms, _ = cpu_ms(
        lambda each: hashlib.sha256(each.view(torch.uint8).numpy().tobytes()).digest(), pixels
    )

    def whole(jpeg: bytes) -> bytes:
        part = {"type": "image", "data": decode_jpeg(jpeg), "max_dynamic_patch": 12}
        messages = model.preprocess([{"role": "user", "content": [part]}])
        return hashlib.sha256(
            messages[-1]["content"][0]["pixel_values"].view(torch.uint8).numpy().tobytes()
        ).digest()

    whole_ms, _ = cpu_ms(whole, jpegs)
    torch_ms, ours = cpu_ms(_torch_resize, [np.asarray(image)[..., :3] for image in images])
    theirs = [np.asarray(image.resize((1344, 896))) for image in images]
    apart = max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(ours, theirs, strict=True))
    print(
        json.dumps(
            {
                "whole_ms": whole_ms,
                "decode_ms": decode_ms,
                "resize_ms": resize_ms,
                "transform_ms": transform_ms,
                "hash_ms": hash_ms,
                "torch_resize_of_tiles_ms": torch_ms,
                "torch_levels_apart": apart,
            }
        )
    )


def _torch_resize(pixels: np.ndarray) -> np.ndarray:
    """What torch makes of the larger of the two resizes: not used, for other pixels come out."""
    tensor = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]
    resized = torch.nn.functional.interpolate(
        tensor, (896, 1344), mode="bicubic", antialias=True, align_corners=False
    )
    back: np.ndarray = resized[0].permute(1, 2, 0).contiguous().numpy()
    return back


if __name__ == "__main__":
    main()
