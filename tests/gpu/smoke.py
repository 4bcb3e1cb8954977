"""Runs the lmdeploy engine on a small model that sees: `python -m tests.gpu.smoke dist/gpu-smoke`.

With a GPU the bundle is installed into a folder of its own, and the true engine captions through
`sa1b-captions caption`. Without one the pruned engine is loaded as far as it goes, and the same
commands run with TurboMind's arithmetic on the CPU; that needs the environment of
`make test-lmdeploy`.

Exit codes: 0 every check passed (`gpu` in the result is null where there was none), 1 a check
failed, 2 the machine lacks something, which is named, 3 --require-gpu and there is none.
"""

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.gpu.machine import prepare

HEAD = """\
| date | GPU | images/s | `pipe(list)` | overhead | occupancy | window | checks |
|---|---|---|---|---|---|---|---|"""


def main() -> int:
    """Prepare, run, print the result; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--images", type=int, help="per shard; 384, or 24 without a GPU")
    parser.add_argument("--window", type=int, help="requests in flight; 64, or 4 without a GPU")
    parser.add_argument("--rounds", type=int, help="of each timing; 3, or 1 without a GPU")
    parser.add_argument("--require-gpu", action="store_true")
    options = parser.parse_args()
    bundle = options.bundle.resolve()
    gpu = _gpu_name()
    if gpu is None and options.require_gpu:
        print("PyTorch sees no GPU here", file=sys.stderr)
        return 3
    with tempfile.TemporaryDirectory(prefix="gpu-smoke-") as scratch:
        folder = Path(scratch)
        result: dict[str, Any] = {"gpu": gpu, "date": dt.datetime.now(dt.UTC).date().isoformat()}
        environment = {"PYTHONPATH": "."}
        if gpu is None:
            print("no GPU here: the engine's arithmetic runs on the CPU", file=sys.stderr)
            result["pruned_engine_loads"] = _run("tests.gpu.load", [str(bundle)], environment)
        else:
            machine = prepare(bundle, folder / "site")
            for name, value in machine.found.items():
                print(f"{name}: {value}", file=sys.stderr)
            if machine.missing:
                print("missing here:", *machine.missing, sep="\n  ", file=sys.stderr)
                return 2
            environment = machine.environment
            result["turbomind"] = _run("tests.gpu.load", ["--installed"], environment)
        defaults = (24, 1, 4) if gpu is None else (384, 3, 64)
        given = (options.images, options.rounds, options.window)
        images, rounds, window = (g or d for g, d in zip(given, defaults, strict=True))
        model = bundle / json.loads((bundle / "bundle.json").read_text())["model"]
        arguments = [str(folder), str(model), "--images", str(images), "--rounds", str(rounds)]
        arguments += ["--window", str(window), *(["--faked"] if gpu is None else [])]
        result |= _run("tests.gpu.measure", arguments, environment)
    return _report(result)


def _report(result: dict[str, Any]) -> int:
    failed = [name for name, holds in result["checks"].items() if not holds]
    print(HEAD)
    print(
        f"| {result['date']} | {result['gpu'] or 'none, TurboMind faked on the CPU'} "
        f"| {result['images_per_s']} | {result['pipe_list_images_per_s']} "
        f"| {result['adapter_overhead']:.1%} | {result['occupancy']:.1%} | {result['window']} "
        f"| {'all passed' if not failed else 'failed: ' + ', '.join(failed)} |"
    )
    print(json.dumps(result))
    return 1 if failed else 0


def _run(module: str, arguments: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """Run one of our modules in another process; the JSON object of its last line."""
    reply = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    lines = reply.stdout.splitlines()
    if reply.returncode or not lines:
        sys.exit(f"{module} ended with {reply.returncode}; what it printed is above")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def _gpu_name() -> str | None:
    """The first GPU as PyTorch names it; None without PyTorch, CUDA or a GPU."""
    program = "import torch; print(torch.cuda.get_device_name(0))"
    reply = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    return reply.stdout.strip() or None


if __name__ == "__main__":
    sys.exit(main())
