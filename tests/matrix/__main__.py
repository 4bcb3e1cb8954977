"""The tests under every Python and choice of versions: `python -m tests.matrix [options]`.

Prints a table, and one line of JSON last; ends with 1 if a cell failed.
"""

import argparse
import json
import sys
from pathlib import Path

from tests.matrix.cells import RESOLUTIONS, ROOT, Cell, run_cell

PYTHONS = ("3.11", "3.12", "3.13")
TESTS = ("tests/unit", "tests/dags")
ROW = "{:<8} {:<9} {:>7} {:>7} {:>8} {:>8}"


def main(arguments: list[str]) -> int:
    """Try each cell in turn; returns the exit code."""
    asked = parse(arguments)
    print(ROW.format("python", "versions", "passed", "failed", "skipped", "seconds"), flush=True)
    cells = []
    for python in asked.pythons:
        for resolution in asked.resolutions:
            folder = asked.folder / f"{python}-{resolution}"
            cells.append(run_cell(python, resolution, folder, asked.tests))
            print_cell(cells[-1])
    print(json.dumps({"tests": asked.tests, "cells": [cell.row() for cell in cells]}))
    return int(any(cell.failed for cell in cells))


def parse(arguments: list[str]) -> argparse.Namespace:
    """What to try where; without options everything."""
    parser = argparse.ArgumentParser(prog="make test-matrix", description=__doc__)
    parser.add_argument("--pythons", nargs="+", default=PYTHONS)
    parser.add_argument("--resolutions", nargs="+", choices=RESOLUTIONS, default=RESOLUTIONS)
    parser.add_argument("--tests", nargs="+", default=TESTS)
    parser.add_argument("--folder", type=Path, default=ROOT / ".run" / "matrix")
    return parser.parse_args(arguments)


def print_cell(cell: Cell) -> None:
    """A row of the table, with what failed below it."""
    numbers = cell.passed, cell.failed, cell.skipped, cell.seconds
    print(ROW.format(cell.python, cell.resolution, *numbers), flush=True)
    for line in cell.why:
        print(f"    {line}".replace("\n", "\n    "), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
