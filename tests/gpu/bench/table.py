"""The rows of benchmarks/README.md: `python -m tests.gpu.bench.table results.jsonl`."""

import sys
from pathlib import Path
from statistics import median
from typing import Any

from tests.gpu.bench.lines import read

HEAD = (
    "date", "shape", "GPU", "driver, versions", "load s", "worker images/s (window)", "occupancy",
    "of `pipe(list)`, as many threads", "of stock `pipe(list)`", "of Transformers, batch 1",
    "of Transformers, best batch", "best window", "captions right",
)  # fmt: skip
NONE = "not measured"
_VERSIONS = ("driver", "cuda", "torch", "lmdeploy", "transformers")
_Lines = list[dict[str, Any]]


def table(lines: _Lines) -> str:
    """One row for each shape and GPU, in the order of the lines; what has no line says so."""
    groups: dict[tuple[str, str | None], _Lines] = {}
    for line in lines:
        groups.setdefault((line["shape"], line["gpu"]), []).append(line)
    rows = [HEAD, ("---",) * len(HEAD), *(_row(group) for group in groups.values())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(lines: _Lines) -> tuple[str, ...]:
    steps = {line["step"]: line for line in lines}
    machine = steps.get("machine", {})
    versions = ", ".join(f"{n} {machine[n]}" for n in _VERSIONS if machine.get(n))
    load = steps.get("load", {}).get("seconds")
    passes = [line for line in steps.values() if "images_per_s" in line]
    workers = [line for line in passes if line.get("window") and line["step"] != "warm-up"]
    first = [line for line in workers if line["window"] == workers[0]["window"]]
    rate = _median(first, "images_per_s")
    peers = [line for line in passes if "batch" in line]
    occupancy = _median(first, "occupancy")
    wide, stock = (
        _median([p for p in passes if p.get("wide") is state], "images_per_s")
        for state in (True, False)
    )
    alone = _median([p for p in peers if p["batch"] == 1], "images_per_s")
    best_peer = max((p["images_per_s"] for p in peers), default=None)
    best = max(workers, key=lambda line: line["images_per_s"], default=None)
    judged = [line for line in passes if "right" in line]
    right, captions = (sum(line[name] for line in judged) for name in ("right", "images"))
    return (
        max((line.get("at", "")[:10] for line in lines), default="") or NONE,
        lines[0]["shape"],
        lines[0]["gpu"] or "none, TurboMind faked on the CPU",
        versions or NONE,
        NONE if load is None else f"{load:.0f}",
        NONE if rate is None else f"{rate:.2f} ({first[0]['window']})",
        NONE if occupancy is None else f"{occupancy:.1%}",
        *(_ratio(rate, other) for other in (wide, stock, alone, best_peer)),
        NONE if best is None else str(best["window"]),
        f"{right} of {captions}" if judged else NONE,
    )


def _median(lines: _Lines, name: str) -> float | None:
    found = [line[name] for line in lines if line.get(name) is not None]
    return median(found) if found else None


def _ratio(rate: float | None, other: float | None) -> str:
    return f"{rate / other:.2f}" if rate is not None and other else NONE


if __name__ == "__main__":
    print(table(read(Path(sys.argv[1]))))
