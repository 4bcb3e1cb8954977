"""Run a seed: `python -m tests.chaos SEED`; `--help` lists the options."""

import argparse
import json
import sys
from pathlib import Path

from tests.chaos.trial import run_trial


def main() -> int:
    """Print how it went, JSON in the last line; exit 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("seed", type=int)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--shards", type=int, default=20)
    parser.add_argument("--keep", type=Path, help="folder for the journal and all logs")
    parser.add_argument("--quiet", type=Path, help="folder of a quiet run that trials may share")
    asked = parser.parse_args()
    result = run_trial(asked.seed, asked.faults, asked.shards, asked.keep, asked.quiet)
    for sentence in result["differences"]:
        print(sentence)  # noqa: T201
    print(json.dumps(result))  # noqa: T201
    return 1 if result["differences"] else 0


if __name__ == "__main__":
    sys.exit(main())
