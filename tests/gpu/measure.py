"""Runs the smoke test's parts in an environment that `smoke` has made; one JSON object last."""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from tests.gpu import ours, shards


def main() -> None:
    """Kill and resume, then our commands and `pipe(list)` in turn on the same pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--faked", action="store_true", help="no GPU: TurboMind on the CPU")
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--window", type=int, required=True)
    options = parser.parse_args()
    began = time.monotonic()
    plan = shards.Plan(options.images, *((3, 4) if options.faked else ()))
    campaign = shards.make_store(options.folder / "store", plan)
    environment = os.environ | {
        "CAPTIONS_ROOT": f"file://{options.folder / 'store'}",
        "CAPTIONS_CAMPAIGN": shards.CAMPAIGN,
        "CAPTIONS_MODEL_PATH": str(options.model),
        "CAPTIONS_TENSOR_PARALLEL": "1",
        "CAPTIONS_WINDOW": str(options.window),
        # A small model needs little of the GPU for its cache, and is stored in half precision.
        "CAPTIONS_LMDEPLOY_OPTIONS": '{"dtype": "float16", "cache_max_entry_count": 0.1}',
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    runner = ours.Runner("tests.gpu.faked" if options.faked else "sa1b_captions", environment)
    checks = ours.kill_and_resume(campaign, runner)
    mine, alone = [], []
    for turn in range(options.rounds):
        mine.append(ours.timed(campaign, runner, f"round-{turn}"))
        alone.append(_baseline(environment, faked=options.faked))
    captions = mine[-1].pop("captions")
    checks["same_captions_as_pipe_list"] = {str(i): c for i, c in captions.items()} == alone[-1][
        "captions"
    ]
    rate, rate_alone = (median(run["images_per_s"] for run in runs) for runs in (mine, alone))
    decode_s = median(run["decode_s"] for run in alone)
    print(
        json.dumps(
            {
                "images": options.images,
                "window": options.window,
                "rounds": options.rounds,
                "images_per_s": round(rate, 2),
                "occupancy": round(median(run["occupancy"] for run in mine), 3),
                "pipe_list_images_per_s": round(rate_alone, 2),
                "adapter_overhead": round(rate_alone / rate - 1, 3),
                "pipe_list_decode_s": round(decode_s, 2),
                "load_s": round(median(run["load_s"] for run in alone), 1),
                "checks": checks,
                "seconds": round(time.monotonic() - began, 1),
            }
        )
    )


def _baseline(environment: dict[str, str], *, faked: bool) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.gpu.baseline", shards.MEASURED]
    reply = subprocess.run(
        [*command, *(["--faked"] if faked else [])],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    result: dict[str, Any] = json.loads(reply.stdout.splitlines()[-1])
    return result


if __name__ == "__main__":
    main()
