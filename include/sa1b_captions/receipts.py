"""Receipts: the small JSON written last, which makes a stage's output exist.

No stage trusts a listing; it reads the receipt of the stage before it.
"""

import datetime as dt
import hashlib
import json
import uuid
from importlib.metadata import version
from typing import Any

from sa1b_captions.errors import MissingKeyError, PermanentError
from sa1b_captions.storage import Store

Receipt = dict[str, Any]


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
