"""A campaign's summary: what was found out about its shards, beside the receipts that say so.

Ten receipts say how a shard stands, and a campaign has a thousand shards. So whoever looks at many
keeps what came out, each with a mark over the stamps of the receipts that it came from. The next
one asks the store for the stamps, which takes listings, and reads the receipts of those shards
alone whose mark is another. A summary that is missing, damaged, behind or written by two at once
costs reads and never changes an answer.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import groupby
from typing import Any, TypeVar

import xxhash

from sa1b_captions import checked_json, layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import CaptioningError, MissingKeyError
from sa1b_captions.freshness.audits import audit_fingerprint
from sa1b_captions.freshness.shard_freshness import READERS, receipt_keys
from sa1b_captions.shards import shard_number
from sa1b_captions.typed_json import build

_log = logging.getLogger(__name__)

VERSION = 3
"""Raise it when code makes something else of the same receipts, or keeps other fields of it."""

WORTH_KEEPING = 16
"""Subjects found out at a time from which on the summary is written anew: to ask for a few again
costs less than to have every look at a running campaign write."""

RELEASE = "release"
"""The subject that is all shards together, which is always worth keeping."""

_AT_ONCE = 100
"""Shards whose keys are listed at once: those of a hundred numbers begin alike."""

Found = TypeVar("Found")


class Stamps:
    """Stamps of the receipts that say how some shards stand, and of other keys."""

    def __init__(
        self, campaign: Campaign, shards: Sequence[str], others: Sequence[str] = ()
    ) -> None:
        """Ask the store for them. Raises RetryableError if it fails."""
        self._judged_by = (
            *(str(VERSION), campaign.quality_fingerprint),
            audit_fingerprint(campaign.recipe),
        )
        self._keys = {shard: receipt_keys(campaign, shard) for shard in shards}
        hundreds = groupby(shards, key=lambda shard: shard_number(shard) // _AT_ONCE)
        groups = [
            keys
            for _, some in hundreds
            for keys in zip(*(self._keys[shard] for shard in some), strict=True)
        ]
        self._found: dict[str, str] = {}
        with ThreadPoolExecutor(READERS) as pool:
            for found in pool.map(campaign.store.stamps, [*groups, *((key,) for key in others)]):
                self._found |= found

    def __contains__(self, key: object) -> bool:
        """Whether there is such an object."""
        return key in self._found

    def mark(self, shards: Iterable[str], *others: str) -> str:
        """A text that is another one if a receipt of these shards is, or one of other keys."""
        keys = [key for shard in shards for key in self._keys[shard]]
        stamps = [self._found.get(key, "") for key in (*keys, *others)]
        return xxhash.xxh3_128_hexdigest("\n".join([*self._judged_by, *stamps]).encode())


def look_up(
    campaign: Campaign,
    kind: type[Found],
    marks: Mapping[str, str],
    find_out: Callable[[str], Found],
) -> dict[str, Found]:
    """What is known of some subjects; what the summary lacks is found out, and kept there.

    Args:
        kind: a dataclass that `typed_json.build` can make.
        marks: by subject, such as a shard; what was kept under another mark does not count.
        find_out: reads the receipts of a subject. What it raises is raised here.

    Returns:
        By subject, in their order.
    """
    kept = _read(campaign)
    known = {
        subject: found
        for subject, mark in marks.items()
        if (found := _kept(kind, kept.get(subject), mark)) is not None
    }
    lacking = [subject for subject in marks if subject not in known]
    with ThreadPoolExecutor(READERS) as pool:
        known |= zip(lacking, pool.map(find_out, lacking), strict=True)
    if len(lacking) >= WORTH_KEEPING or RELEASE in lacking:
        new = {one: {"mark": marks[one], "found": asdict(known[one])} for one in lacking}  # type: ignore[call-overload]
        _write(campaign, kept | new)
    return {subject: known[subject] for subject in marks}


def read_kept(campaign: Campaign, kind: type[Found], subjects: Sequence[str]) -> list[Found] | None:
    """What the summary keeps of some subjects, whether or not it still holds.

    Receipts are not asked. None where it lacks one of them, or keeps other fields of it.
    """
    kept = _read(campaign)
    try:
        return [build(kind, kept[subject]["found"]) for subject in subjects]
    except (KeyError, TypeError, ValueError):
        return None


def _kept(kind: type[Found], entry: Any, mark: str) -> Found | None:
    if not isinstance(entry, dict) or entry.get("mark") != mark:
        return None
    try:
        return build(kind, entry.get("found"))
    except ValueError:
        return None


def _read(campaign: Campaign) -> dict[str, Any]:
    key = layout.summary_key(campaign.name)
    try:
        content = checked_json.parse(campaign.store.read(key))
    except MissingKeyError:
        return {}
    except ValueError as error:
        where = campaign.store.locate(key)
        _log.warning("%s is no summary (%s); it is made again from receipts", where, error)
        return {}
    # One without a checksum is of an older version, and nothing shows that it is what was written.
    return content if checked_json.CHECKSUM in content else {}


def _write(campaign: Campaign, content: Mapping[str, Any]) -> None:
    """Store the summary if the store lets us: whoever looks may only be allowed to look."""
    key = layout.summary_key(campaign.name)
    try:
        campaign.store.write(key, checked_json.render(content))
    except CaptioningError as error:
        _log.info("%s is not kept: %s", campaign.store.locate(key), error)
