"""Measures shapes one after the other: `python -m tests.gpu.bench dist/gpu-smoke --shapes 8b`.

Results are JSON lines; run the same command again and it goes on where it was killed. Without a GPU
the toy shape runs with TurboMind's arithmetic on the CPU, in the environment of
`make test-lmdeploy`; its rates say nothing.

Exit codes: 0 every step of every shape has its line, 1 some step is missing or a caption is wrong,
2 the machine lacks something, which is named.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.gpu.bench.lines import Lines, read
from tests.gpu.bench.shapes import SHAPES
from tests.gpu.bench.table import table
from tests.gpu.machine import prepare

_VERSIONS = """
import importlib.metadata as m, json, torch
def version(name):
    try:
        return m.version(name)
    except m.PackageNotFoundError:
        return None
names = ("torch", "lmdeploy", "transformers")
print(json.dumps({"cuda": torch.version.cuda, **{n: version(n) for n in names}}))
"""
_CACHE_LINE = re.compile(r"cache|block", re.IGNORECASE)
"""What TurboMind says of the room for keys and values."""


def main() -> int:
    """Prepare, measure each shape, print the table; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path, help="made by `make gpu-smoke`; needed on a GPU")
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=["tiny"])
    parser.add_argument("--results", type=Path, default=Path("dist/gpu-bench.jsonl"))
    parser.add_argument("--scratch", type=Path, help="for checkpoints and pictures; kept")
    parser.add_argument("--seconds", type=float, default=800, help="in all; default %(default)s")
    options = parser.parse_args()
    ends_at = time.monotonic() + options.seconds
    gpu, driver = _gpu()
    if gpu is None and (large := [name for name in options.shapes if "tiny" not in name]):
        print(f"PyTorch sees no GPU here, and {large[0]} needs one", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="gpu-bench-") as temporary:
        scratch = options.scratch or Path(temporary)
        scratch.mkdir(parents=True, exist_ok=True)
        environment = {"PYTHONPATH": "."}
        if gpu is not None:
            if not (options.bundle / "bundle.json").exists():
                advice = "`make gpu-smoke` makes it where there is a network"
                print(f"{options.bundle} is no bundle: {advice}", file=sys.stderr)
                return 2
            machine = prepare(options.bundle.resolve(), scratch / "site")
            if machine.missing:
                print("missing here:", *machine.missing, sep="\n  ", file=sys.stderr)
                return 2
            environment = machine.environment
        run = _Run(options.results.resolve(), gpu, scratch.resolve(), environment)
        whole = [run.measure(shape, driver, ends_at) for shape in options.shapes]
    print(table(read(options.results)))
    return 0 if all(whole) else 1


class _Run:
    """What all shapes have in common."""

    def __init__(
        self, results: Path, gpu: str | None, scratch: Path, environment: dict[str, str]
    ) -> None:
        self._results, self._gpu, self._scratch = results, gpu, scratch
        self._environment = os.environ | environment | {
            "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "TM_LOG_LEVEL": "INFO",
        }  # fmt: skip

    def measure(self, name: str, driver: str | None, ends_at: float) -> bool:
        """Every step of a shape that has no line; whether all are there and all captions right."""
        shape, lines = SHAPES[name], Lines(self._results, name, self._gpu)
        reply = subprocess.run(
            [sys.executable, "-c", _VERSIONS],
            env=self._environment,
            stdout=subprocess.PIPE,
            check=True,
        )
        lines.add("machine", driver=driver, **json.loads(reply.stdout))
        model, store = self._scratch / f"InternVL2-{name}", self._scratch / f"store-{name}"
        self._environment |= {
            "CAPTIONS_ROOT": store.as_uri(),
            "CAPTIONS_CAMPAIGN": "gpu-bench",
            "CAPTIONS_MODEL_PATH": str(model),
            "CAPTIONS_TENSOR_PARALLEL": str(shape.gpus),
            "CAPTIONS_WINDOW": str(shape.window),
            "CAPTIONS_LMDEPLOY_OPTIONS": json.dumps({"dtype": shape.dtype}),
        }
        passes = [each.name for each in shape.passes]
        peers = [f"Transformers, batch {size}" for size in shape.batches]
        spare_s = 60.0 if any(map(lines.missing, peers)) and self._gpu else 0.0
        made = ["--model", str(model), "--store", str(store)]
        if not any(map(lines.missing, [*passes, *peers])):
            return self._all_right(name)
        if self._step(lines, "prepare", name, made, ends_at):
            if any(map(lines.missing, passes)):
                self._step(lines, "measure", name, None, ends_at - spare_s)
            if any(map(lines.missing, peers)):
                self._step(lines, "peers", name, None, ends_at)
        return not any(map(lines.missing, [*passes, *peers])) and self._all_right(name)

    def _step(
        self, lines: Lines, module: str, shape: str, more: list[str] | None, ends_at: float
    ) -> bool:
        """Run one of our modules in another process until time is up; whether it ended well."""
        left_s = max(1.0, ends_at - time.monotonic())
        options = ["--seconds", str(left_s)] if more is None else more
        options += ["--gpu", self._gpu] if self._gpu else []
        command = [sys.executable, "-m", f"tests.gpu.bench.{module}", str(self._results), shape]
        log = self._scratch / f"{module}-{shape}.log"
        with log.open("wb") as target:
            try:
                code: int | str = subprocess.run(
                    [*command, *options],
                    env=self._environment,
                    stdout=target,
                    stderr=subprocess.STDOUT,
                    timeout=left_s + 5,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired:
                code = "time is up"
        said = log.read_text(errors="replace").splitlines()
        if module == "measure" and self._gpu:
            lines.add("engine log", says=[s[:300] for s in said if _CACHE_LINE.search(s)][:8])
        if code:
            lines.add(module, error=code, says=said[-3:])
            print(f"{shape}: {module} ended with {code}", *said[-20:], sep="\n", file=sys.stderr)
        return not code

    def _all_right(self, shape: str) -> bool:
        judged = [
            line
            for line in read(self._results)
            if (line["shape"], line["gpu"]) == (shape, self._gpu) and "right" in line
        ]
        return all(line["right"] == line["images"] for line in judged)


def _gpu() -> tuple[str | None, str | None]:
    """The first GPU as PyTorch names it, and the driver's version."""
    program = "import torch; print(torch.cuda.get_device_name(0))"
    name = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    ).stdout.strip()
    if not name:
        return None, None
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    reply = subprocess.run(query, capture_output=True, text=True, check=False)
    return name, reply.stdout.partition("\n")[0].strip() or None


if __name__ == "__main__":
    sys.exit(main())
