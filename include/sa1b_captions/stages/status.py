"""How far every shard of a campaign is, and the one definition of what is done.

A shard is done when all its tracks are captioned, these captions are curated by the rules of the
recipe as it is now, and this is what was validated. Receipts say so; a listing alone never does.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.quality.curated import curated_version
from sa1b_captions.receipt_files import (
    caption_place,
    curate_place,
    dedup_place,
    digest,
    read_receipt,
    release_validation_place,
    shard_validation_place,
)
from sa1b_captions.receipts import CaptionReceipt, CurateReceipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.shards import shard_number

_STEPS = ("", "captioned", "curated")
_DETAILED = 50
_CALLS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """How far one shard is."""

    shard: str
    ingested: bool
    tracks: dict[str, str]
    """For each track the last step done: empty, `captioned` or `curated`, by the present rules."""
    verdict: str
    """`pass`, `warn` or `fail`; empty before the shard is validated as it is."""
    outdated: bool = False
    """Whether the last validation is of other captions or other rules than the present ones."""

    @property
    def done(self) -> bool:
        """Whether every track is curated by the present rules, and the shard is validated so."""
        return bool(self.verdict) and set(self.tracks.values()) == {"curated"}

    @property
    def number(self) -> str:
        """Shard number, three digits or more."""
        return f"{shard_number(self.shard):03d}"

    @property
    def state(self) -> str:
        """One word for how far the shard is, also the colour it is shown in."""
        if self.verdict:
            return self.verdict
        if any(self.tracks.values()):
            return "captioning" if "" in self.tracks.values() else "captioned"
        return "ingested" if self.ingested else "waiting"

    @property
    def summary(self) -> str:
        """All of it in a line."""
        steps = [f"{track} {step}" for track, step in self.tracks.items() if step]
        old = ["last validated with other captions or rules"] if self.outdated else []
        return ", ".join([f"{self.shard}: {self.state}", *steps, *old])


@dataclass(frozen=True, slots=True)
class CampaignStatus:
    """How far all shards are."""

    shards: list[ShardStatus]

    @property
    def ingested(self) -> int:
        """Shards that are ingested."""
        return sum(shard.ingested for shard in self.shards)

    @property
    def detailed(self) -> list[ShardStatus]:
        """Shards worth a row: all of a small campaign, else the started that have not passed."""
        if len(self.shards) <= _DETAILED:
            return self.shards
        return [shard for shard in self.shards if shard.state not in ("waiting", "pass")]

    def with_step(self, track: str, step: str) -> int:
        """Shards whose track has done this step."""
        done = _STEPS[_STEPS.index(step) :]
        return sum(shard.tracks[track] in done for shard in self.shards)

    def with_verdict(self, verdict: str) -> int:
        """Shards with this verdict."""
        return sum(shard.verdict == verdict for shard in self.shards)


def read_status(campaign: Campaign) -> CampaignStatus:
    """Read it from receipts.

    Lists the folders with few keys, and reads receipts only where such a key is: the caption parts
    of a finished campaign are a hundred thousand keys.
    """
    shards = campaign.recipe.shards
    prefixes = [layout.shards_prefix(), layout.shard_validations_prefix(campaign.name)]
    prefixes += [layout.curated_prefix(campaign.name, track) for track in TRACKS]
    with ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
        listed = set(chain.from_iterable(pool.map(lambda p: _receipts(campaign, p), prefixes)))
        found = pool.map(lambda shard: _read(campaign, shard, listed.__contains__), shards)
        return CampaignStatus(list(found))


def read_shard(campaign: Campaign, shard: str) -> ShardStatus:
    """Read how far one shard is."""
    return _read(campaign, shard, campaign.store.exists)


def is_done(campaign: Campaign, shard: str) -> bool:
    """Whether a shard is validated and curated in all tracks by the recipe's present rules."""
    return read_shard(campaign, shard).done


def is_release_outdated(campaign: Campaign) -> bool:
    """Whether the release's present validation is of other captions or rules than the present."""
    validation = read_receipt(campaign.store, release_validation_place(campaign.name))
    if validation is None or validation.quality_fingerprint != campaign.quality_fingerprint:
        return True
    places = [dedup_place(campaign.name, track) for track in TRACKS]
    return validation.dedups != digest(*(read_receipt(campaign.store, one) for one in places))


def _receipts(campaign: Campaign, prefix: str) -> list[str]:
    return [key for key in campaign.store.list(prefix) if key.endswith(".json")]


def _read(campaign: Campaign, shard: str, has: Callable[[str], bool]) -> ShardStatus:
    ingested = has(layout.ingest_receipt_key(shard))
    steps, curated = {}, {}
    for track in TRACKS:
        judged = has(layout.curate_receipt_key(campaign.name, track, shard))
        if not ingested and not judged:
            steps[track] = ""
            continue
        captions = read_receipt(campaign.store, caption_place(campaign.name, track, shard))
        steps[track] = "" if captions is None else "captioned"
        if captions is not None and judged:
            receipt = read_receipt(campaign.store, curate_place(campaign.name, track, shard))
            if receipt is not None and _is_present(campaign, receipt, captions):
                steps[track], curated[track] = "curated", receipt
    validation = None
    if has(layout.shard_validation_key(campaign.name, shard)):
        validation = read_receipt(campaign.store, shard_validation_place(campaign.name, shard))
    valid = validation is not None and (
        validation.quality_fingerprint == campaign.quality_fingerprint
        and validation.input == curated_version(curated)
    )
    return ShardStatus(
        shard=shard,
        ingested=ingested,
        tracks=steps,
        verdict=validation.verdict.value if validation is not None and valid else "",
        outdated=validation is not None and not valid,
    )


def _is_present(campaign: Campaign, receipt: CurateReceipt, captions: CaptionReceipt) -> bool:
    """Whether the present rules judged these captions."""
    return (
        receipt.quality_fingerprint == campaign.quality_fingerprint
        and receipt.recipe_fingerprint == campaign.recipe.fingerprint
        and receipt.input == digest(captions)
    )
