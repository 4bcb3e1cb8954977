"""How far every shard of a campaign is, read from receipts with few calls to the store."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, compress

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.quality.curated import read_curate_receipts
from sa1b_captions.receipt_files import (
    caption_place,
    digest,
    read_receipt,
    shard_validation_place,
)
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
    """For each track the last step done: empty, `captioned` or `curated`."""
    verdict: str
    """`pass`, `warn` or `fail`; empty before the shard is validated."""

    @property
    def done(self) -> bool:
        """Whether every track is curated and the shard is validated."""
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
        return ", ".join([f"{self.shard}: {self.state}", *steps])


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

    Lists the folders with few keys, and asks one by one only for what is in flight: the caption
    parts of a finished campaign are a hundred thousand keys.
    """
    shards = campaign.recipe.shards
    prefixes = [layout.shards_prefix(), layout.shard_validations_prefix(campaign.name)]
    prefixes += [layout.curated_prefix(campaign.name, track) for track in TRACKS]
    with ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
        keys = set(chain.from_iterable(pool.map(lambda p: _receipts(campaign, p), prefixes)))
        in_flight = [
            layout.caption_receipt_key(campaign.name, track, shard)
            for shard in shards
            if layout.ingest_receipt_key(shard) in keys
            for track in TRACKS
            if layout.curate_receipt_key(campaign.name, track, shard) not in keys
        ]
        keys |= set(compress(in_flight, pool.map(campaign.store.exists, in_flight)))
        validated = [
            shard for shard in shards if layout.shard_validation_key(campaign.name, shard) in keys
        ]
        verdicts = pool.map(lambda shard: (shard, _verdict(campaign, shard)), validated)
        return _status(campaign, keys, dict(verdicts))


def _status(campaign: Campaign, keys: set[str], verdicts: dict[str, str]) -> CampaignStatus:
    return CampaignStatus(
        [
            ShardStatus(
                shard=shard,
                ingested=layout.ingest_receipt_key(shard) in keys,
                tracks={track: _step(campaign, track, shard, keys) for track in TRACKS},
                verdict=verdicts.get(shard, ""),
            )
            for shard in campaign.recipe.shards
        ]
    )


def _receipts(campaign: Campaign, prefix: str) -> list[str]:
    return [key for key in campaign.store.list(prefix) if key.endswith(".json")]


def _verdict(campaign: Campaign, shard: str) -> str:
    validation = read_receipt(campaign.store, shard_validation_place(campaign.name, shard))
    return "" if validation is None else validation.verdict.value  # None: being written anew


def _step(campaign: Campaign, track: str, shard: str, keys: set[str]) -> str:
    if layout.curate_receipt_key(campaign.name, track, shard) in keys:
        return "curated"
    return "captioned" if layout.caption_receipt_key(campaign.name, track, shard) in keys else ""


def is_done(campaign: Campaign, shard: str) -> bool:
    """Whether a shard is validated, and its present captions are curated by the present rules."""
    if read_receipt(campaign.store, shard_validation_place(campaign.name, shard)) is None:
        return False
    return all(_is_curated(campaign, track, shard) for track in TRACKS)


def _is_curated(campaign: Campaign, track: str, shard: str) -> bool:
    (curated,) = read_curate_receipts(campaign, track, [shard])
    captions = read_receipt(campaign.store, caption_place(campaign.name, track, shard))
    if curated is None or captions is None:
        return False
    return curated.input == digest(captions)
