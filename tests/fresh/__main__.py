"""The README's commands on a fresh Debian: `python -m tests.fresh [options]`, as root.

Prints what a person would see, and one line of JSON last; ends with 1 if a command did not do what
the README says.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tests.fresh.debian import USER, Debian, FreshError, Ran, make_debian, remove

ROOT = Path(__file__).parents[2]
NAME = "sa1b-captions"
INSTALL = "apt-get install -qq --no-install-recommends --yes"


def main(arguments: list[str]) -> int:
    """Make the Debian, run everything, remove it; returns the exit code."""
    asked = parse(arguments)
    try:
        debian = make_debian(asked.folder, asked.suite, asked.mirror)
    except FreshError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        steps = [*prepare(debian), *read_me(debian, asked.targets)]
    finally:
        if not asked.keep:
            remove(debian)
    failed = [ran.command for ran, meant in steps if (ran.code == 0) != meant]
    rows = [{"command": ran.command, "code": ran.code, "seconds": ran.seconds} for ran, _ in steps]
    print(json.dumps({"suite": asked.suite, "steps": rows, "failed": failed}))
    return int(bool(failed))


def parse(arguments: list[str]) -> argparse.Namespace:
    """Where, which Debian, and what to run after the demo."""
    parser = argparse.ArgumentParser(prog="make test-fresh", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("/srv/sa1b-captions-fresh"))
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--mirror", default="", help="debootstrap's own if left out")
    parser.add_argument("--targets", nargs="+", default=["test"], help="of make, after demo")
    parser.add_argument("--keep", action="store_true", help="leave the folder there")
    return parser.parse_args(arguments)


def prepare(debian: Debian) -> list[tuple[Ran, bool]]:
    """What the README asks for, a person to run it, and the checkout's last commit."""
    quiet = ">/dev/null 2>&1"
    steps = [
        (
            debian.run(f"apt-get update -qq && {INSTALL} python3 make git {quiet}", user="root"),
            True,
        ),
        (debian.run(f"useradd --create-home --shell /bin/bash {USER}", user="root"), True),
    ]
    clone = debian.folder / "home" / USER / NAME
    subprocess.run(["git", "clone", "--quiet", "--no-local", ROOT, clone], check=True)
    debian.run(f"chown -R {USER}: /home/{USER}", user="root")
    return steps


def read_me(debian: Debian, targets: list[str]) -> list[tuple[Ran, bool]]:
    """Run its commands; each with whether it should succeed.

    Debian keeps a part of Python in a package of its own, so the first try must say so.
    """
    told = debian.run("make demo", where=NAME)
    names_it = "apt install python3-venv" in told.output
    steps = [(told, not names_it)]
    steps.append((debian.run(f"{INSTALL} python3-venv >/dev/null 2>&1", user="root"), True))
    steps.append((debian.run("make demo && make down", where=NAME), True))
    steps += [(debian.run(f"make {target}", where=NAME), True) for target in targets]
    return steps


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
