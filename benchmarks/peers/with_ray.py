"""Captions of a folder of images with Ray Data LLM's HTTP processor, as its documents show."""

import base64
import os
from typing import Any

import ray
from ray.data.checkpoint import CheckpointConfig
from ray.data.llm import HttpRequestProcessorConfig, HttpRequestStageConfig, build_processor

OUT, PLACES = os.environ["OUT"], int(os.environ["PLACES"])


def ask(row: dict[str, Any]) -> dict[str, Any]:
    """The request for one image's caption."""
    jpeg = base64.b64encode(row["bytes"]).decode()
    image = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{jpeg}"}}
    text = {"type": "text", "text": "Describe the image."}
    messages = [{"role": "user", "content": [image, text]}]
    return {"payload": {"model": "simulated", "messages": messages, "max_tokens": 1024}}


def answer(row: dict[str, Any]) -> dict[str, Any]:
    """The row that is written."""
    (choice,) = row["http_response"]["choices"]
    caption, end = choice["message"]["content"], choice["finish_reason"]
    return {"path": row["path"], "caption": caption, "finish_reason": end}


ray.init(address="local", include_dashboard=False)
ray.data.DataContext.get_current().checkpoint_config = CheckpointConfig(
    id_column="path", checkpoint_path=f"{OUT}/checkpoints"
)
images = ray.data.read_binary_files(
    os.environ["IMAGES"], include_paths=True, override_num_blocks=PLACES
)
# Each actor has four batches under way: so many places are four times as few actors.
config = HttpRequestProcessorConfig(
    url=os.environ["URL"] + "/chat/completions",
    batch_size=1,
    concurrency=(PLACES // 4, PLACES // 4),
    http_request_stage=HttpRequestStageConfig(num_cpus=0.1),
    max_retries=3,
)
processor = build_processor(config, preprocess=ask, postprocess=answer)
processor(images).write_parquet(f"{OUT}/captions")
