"""Captions of a folder of images with distilabel, as its documents show."""

import base64
import os
from pathlib import Path

from distilabel.models.llms import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGenerationWithImage

OUT, PLACES = os.environ["OUT"], int(os.environ["PLACES"])

if __name__ == "__main__":
    rows = [
        {
            "path": path.name,
            "instruction": "Describe the image.",
            "image": base64.b64encode(path.read_bytes()).decode(),
        }
        for path in sorted(Path(os.environ["IMAGES"]).glob("*.jpg"))
    ]
    with Pipeline(name="captions", cache_dir=f"{OUT}/cache") as pipeline:
        llm = OpenAILLM(
            model="simulated",
            base_url=os.environ["URL"],
            api_key="none",
            generation_kwargs={"max_new_tokens": 1024},
        )
        load = LoadDataFromDicts(data=rows, batch_size=PLACES)
        caption = TextGenerationWithImage(llm=llm, image_type="base64", input_batch_size=PLACES)
        load >> caption
    distiset = pipeline.run(use_cache=True)
    distiset["default"]["train"].to_parquet(f"{OUT}/captions.parquet")
