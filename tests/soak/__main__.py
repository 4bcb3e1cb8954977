"""The soak by hand: `python -m tests.soak MINUTES [SUBJECT ...]`.

Prints a table of what grew by how much, and one line of JSON last; ends with 1 if something leaks.
"""

import json
import os
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from tests.soak.children import run_together
from tests.soak.dag_runs import run_dags
from tests.soak.measures import Sample, SoakError
from tests.soak.rounds import SUBJECTS
from tests.soak.slopes import growths

ROW = "{:<22} {:<16} {:>7} {:>12} {:>12} {:>12} {:>9}  {}"
DAG_RUNS = "dag-runs"


def main(minutes: float, names: list[str]) -> int:
    """Half of the time the subjects, half of it DAG runs; returns the exit code."""
    unknown = sorted(set(names) - {*SUBJECTS, DAG_RUNS})
    if unknown:
        print(f"no subject {unknown[0]}; there are: {', '.join((*SUBJECTS, DAG_RUNS))}")
        return 2
    os.nice(5)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left running
    chosen = names or [*SUBJECTS, DAG_RUNS]
    children = [name for name in chosen if name in SUBJECTS]
    both = bool(children) and DAG_RUNS in chosen
    seconds = minutes * 60 / (2 if both else 1)
    with tempfile.TemporaryDirectory(prefix="sa1b-soak-") as made:
        folder = Path(made)
        try:
            samples = run_together(children, folder, seconds) if children else {}
            if DAG_RUNS in chosen:
                samples |= run_dags(folder / DAG_RUNS, seconds)
            return judge(samples, minutes)
        except SoakError as error:
            print(error)
            return 1


def judge(samples: dict[str, list[Sample]], minutes: float) -> int:
    """Print how each measure went; returns the exit code."""
    print(ROW.format("subject", "measure", "rounds", "first", "last", "slope", "limit", ""))
    found = {name: growths(rounds) for name, rounds in samples.items()}
    for name, measures in found.items():
        for one in measures:
            numbers = (f"{value:,.2f}" for value in (one.first, one.last, one.slope, one.limit))
            word = "LEAKS" if one.leaks else ""
            print(ROW.format(name, one.measure, one.rounds, *numbers, word))
    leaks = [f"{name} {one.measure}" for name, many in found.items() for one in many if one.leaks]
    rows = {name: [asdict(one) for one in many] for name, many in found.items()}
    print(
        json.dumps({"minutes": minutes, "ended": int(time.time()), "found": rows, "leaks": leaks})
    )
    return int(bool(leaks))


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
