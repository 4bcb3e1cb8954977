"""Side by side with what a user would pick instead, against one simulated server.

    make bench-peers         IMAGES=400 PLACES=16 TOOLS="datatrove ray" for others

Every tool captions the same folder of small JPEGs, each through a server of its own that writes as
many captions at once as it has places (benchmarks/peers/server.py). The last line is one JSON
object.
"""

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.peers.measure import NotMeasuredError, Setting, measure
from benchmarks.peers.table import table
from benchmarks.peers.tools import ABSENT, TOOLS


def main() -> None:
    """Measure every tool that is installed, and print."""
    # Ended by a signal, it still kills the tool that runs, with its daemons.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    setting = Setting(
        images=int(os.environ.get("IMAGES", "400")), places=int(os.environ.get("PLACES", "16"))
    )
    wanted = sys.argv[1:] or [tool.name for tool in TOOLS]
    found: dict[str, dict[str, Any]] = {}
    absent = dict(ABSENT)
    load = os.getloadavg()[0]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for tool in TOOLS:
            if tool.name not in wanted:
                continue
            if tool.version is None:
                absent[tool.name] = f"not installed in {tool.environment.name}"
                continue
            try:
                found[tool.name] = measure(tool, Path(folder) / tool.name, setting)
            except NotMeasuredError as error:
                absent[tool.name] = str(error)
            print(f"{tool.name}: {found.get(tool.name) or absent[tool.name]}", file=sys.stderr)
    print(table(found, absent))
    print(
        json.dumps(
            {
                "images": setting.images,
                "places": setting.places,
                "load_before": round(load, 1),
                "whole_s": round(time.monotonic() - began, 1),
                "tools": found,
                "absent": absent,
            }
        )
    )


if __name__ == "__main__":
    main()
