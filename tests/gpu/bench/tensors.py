"""How to make each tensor of a checkpoint, one at a time and where it is fast: on the GPU."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from tests.gpu.bench import awq

NOISE = 0.02
"""Standard deviation of weights that only cost time."""
SILENT = 2e-6
"""Standard deviation where outputs add up over layers and must not count."""

Entries = Mapping[tuple[int, ...], float]
Fill = Callable[[str], torch.Tensor]
"""Makes a tensor on a device."""


@dataclass(frozen=True)
class Spec:
    """A tensor that is yet to be made."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    fill: Fill

    @property
    def bytes(self) -> int:
        """Size in a checkpoint."""
        return math.prod(self.shape) * self.dtype.itemsize


class Tensors(dict[str, Spec]):
    """Specs by name, in one floating-point type."""

    def __init__(self, dtype: torch.dtype, *, quantised: bool) -> None:
        """Begin with none.

        Args:
            dtype: of all but packed weights.
            quantised: `linear` and `exact` make AWQ weights.
        """
        super().__init__()
        self._dtype, self._quantised = dtype, quantised

    def put(self, name: str, size: tuple[int, ...], fill: Fill) -> None:
        """A tensor made by a function, in whatever type that makes it."""
        self[name] = Spec(size, self._dtype, lambda device: fill(device).to(self._dtype))

    def full(self, name: str, *size: int, value: float = 0.0) -> None:
        """One value all over."""
        dtype = self._dtype
        self[name] = Spec(size, dtype, lambda d: torch.full(size, value, dtype=dtype, device=d))

    def noise(
        self, name: str, *size: int, std: float = NOISE, entries: Entries | None = None
    ) -> None:
        """Normal noise around 0; rows that hold one of `entries` hold nothing else."""

        def fill(device: str) -> torch.Tensor:
            tensor = torch.empty(size, dtype=self._dtype, device=device).normal_(0, std)
            for place in entries or ():
                tensor[place[0]] = 0
            for place, value in (entries or {}).items():
                tensor[place] = value
            return tensor

        self[name] = Spec(size, self._dtype, fill)

    def linear(self, name: str, out: int, width: int, std: float = NOISE) -> None:
        """A layer of noise."""
        if not self._quantised:
            self.noise(f"{name}.weight", out, width, std=std)
            return
        size, groups = (width, out // 8), width // awq.GROUP
        self._packed(f"{name}.qweight", size, lambda d: _random_bits(size, d))
        self._zeros(name, groups, out)
        # Four bits around 8, all as likely, have a standard deviation of 4.6.
        self.full(f"{name}.scales", groups, out, value=std / 4.6)

    def exact(self, name: str, out: int, width: int, entries: Entries) -> None:
        """A layer of zeros but for some (out, in)."""
        if not self._quantised:
            self.noise(f"{name}.weight", out, width, std=0.0, entries=entries)
            return
        groups = width // awq.GROUP

        def weights(device: str) -> torch.Tensor:
            values = torch.full((width, out), 8, dtype=torch.uint8, device=device)
            for row, column in entries:
                values[column, row] = 9
            return awq.pack(values)

        def scales(device: str) -> torch.Tensor:
            tensor = torch.full((groups, out), 0.01, device=device)
            for (row, column), value in entries.items():
                tensor[column // awq.GROUP, row] = value
            return tensor

        self._packed(f"{name}.qweight", (width, out // 8), weights)
        self._zeros(name, groups, out)
        self.put(f"{name}.scales", (groups, out), scales)

    def _zeros(self, name: str, groups: int, out: int) -> None:
        size = (groups, out // 8)
        self._packed(
            f"{name}.qzeros",
            size,
            lambda d: torch.full(size, awq.EIGHTS, dtype=torch.int32, device=d),
        )

    def _packed(self, name: str, size: tuple[int, ...], fill: Fill) -> None:
        self[name] = Spec(size, torch.int32, fill)


def _random_bits(size: tuple[int, ...], device: str) -> torch.Tensor:
    return torch.randint(-(2**31), 2**31 - 1, size, dtype=torch.int32, device=device)
