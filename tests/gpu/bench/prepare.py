"""Makes the pictures and the checkpoint of a shape: `python -m tests.gpu.bench.prepare`."""

import argparse
import time
from pathlib import Path

from tests.gpu.bench import checkpoint, photos
from tests.gpu.bench.lines import Lines
from tests.gpu.bench.shapes import SHAPES


def main() -> None:
    """Both, unless they are there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("--gpu", help="its name; without it pictures are small")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    options = parser.parse_args()
    shape, device = SHAPES[options.shape], "cpu" if options.gpu is None else "cuda"
    lines = Lines(options.results, options.shape, options.gpu)
    began = time.monotonic()
    model_id = f"sa1b-captions/{options.model.name}"
    photos.make_store(options.store, model_id, shape, shrink=3 if options.gpu is None else 1)
    lines.add("pictures", seconds=round(time.monotonic() - began, 1))
    try:
        lines.add("checkpoint", **checkpoint.make(options.model, shape, device))
    except OSError as error:
        lines.add("checkpoint", error=str(error))
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
