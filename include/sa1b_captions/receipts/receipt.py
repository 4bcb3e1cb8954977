"""What the receipts of all stages say.

A field that is not always there, or that version 0.1.0 did not write, has a default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What all receipts say."""

    STAGE: ClassVar[str]
    run_id: str | None = None
    """Airflow run that made it; None by hand."""
    id: str | None = None
    """Tells it from the one before, whose facts and second may be the same: clocks jump."""
    written_at: str | None = None
    """ISO 8601, UTC, to the second; for people."""
    software: str | None = None
    cpu_s: float | None = None
    """CPU seconds of the process that made it (`process.cpu_lap_s`); None where nobody counted: of
    captions, whose process waits for a model, of dedup on a cluster, and before it was noted."""
    format: int = 1
    stored: Mapping[str, Any] = field(
        default_factory=dict, repr=False, compare=False, metadata={"json": False}
    )
    """The JSON as stored, with fields that this version does not know. Empty until written."""
