"""Efficiency: what a caption receipt says of the pipeline's rate beside the engine's own.

caption/gauge.py measures it, the quality reports show it; docs/runbook.md says what to do when the
engine waits.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any

from sa1b_captions.receipts import Receipt

ENOUGH = 0.9
"""Share of the engine's own rate below which it waits for photographs."""

ENOUGH_SAMPLES = 100
"""Fewer samples, or less than a window of them, say too little to warn of."""


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Fields of a caption receipt. Only single-image samples count."""

    pipeline_tokens_per_s: float | None = None
    """Tokens written per second while the engine depended on photographs being decoded in time."""
    engine_tokens_per_s: float | None = None
    """The same while it had a stock of decoded ones; measured when the worker started."""
    efficiency: float | None = None
    """The first over the second; None where one of them is, and the note says why."""
    efficiency_samples: int = 0
    """Samples that the engine took while the pipeline's rate was measured."""
    efficiency_low: bool = False
    """Whether an engine with hardware of its own waited, by enough samples to say so."""
    efficiency_note: str | None = None
    """What to know about the number, or why there is none."""

    def describe(self) -> str:
        """All of it, in one line for a log."""
        if self.efficiency is None:
            return f"no efficiency, for {self.efficiency_note}"
        note = f" ({self.efficiency_note})" if self.efficiency_note else ""
        advice = "; give the pod more CPU, or look at the store's read times"
        return (
            f"efficiency {self.efficiency:.2f}: {self.pipeline_tokens_per_s:.0f} tokens/s, and the "
            f"engine alone writes {self.engine_tokens_per_s:.0f}{note}"
            + (advice if self.efficiency_low else "")
        )

    def facts(self) -> dict[str, Any]:
        """As a receipt's fields."""
        return asdict(self)


def read_efficiency(receipt: Receipt) -> Efficiency:
    """What a receipt says; one that an older version wrote may lack some of it."""
    names = [field.name for field in fields(Efficiency)]
    return Efficiency(**{name: receipt[name] for name in names if name in receipt})


def compare(
    pipeline: float, engine: float, samples: int, window: int, *, own_hardware: bool = True
) -> Efficiency:
    """Put two rates beside each other.

    Args:
        pipeline: tokens per second.
        engine: tokens per second.
        samples: those the engine took while the pipeline's rate was measured.
        window: places in the engine.
        own_hardware: whether the engine shares no cores with the decoding.
    """
    ratio = pipeline / engine
    enough = samples >= max(ENOUGH_SAMPLES, window)
    notes = []
    if not enough:
        notes.append(f"of {samples} samples only, which tells little")
    if not own_hardware:
        notes.append("the engine shares its cores with the decoding: under 1 is usual")
    return Efficiency(
        pipeline_tokens_per_s=round(pipeline, 1),
        engine_tokens_per_s=round(engine, 1),
        efficiency=round(ratio, 3),
        efficiency_samples=samples,
        efficiency_low=own_hardware and enough and ratio < ENOUGH,
        efficiency_note="; ".join(notes) or None,
    )
