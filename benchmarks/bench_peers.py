"""Side by side with what a user would pick instead, against one simulated server.

    make bench-peers         IMAGES=400 PLACES=16 TOOLS="datatrove ray" for others

Every tool captions the same folder of small JPEGs, each through a server of its own that writes as
many captions at once as it has places (benchmarks/peers/server.py). The last line is one JSON
object.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.peers.measure import Setting, measure
from benchmarks.peers.table import table
from benchmarks.peers.tools import TOOLS


def main() -> None:
    """Measure every tool that is installed, and print."""
    setting = Setting(
        images=int(os.environ.get("IMAGES", "400")), places=int(os.environ.get("PLACES", "16"))
    )
    wanted = sys.argv[1:] or [tool.name for tool in TOOLS]
    found: dict[str, dict[str, Any]] = {}
    load = os.getloadavg()[0]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for tool in TOOLS:
            if tool.name not in wanted:
                continue
            if tool.version is None:
                print(f"{tool.name}: not installed in {tool.environment.name}", file=sys.stderr)
                continue
            home = Path(os.environ.get("KEEP", folder)) / tool.name
            found[tool.name] = measure(tool, home, setting)
            print(f"{tool.name}: {json.dumps(found[tool.name])}", file=sys.stderr)
    print(table(found))
    print(
        json.dumps(
            {
                "images": setting.images,
                "places": setting.places,
                "load_before": round(load, 1),
                "whole_s": round(time.monotonic() - began, 1),
                "tools": found,
            }
        )
    )


if __name__ == "__main__":
    main()
