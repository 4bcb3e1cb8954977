"""Receipts: the small JSON written last, which makes a stage's output exist.

No stage trusts a listing; it reads the receipt of the stage before it.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from typing import Any

from sa1b_captions.errors import MissingKeyError, PermanentError
from sa1b_captions.storage import Store

Receipt = dict[str, Any]

ENOUGH_OCCUPANCY = 0.9
"""Window occupancy below which an engine waits for images."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """What a caption receipt says of the window occupancy of the run that wrote it.

    caption/occupancy.py measures it, the quality reports show it; docs/runbook.md says what to do
    when the engine waits.
    """

    share: float | None = None
    """Busy time of the window's places over window x time; None where it was not measured."""
    samples: int = 0
    """Samples that the engine took in that time, those of a shard beside it included."""
    note: str | None = None
    """What keeps the share from telling whether the engine waited, or why there is none."""

    @property
    def tells(self) -> bool:
        """Whether the share says if the engine waited."""
        return self.share is not None and self.note is None

    @property
    def low(self) -> bool:
        """Whether the engine waited for images."""
        return self.share is not None and self.note is None and self.share < ENOUGH_OCCUPANCY

    def describe(self) -> str:
        """All of it, in one line for a log."""
        if self.share is None:
            return f"no window occupancy, for {self.note}"
        note = f" ({self.note})" if self.note else ""
        advice = "; give the pod more CPU, or look at the store's read times"
        return f"window occupancy {self.share:.2f}{note}{advice if self.low else ''}"

    def facts(self) -> dict[str, Any]:
        """Its fields, as a receipt holds them."""
        return asdict(self)


def read_occupancy(stored: Mapping[str, Any] | None) -> Occupancy:
    """What `Occupancy.facts` stored; nothing of a receipt that a version without it wrote."""
    names = [field.name for field in fields(Occupancy)]
    return Occupancy(**{name: stored[name] for name in names if stored and name in stored})


def write_receipt(store: Store, key: str, *, stage: str, **facts: Any) -> Receipt:
    """Write a stage's receipt and return it. Call this after everything it vouches for."""
    receipt: Receipt = {
        "stage": stage,
        **facts,
        # What tells it from the one before, whose facts and second may be the same: clocks jump.
        "id": uuid.uuid4().hex,
        "written_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "software": f"sa1b-captions {version('sa1b-captions')}",
    }
    store.write(key, json.dumps(receipt, ensure_ascii=False, indent=1).encode())
    return receipt


def read_receipt(store: Store, key: str) -> Receipt | None:
    """Read a receipt; None when the stage has not finished."""
    try:
        data = store.read(key)
    except MissingKeyError:
        return None
    try:
        receipt = json.loads(data)
    except ValueError as error:
        raise PermanentError(
            f"receipt {key} in {store.url} is not JSON ({error}); delete it and run its stage again"
        ) from None
    if not isinstance(receipt, dict):
        raise PermanentError(f"receipt {key} in {store.url} is not a JSON object; delete it")
    return receipt


def require_receipt(store: Store, key: str, *, stage: str, hint: str) -> Receipt:
    """Read the receipt of a stage that must have finished.

    Args:
        store: where the receipt lies.
        key: its key.
        stage: the stage it belongs to, for the message.
        hint: the command that would produce it.
    """
    receipt = read_receipt(store, key)
    if receipt is None:
        raise PermanentError(f"{stage} has not finished: no {key} in {store.url}; run {hint}")
    return receipt


def digest(*receipts: Receipt | None) -> str:
    """16 hexadecimal digits over receipts, to tell whether a stage's inputs have changed."""
    text = json.dumps(receipts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
