"""Tasks of a scattered search run here, one after the other, as a cluster would run them."""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kept:
    """Bytes of a value, as they would travel."""

    data: bytes

    @property
    def value(self) -> Any:
        return pickle.loads(self.data)  # noqa: S301


class TasksHere:
    """`quality.duplicates.scattered.Tasks`, where everything is pickled that would travel."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        """Names of the functions, in their order."""

    def send(self, function: Any, *arguments: Any, returns: int = 1) -> list[Kept]:
        self.sent.append(function.__name__)
        travelled = pickle.loads(pickle.dumps((function, arguments)))  # noqa: S301
        values = [one.value if isinstance(one, Kept) else one for one in travelled[1]]
        found = travelled[0](*values)
        assert len(found) == returns
        return [self.keep(one) for one in found]

    def keep(self, value: Any) -> Kept:
        return Kept(pickle.dumps(value))

    def get(self, kept: Sequence[Kept]) -> list[Any]:
        return [one.value for one in kept]
