"""Numbers with their sources, from `numbers.toml`."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sa1b_captions.errors import PermanentError

NUMBERS_PATH = Path(__file__).with_name("numbers.toml")

KINDS = ("measured", "published", "estimate", "assumption", "given")
"""How a number is known; `given` was told by whoever asks."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number, and how it is known."""

    value: float
    unit: str
    kind: str
    """One of KINDS."""
    source: str
    """A sentence without its full stop."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS or not self.source:
            raise ValueError(f"a number needs a source and a kind of {', '.join(KINDS)}")


@dataclass(frozen=True, slots=True)
class Gpu:
    """What a GPU can do."""

    memory_gb: float
    """As the driver reports it."""
    tflops: float
    """Dense bf16, the published peak."""
    bandwidth_gb_s: float
    language_share: float
    """Of the peak that the language model reaches while it reads a prompt."""
    vision_share: float
    """The same of the vision model."""


class Numbers:
    """All numbers of the model; some may be replaced by what was measured or given."""

    def __init__(self, replaced: Mapping[str, Number] | None = None) -> None:
        """Take the packaged numbers and what takes their place.

        Raises ValueError: a name that is none of them.
        """
        packaged = _packaged()
        if unknown := sorted(set(replaced or {}) - set(packaged)):
            raise ValueError(f"there is no number {unknown[0]}")
        self._numbers = {**packaged, **(replaced or {})}

    def __getitem__(self, name: str) -> float:
        """Value of a number."""
        return self._numbers[name].value

    def source(self, name: str) -> Number:
        """The number with its source."""
        return self._numbers[name]

    def sources(self) -> dict[str, dict[str, Any]]:
        """All of them, for JSON."""
        return {name: asdict(number) for name, number in self._numbers.items()}


def find_gpu(product: str) -> Gpu:
    """A GPU by its node label. Raises PermanentError if its speed is not known."""
    gpus = _content()["gpus"]
    if product not in gpus:
        raise PermanentError(
            f"the speed of GPU {product or 'without a label'} is not known; there are: "
            f"{', '.join(sorted(gpus))}; once shards are done, their receipts tell it"
        )
    return Gpu(**gpus[product])


@functools.cache
def _content() -> dict[str, Any]:
    return tomllib.loads(NUMBERS_PATH.read_text(encoding="utf-8"))


@functools.cache
def _packaged() -> dict[str, Number]:
    return {name: Number(**entry) for name, entry in _content().items() if name != "gpus"}
