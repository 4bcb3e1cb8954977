"""Every validation of a shard and of the release is kept with its report; one of them is present.

The present one lies where version 0.1.0 had its only one, and is what other stages read. Its
`report` names its page. Pages are named by their content, so that a validation that is done again
by a retry writes what it wrote before.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Generic, TypeVar

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.receipts import ReleaseValidation, ShardValidation
from sa1b_captions.receipts.receipt_files import (
    Place,
    copy_receipt,
    past_validation_place,
    read_receipt,
    release_validation_place,
    shard_validation_place,
    write_receipt,
)
from sa1b_captions.remedies import damaged

V = TypeVar("V", ShardValidation, ReleaseValidation)
RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Subject(Generic[V]):
    """What is validated: one shard, or all of them together."""

    name: str
    """The shard, or `release`."""
    place: Place[V]
    """Of the present validation."""

    def past(self, campaign: str, name: str) -> Place[V]:
        """Place of the validation with that name."""
        return past_validation_place(self.place.kind, campaign, self.name, name)


def of_shard(campaign: Campaign, shard: str) -> Subject[ShardValidation]:
    """One shard."""
    return Subject(shard, shard_validation_place(campaign.name, shard))


def of_release(campaign: Campaign) -> Subject[ReleaseValidation]:
    """All shards together."""
    return Subject(RELEASE, release_validation_place(campaign.name))


def name_of(validation: ShardValidation | ReleaseValidation) -> str:
    """What tells a validation from the others of its subject; its report has the same name."""
    return PurePosixPath(validation.report).stem


def store_validation(campaign: Campaign, subject: Subject[V], validation: V, page: str) -> V:
    """Keep a validation and its page, and make it the present one.

    The page is written first and the present validation last, so that one that exists has its
    report, whenever the process is killed.

    Returns:
        The validation as stored, with the key of its report.
    """
    store = campaign.store
    _keep_present(campaign, subject)
    name = _name_of_page(page.encode())
    report = layout.past_report_key(campaign.name, subject.name, name)
    store.write(report, page.encode())
    stored = write_receipt(
        store, subject.past(campaign.name, name), replace(validation, report=report)
    )
    copy_receipt(store, subject.place, stored)
    return stored


def read_report(campaign: Campaign, subject: Subject[V], validation: V) -> bytes:
    """The HTML page of a validation.

    Raises:
        DamagedObjectError: it is not the page that its name tells.
        MissingKeyError: there is none.
    """
    store, key = campaign.store, validation.report
    page = store.read(key)
    named = layout.past_report_key(campaign.name, subject.name, _name_of_page(page))
    # The pages of version 0.1.0 lie elsewhere, and their names tell nothing.
    if key.startswith(layout.validation_history_prefix(campaign.name, subject.name)) and (
        key != named
    ):
        raise damaged(store.locate(key), key, "its bytes are not those that its name tells")
    return page


def _name_of_page(page: bytes) -> str:
    return hashlib.sha256(page).hexdigest()[:16]


def _keep_present(campaign: Campaign, subject: Subject[V]) -> None:
    """Keep the present validation if it is version 0.1.0's, which kept none."""
    present = read_receipt(campaign.store, subject.place)
    if present is None:
        return
    place = subject.past(campaign.name, name_of(present))
    if not campaign.store.exists(place.key):
        copy_receipt(campaign.store, place, present)


def read_history(campaign: Campaign, subject: Subject[V]) -> Mapping[str, V]:
    """All validations of a subject by name, the newest first; the present one is among them."""
    prefix = layout.validation_history_prefix(campaign.name, subject.name)
    history: dict[str, V] = {}
    for key in campaign.store.list(prefix):
        if key.endswith(".json"):
            name = PurePosixPath(key).stem
            past = read_receipt(campaign.store, subject.past(campaign.name, name))
            if past is not None:
                history[name] = past
    present = read_receipt(campaign.store, subject.place)
    if present is not None:
        history[name_of(present)] = present
    newest_first = sorted(history.items(), key=lambda item: item[1].written_at or "", reverse=True)
    return dict(newest_first)
