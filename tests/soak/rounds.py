"""One subject, round after round: `python -m tests.soak.rounds SUBJECT FOLDER SECONDS ROUNDS`.

Prints a line of JSON after each round, what it measured of itself.
"""

import importlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.measures import of_this_process

SUBJECTS = {
    "pipeline": "tests.soak.pipeline",
    "worker": "tests.soak.pipeline",
    "console": "tests.soak.console",
    "triggers": "tests.soak.triggers",
}
"""Name of the subject to the module that makes it."""


def main(name: str, folder: Path, seconds: float, rounds: int) -> None:
    """Run for so long and at least so many rounds; what a round raises ends the process."""
    temporary = folder / "temporary"
    temporary.mkdir(parents=True)
    tempfile.tempdir = os.environ["TMPDIR"] = str(temporary)
    subject = getattr(importlib.import_module(SUBJECTS[name]), name)
    with subject(folder) as round_:
        deadline, done = time.monotonic() + seconds, 0
        while done < rounds or time.monotonic() < deadline:
            round_()
            print(json.dumps(of_this_process(temporary)), flush=True)
            done += 1


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
