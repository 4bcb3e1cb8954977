"""lmdeploy alone on the same images: one call of `pipe(list)` with every picture decoded before.

`python -m tests.gpu.baseline SHARD` prints one JSON object: `images_per_s, decode_s, load_s,
captions` by image id. The engine has the settings of ours; what differs is the feeding.
"""

import contextlib
import json
import sys
import time
from pathlib import Path

from sa1b_captions.campaign import open_campaign
from sa1b_captions.caption.decoding.images import ShardReader, decode_jpeg
from sa1b_captions.caption.engines.generation import sampling
from sa1b_captions.caption.engines.golden import golden_image
from sa1b_captions.caption.engines.lmdeploy import checks as lmdeploy_checks
from sa1b_captions.caption.engines.lmdeploy import config as lmdeploy_config
from sa1b_captions.caption.sampling import plan_track, read_index
from sa1b_captions.settings import load_settings
from sa1b_captions.storage import open_store
from tests.gpu.shards import CAMPAIGN


def main(shard: str) -> dict[str, object]:
    """Time `pipe(list)` over the English samples of a shard."""
    import lmdeploy
    import torch

    settings = load_settings()
    campaign = open_campaign(open_store(settings), CAMPAIGN)
    recipe, track = campaign.recipe, campaign.recipe.tracks["single_en"]
    plan = plan_track(recipe, track, shard, read_index(campaign.store, shard))
    began = time.monotonic()
    reader = ShardReader(campaign.store, shard, plan)
    images = [decode_jpeg(reader.read(sample)[0]) for sample in plan]
    decode_s = time.monotonic() - began
    torch.set_num_threads(1)
    began = time.monotonic()
    pipe = lmdeploy.pipeline(
        settings.model_path,
        backend_config=lmdeploy_config.engine_config(settings, recipe.model),
        chat_template_config=lmdeploy_config.chat_template(recipe.model),
        log_level="WARNING",
        trust_remote_code=True,
    )
    lmdeploy_checks.check_backend(pipe)
    load_s = time.monotonic() - began
    pipe([(golden_image(), "warm up")])
    generation = lmdeploy_config.generation_config(sampling(recipe.generation, 1))
    began = time.monotonic()
    replies = pipe([(image, track.prompt) for image in images], gen_config=generation)
    elapsed_s = time.monotonic() - began
    pipe.close()
    return {
        "images_per_s": len(plan) / elapsed_s,
        "decode_s": decode_s,
        "load_s": load_s,
        "captions": {
            sample.images[0].image_id: reply.text.strip()
            for sample, reply in zip(plan, replies, strict=True)
        },
    }


if __name__ == "__main__":
    with contextlib.ExitStack() as stack:
        if "--faked" in sys.argv:
            from tests.gpu.faked import cpu_turbomind

            stack.enter_context(cpu_turbomind(Path(load_settings().model_path or "")))
        print(json.dumps(main(sys.argv[1])))
