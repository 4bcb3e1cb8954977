"""What goes wrong, when and for how long: a pure function of the seed.

Moments are seconds after the first task was queued. What a fault hits is drawn as a number from 0
to 1, since only the moment knows what runs then.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

T = TypeVar("T")
Kinds = dict[str, tuple[float, float]]

SERVICES = ("scheduler", "second scheduler", "triggerer", "api-server", "dag-processor")

EVERYWHERE: Kinds = {
    **{f"kill {service}": (1, 8) for service in SERVICES},
    "pause scheduler": (35, 60),
    "restart postgres": (1, 6),
    "kill stage": (0, 0),
    "pause stage": (35, 60),
    "model errors": (5, 20),
    "model restart": (3, 15),
    "full disk": (8, 25),
    "links expire": (10, 30),
    "forced redo": (0, 0),
    "two exports": (0, 0),
    "recipe rule": (20, 40),
    "recipe model": (10, 30),
    "recipe damaged": (5, 20),
}
"""Kind of fault to the least and the most seconds that it lasts."""
IN_PODS: Kinds = {
    "kill pod": (0, 0),
    "evict pod": (0, 0),
    "pause pod": (10, 40),
    "forget pod": (0, 0),
    "kubernetes away": (5, 30),
    "clock jumps": (10, 30),
}
ON_S3: Kinds = {
    "s3 restart": (3, 20),
    "s3 500": (5, 25),
    "s3 503": (5, 25),
    "s3 slow": (10, 30),
    "s3 resets": (5, 25),
}
GAP_S = (1.0, 12.0)
"""Between the beginnings of two faults; the one before may still last."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    number: int
    at_s: float
    """After the first task was queued."""
    kind: str
    lasts_s: float
    which: float
    """Draws the target among those there are: from 0 to 1, without 1."""

    def pick(self, targets: Sequence[T]) -> T | None:
        """Whom it hits."""
        return targets[int(self.which * len(targets))] if targets else None


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a seed's faults happen."""

    runtime: Literal["local", "pod"]
    """Where captions are made: beside Airflow, or in pods."""
    store: Literal["s3", "folder"]
    """A folder lies on the disk that gets full."""

    @property
    def kinds(self) -> Kinds:
        """Kinds of faults that there can be."""
        pods = IN_PODS if self.runtime == "pod" else {}
        return EVERYWHERE | pods | (ON_S3 if self.store == "s3" else {})


SCENES = (Scene("pod", "s3"), Scene("local", "s3"), Scene("local", "folder"))


def scene(seed: int) -> Scene:
    """Of this seed."""
    return SCENES[seed % len(SCENES)]


def make_plan(seed: int, faults: int) -> list[Fault]:
    """The faults of a seed in their order. More of them begin with the same ones."""
    rng = random.Random(seed)
    kinds = scene(seed).kinds
    at_s, plan = 0.0, []
    for number, kind in zip(range(faults), _rounds(rng, list(kinds)), strict=False):
        at_s += rng.uniform(*GAP_S)
        lasts_s = rng.uniform(*kinds[kind])
        plan.append(Fault(number, round(at_s, 1), kind, round(lasts_s, 1), rng.random()))
    return plan


def _rounds(rng: random.Random, kinds: list[str]) -> Iterator[str]:
    """Every kind once in each round, in an order of the round's own."""
    while True:
        yield from rng.sample(kinds, len(kinds))
