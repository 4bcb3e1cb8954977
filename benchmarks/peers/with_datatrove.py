"""Captions of a folder of images with datatrove's inference runner, as its examples show."""

import base64
import os
from pathlib import Path
from typing import Any

from datatrove.data import Document
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.inference.run_inference import (
    InferenceConfig,
    InferenceResult,
    InferenceRunner,
)
from datatrove.pipeline.writers import JsonlWriter

IMAGES, OUT = Path(os.environ["IMAGES"]), Path(os.environ["OUT"])
PLACES = int(os.environ["PLACES"])


async def caption(document: Document, generate: Any) -> InferenceResult:
    """Ask for one image's caption."""
    jpeg = base64.b64encode((IMAGES / document.id).read_bytes()).decode()
    image = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{jpeg}"}}
    text = {"type": "text", "text": document.text}
    payload = {"messages": [{"role": "user", "content": [image, text]}], "max_tokens": 1024}
    return await generate(payload)


documents = [
    Document(text="Describe the image.", id=path.name) for path in sorted(IMAGES.glob("*.jpg"))
]
config = InferenceConfig(
    server_type="endpoint",
    model_name_or_path="simulated",
    endpoint_url=os.environ["URL"],
    api_key="none",
    max_concurrent_generations=PLACES,
)
LocalPipelineExecutor(
    pipeline=[
        documents,
        InferenceRunner(
            rollout_fn=caption,
            config=config,
            records_per_chunk=100,
            checkpoints_local_dir=str(OUT / "checkpoints"),
            output_writer=JsonlWriter(
                str(OUT / "captions"),
                output_filename="${rank}_chunk_${chunk_index}.jsonl",
                compression=None,
            ),
            skip_bad_requests=True,
        ),
    ],
    logging_dir=str(OUT / "logs"),
    tasks=1,
).run()
