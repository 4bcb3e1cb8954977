"""What becomes of a shard's partition key once its run has validated what it could."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sa1b_captions.receipts import CurateReceipt, ShardValidation
from sa1b_captions.receipts.findings import Verdict


class Action(enum.StrEnum):
    """What `publish` does."""

    EMIT = "emit"
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Publication:
    """What `publish` does with a shard, and why."""

    action: Action
    reason: str
    """A sentence for the log."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run was asked to do with its shards."""

    tracks: Sequence[str]
    force: bool
    """Do them again, although they are done."""
    run_id: str | None


def decide(
    shard: str,
    wish: Wish,
    curated: Mapping[str, CurateReceipt],
    validation: ShardValidation | None,
) -> Publication:
    """Emit the key of a shard that this run completed; fail one that failed its checks.

    All others are skipped: of a stage that failed, its own task is red and has the reason.

    Args:
        curated: receipts of the tracks that are curated by the present rules.
        validation: of these receipts; None where there is none.
    """
    if validation is None:
        return Publication(Action.SKIP, f"{shard} is not validated: see its stage that failed")
    if validation.verdict == Verdict.FAIL:
        return Publication(Action.FAIL, f"{shard} failed its checks; open its quality report")
    # To do a shard again, this run must have; otherwise what an earlier one made is enough.
    made = {t for t, one in curated.items() if not wish.force or one.run_id == wish.run_id}
    if lacking := sorted(set(wish.tracks) - made):
        return Publication(
            Action.SKIP, f"{shard} lacks this run's {', '.join(lacking)}: see its stage that failed"
        )
    if not validation.complete:
        return Publication(Action.SKIP, f"{shard} has some tracks still to caption")
    if validation.run_id != wish.run_id:
        return Publication(Action.SKIP, f"{shard} was done before, in run {validation.run_id}")
    return Publication(Action.EMIT, f"{shard} is done: this run completed it")
