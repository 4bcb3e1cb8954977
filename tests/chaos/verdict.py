"""What became of it: whether the release is the quiet run's, and what is left behind."""

import json
from collections.abc import Iterable, Iterator

from sa1b_captions.errors import EXIT_NOTHING_TO_DO
from sa1b_captions.storage import Store
from tests.chaos import leftovers, task_logs
from tests.chaos.ground import Ground
from tests.chaos.release_content import differences, read_content


def judge(ground: Ground, quiet: Store, version: str) -> tuple[list[str], dict[str, int]]:
    """Everything that is wrong, a sentence each, and how many tries' logs end how."""
    lines = task_logs.read_last_lines(ground.api())
    found = list(_wrong(ground, quiet, version, lines))
    for sentence in found:
        ground.journal.note("wrong", what=sentence)
    return found, task_logs.count(lines)


def _wrong(
    ground: Ground, quiet: Store, version: str, lines: list[task_logs.LastLine]
) -> Iterator[str]:
    yield from leftovers.processes(ground)
    yield from leftovers.database(ground)
    yield from leftovers.scratch(ground)
    store = ground.store()
    yield from differences(read_content(quiet, "v1"), read_content(store, version))
    # As the runbook frees what other captions took the place of.
    yield from _command(
        ground, "drop", "--shards", ground.selection, "--generations", "--unfinished"
    )
    yield from _command(ground, "verify", "--version", version)
    yield from leftovers.in_store(leftovers.kinds_of_keys(quiet), leftovers.kinds_of_keys(store))
    yield from leftovers.unfinished_writes(ground)
    yield from leftovers.claims(store)
    yield from task_logs.offences(lines)
    yield from _status(ground)


def _command(ground: Ground, *arguments: str) -> Iterable[str]:
    done = ground.command(*arguments)
    if done.returncode not in (0, EXIT_NOTHING_TO_DO):
        said = (done.stderr.splitlines() or ["nothing"])[-1]
        return [f"{' '.join(arguments)} ends with {done.returncode}: {said}"]
    return []


def _status(ground: Ground) -> Iterable[str]:
    done = ground.command("status", "--require-done")
    if done.returncode:
        return [f"status: {done.stderr[-300:]}"]
    said = json.loads(done.stdout.splitlines()[-1])
    wrong = said["done"] != len(ground.shards) or said["stale"]
    return [f"status says {said}"] if wrong else []
