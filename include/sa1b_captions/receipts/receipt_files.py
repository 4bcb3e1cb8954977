"""Where receipts lie, and the one place where they are read, checked and written.

No stage trusts a listing; it reads the receipt of the stage before it.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Generic, TypeVar

from sa1b_captions import checked_json, layout
from sa1b_captions.errors import MissingKeyError, PermanentError
from sa1b_captions.receipts.caption_receipts import BegunNote, CaptionReceipt
from sa1b_captions.receipts.receipt import Receipt
from sa1b_captions.receipts.stage_receipts import (
    AuditReceipt,
    CurateReceipt,
    DedupReceipt,
    IngestReceipt,
)
from sa1b_captions.receipts.validation_receipts import (
    ReleaseValidation,
    RunSummary,
    ShardValidation,
)
from sa1b_captions.software import software
from sa1b_captions.storage import Store
from sa1b_captions.typed_json import build

FORMAT = 1
"""Of receipts. Raise it when an older reader would misunderstand what is written."""

R = TypeVar("R", bound=Receipt)


@dataclass(frozen=True, slots=True)
class Place(Generic[R]):
    """Where a receipt lies."""

    kind: type[R]
    key: str
    stage: str
    """What is done when it exists, such as `ingest of sa_000017`."""
    command: str
    """What makes it."""


def ingest_place(shard: str) -> Place[IngestReceipt]:
    """Receipt of a shard's ingest."""
    return Place(
        IngestReceipt,
        layout.ingest_receipt_key(shard),
        f"ingest of {shard}",
        # Forced, or a shard without archive that is done passes for one that was dropped.
        f"sa1b-captions ingest --shards {shard} --force, or pack its folder again",
    )


def caption_place(campaign: str, track: str, shard: str) -> Place[CaptionReceipt]:
    """Receipt of captioning one track of a shard."""
    return Place(
        CaptionReceipt,
        layout.caption_receipt_key(campaign, track, shard),
        f"captioning of {track}/{shard}",
        f"sa1b-captions caption --shards {shard} --tracks {track}",
    )


def past_caption_place(
    campaign: str, track: str, shard: str, generation: str
) -> Place[CaptionReceipt]:
    """Receipt of a generation that counted before another did."""
    return Place(
        CaptionReceipt,
        layout.past_receipt_key(campaign, track, shard, generation),
        f"captioning of {track}/{shard} in generation {generation}",
        f"sa1b-captions caption --shards {shard} --tracks {track} --force",
    )


def begun_place(campaign: str, track: str, shard: str, generation: str) -> Place[BegunNote]:
    """Note of who began a generation of a track's captions."""
    return Place(
        BegunNote,
        layout.begun_key(campaign, track, shard, generation),
        f"beginning of generation {generation} of {track}/{shard}",
        f"sa1b-captions caption --shards {shard} --tracks {track} --force",
    )


def curate_place(campaign: str, track: str, shard: str) -> Place[CurateReceipt]:
    """Receipt of curating one track of a shard."""
    return Place(
        CurateReceipt,
        layout.curate_receipt_key(campaign, track, shard),
        f"curate of {track}/{shard}",
        f"sa1b-captions curate --shards {shard} --tracks {track}",
    )


def audit_place(campaign: str, track: str, shard: str) -> Place[AuditReceipt]:
    """Receipt of auditing one track of a shard."""
    return Place(
        AuditReceipt,
        layout.audit_receipt_key(campaign, track, shard),
        f"audit of {track}/{shard}",
        f"sa1b-captions audit --shards {shard} --tracks {track}",
    )


def shard_validation_place(campaign: str, shard: str) -> Place[ShardValidation]:
    """Validation of a shard."""
    return Place(
        ShardValidation,
        layout.shard_validation_key(campaign, shard),
        f"validation of {shard}",
        f"sa1b-captions validate --shards {shard}",
    )


def past_validation_place(kind: type[R], campaign: str, subject: str, name: str) -> Place[R]:
    """One of all validations of a shard, or of the `release`."""
    return Place(
        kind,
        layout.past_validation_key(campaign, subject, name),
        f"validation {name} of {subject}",
        f"sa1b-captions validate {'--release' if subject == 'release' else f'--shards {subject}'}"
        " --force",
    )


def dedup_place(campaign: str, track: str) -> Place[DedupReceipt]:
    """Receipt of one track's dedup."""
    return Place(
        DedupReceipt,
        layout.dedup_receipt_key(campaign, track),
        f"dedup of {track}",
        f"sa1b-captions dedup --tracks {track}",
    )


def release_validation_place(campaign: str) -> Place[ReleaseValidation]:
    """Validation over all shards."""
    return Place(
        ReleaseValidation,
        layout.release_validation_key(campaign),
        "validation of the release",
        "sa1b-captions validate --release",
    )


def run_summary_place(campaign: str, run_id: str) -> Place[RunSummary]:
    """What one Airflow run validated."""
    return Place(
        RunSummary,
        layout.run_summary_key(campaign, run_id),
        f"validation in run {run_id}",
        "the run's validate task",
    )


def write_receipt(store: Store, place: Place[R], receipt: R) -> R:
    """Write a receipt and return it as stored. Call this after everything it vouches for."""
    content = {"stage": receipt.STAGE, **asdict(receipt)}
    del content["stored"]
    content |= {
        "format": FORMAT,
        "id": uuid.uuid4().hex,
        "written_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "software": software(),
    }
    data = checked_json.render(content)
    store.write(place.key, data)
    return _parse(place, data)


def copy_receipt(store: Store, place: Place[R], receipt: R) -> None:
    """Write a stored receipt to another place as it is, id and all."""
    store.write(place.key, json.dumps(dict(receipt.stored), ensure_ascii=False, indent=1).encode())


def read_receipt(store: Store, place: Place[R]) -> R | None:
    """Read a receipt; None when its stage has not finished.

    Raises PermanentError: it is damaged, of another stage or of a newer version.
    """
    try:
        data = store.read(place.key)
    except MissingKeyError:
        return None
    try:
        return _parse(place, data)
    except NewerFormatError as error:
        raise PermanentError(
            f"{store.locate(place.key)} was written by a newer version, {error}; install that "
            f"version, or delete the receipt and run {place.command}"
        ) from None
    except ValueError as error:
        raise PermanentError(
            f"{store.locate(place.key)} is no receipt of the {place.stage}: {error}; delete it and "
            f"run {place.command}"
        ) from None


def require_receipt(store: Store, place: Place[R]) -> R:
    """Read the receipt of a stage that must have finished.

    Raises PermanentError: there is none, or `read_receipt` has a reason.
    """
    receipt = read_receipt(store, place)
    if receipt is None:
        raise PermanentError(
            f"{place.stage} has not finished: no {place.key} in {store.url}; run {place.command}"
        )
    return receipt


def digest(*inputs: Receipt | Mapping[str, Any] | None) -> str:
    """16 hexadecimal digits over receipts, to tell whether a stage's inputs have changed.

    All that is stored counts, fields that this version does not know included.

    Raises ValueError: a receipt was made and not stored.
    """
    if any(isinstance(one, Receipt) and not one.stored for one in inputs):
        raise ValueError("a receipt that is not stored has no digest")
    stored = [one.stored if isinstance(one, Receipt) else one for one in inputs]
    text = json.dumps(stored, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digest_of_parts(parts: Sequence[str]) -> str | None:
    """16 hexadecimal digits over the digests of caption parts; None where there are none."""
    return digest({"parts": list(parts)}) if parts else None


class NewerFormatError(ValueError):
    """A receipt is of a format that this version does not know."""


def _parse(place: Place[R], data: bytes) -> R:
    content = checked_json.parse(data)
    number = content.get("format", FORMAT)
    if isinstance(number, int) and number > FORMAT:
        raise NewerFormatError(f"{content.get('software')}, format {number}")
    if (stage := content.get("stage", place.kind.STAGE)) != place.kind.STAGE:
        raise ValueError(f"its stage is {stage!r} and not {place.kind.STAGE!r}")
    return replace(build(place.kind, content), stored=content)
