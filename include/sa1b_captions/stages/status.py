"""How far every shard of a campaign is, and the one definition of what is done.

A shard is done when all its tracks are captioned, these captions are curated by the rules of the
recipe as it is now, and this is what was validated. Receipts say so; a listing alone never does.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from sa1b_captions import freshness, layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.freshness import READERS, ShardState
from sa1b_captions.recipe import TRACKS
from sa1b_captions.shards import shard_number

_STEPS = ("", "captioned", "curated")
_DETAILED = 50


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """How far one shard is; what is stale is not done."""

    shard: str
    ingested: bool
    tracks: dict[str, str]
    """For each track the last step done: empty, `captioned` or `curated`, by the present rules."""
    verdict: str
    """`pass`, `warn` or `fail`; empty before the shard is validated as it is."""
    outdated: bool = False
    """Whether the last validation is of other captions or other rules than the present ones."""
    stale: tuple[str, ...] = ()
    """Sentences on what is stale of it, the first cause first."""

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
        return "; ".join([", ".join([f"{self.shard}: {self.state}", *steps]), *self.stale[:1]])


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

    Lists the folders with few keys, and reads only receipts that can be there: the caption parts
    of a finished campaign are a hundred thousand keys.
    """
    shards = campaign.recipe.shards
    prefixes = [layout.shards_prefix(), layout.shard_validations_prefix(campaign.name)]
    prefixes += [layout.curated_prefix(campaign.name, track) for track in TRACKS]
    if campaign.recipe.audit is not None:
        prefixes += [layout.audit_prefix(campaign.name, track) for track in TRACKS]
    with ThreadPoolExecutor(READERS) as pool:
        keys = set(chain.from_iterable(pool.map(lambda p: _receipts(campaign, p), prefixes)))
        # Folders of captions are not listed; a shard that has neither archive nor captions that
        # are curated has none.
        keys |= {
            layout.caption_receipt_key(campaign.name, track, shard)
            for shard in shards
            for track in TRACKS
            if layout.ingest_receipt_key(shard) in keys
            or layout.curate_receipt_key(campaign.name, track, shard) in keys
        }
        states = pool.map(
            lambda shard: freshness.read_shard(campaign, shard, keys.__contains__), shards
        )
        return CampaignStatus([_status(state) for state in states])


def _receipts(campaign: Campaign, prefix: str) -> list[str]:
    return [key for key in campaign.store.list(prefix) if key.endswith(".json")]


def _status(state: ShardState) -> ShardStatus:
    present = None if state.stale_validation else state.validation
    return ShardStatus(
        shard=state.shard,
        ingested=state.ingest is not None,
        tracks={track: found.step for track, found in state.tracks.items()},
        verdict="" if present is None else present.verdict.value,
        outdated=bool(state.stale_validation),
        stale=tuple(map(str, state.stale)),
    )


def read_shard(campaign: Campaign, shard: str) -> ShardStatus:
    """Read how far one shard is."""
    return _status(freshness.read_shard(campaign, shard))


def is_done(campaign: Campaign, shard: str) -> bool:
    """Whether a shard is curated in all tracks by the present rules, and validated so.

    A recipe with an audit also wants one of every track.
    """
    state = freshness.read_shard(campaign, shard)
    return _status(state).done and (state.audits is None or state.audits.whole)
