"""Results as JSON lines, each on the disk before the next step begins; a run again goes on."""

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any


class Lines:
    """The lines of one shape on one machine, in a file that others may share."""

    def __init__(self, path: Path, shape: str, gpu: str | None) -> None:
        """Go on with a file.

        Args:
            path: made if it is missing; a line that a kill cut off is ended.
            shape: of the model.
            gpu: as PyTorch names it; None where TurboMind is faked.
        """
        self._path, self._whose = path, {"shape": shape, "gpu": gpu}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and (content := path.read_bytes()) and not content.endswith(b"\n"):
            self._append(b"\n")

    def add(self, step: str, **facts: object) -> None:
        """Write what a step found."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        self._append(json.dumps({**self._whose, "step": step, "at": now, **facts}).encode() + b"\n")

    def missing(self, step: str) -> bool:
        """Whether no run has finished this step; one that failed or was left out is missing."""
        return not any(
            line["step"] == step and {"error", "left_out"}.isdisjoint(line)
            for line in read(self._path)
            if all(line[key] == value for key, value in self._whose.items())
        )

    def _append(self, content: bytes) -> None:
        with self._path.open("ab") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())


def read(path: Path) -> list[dict[str, Any]]:
    """All whole lines of a file; what a kill cut off is passed over."""
    found = []
    for line in path.read_text(errors="replace").splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return [
        line for line in found if isinstance(line, dict) and {"shape", "gpu", "step"} <= set(line)
    ]
