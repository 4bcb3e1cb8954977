"""What does the faults of a plan: by kind, how it begins, what it hits and how it ends."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.chaos import people, places, workers
from tests.chaos.ground import Ground
from tests.chaos.plan import SERVICES, Fault
from tests.chaos.services import NAMES

Injector = Callable[[Ground, Fault], AbstractContextManager[str | None]]
"""Yields what is hit, or None where there is nothing to hit; what lasts, lasts as long as the
block."""


def _kill(word: str) -> Injector:
    @contextmanager
    def kill(ground: Ground, fault: Fault) -> Iterator[str]:
        with ground.stack.away(NAMES[word]):
            yield f"SIGKILL to {NAMES[word]}"

    return kill


@contextmanager
def pause_scheduler(ground: Ground, fault: Fault) -> Iterator[str]:
    """Stop a scheduler and its tasks until the others take them for lost, then let them go on."""
    name = fault.pick([NAMES["scheduler"], NAMES["second scheduler"]])
    with ground.stack.paused(str(name)):
        yield f"SIGSTOP to {name}"


@contextmanager
def restart_postgres(ground: Ground, fault: Fault) -> Iterator[str]:
    """Stop it, as an administrator does or as a crash does."""
    number = signal.SIGINT if fault.which < 0.5 else signal.SIGKILL
    with ground.stack.away("postgres", number):
        yield f"{number.name} to postgres"


INJECTORS: dict[str, Injector] = {
    **{f"kill {word}": _kill(word) for word in SERVICES},
    "pause scheduler": pause_scheduler,
    "restart postgres": restart_postgres,
    **workers.INJECTORS,
    **places.INJECTORS,
    **people.INJECTORS,
}
