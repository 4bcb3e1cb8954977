"""How far every shard of a campaign is, and the one definition of what is done.

A shard is done when all its tracks are captioned, these captions are curated by the rules of the
recipe as it is now, and this is what was validated. Receipts say so; a listing alone never does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.freshness import release_freshness
from sa1b_captions.freshness import shard_freshness as freshness
from sa1b_captions.freshness.shard_freshness import ShardState
from sa1b_captions.observing import telemetry
from sa1b_captions.outputs import METRICS
from sa1b_captions.quality.projection import Projection, project
from sa1b_captions.receipts.receipt_files import digest
from sa1b_captions.recipe import TRACKS
from sa1b_captions.shards import shard_number
from sa1b_captions.stages.status.campaign_summary import RELEASE, Stamps, look_up, read_kept
from sa1b_captions.stages.status.shard_figures import TrackFigures, read_figures

_STEPS = ("", "captioned", "curated")
_DETAILED = 50


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """How far one shard is; what is stale is not done. The campaign's summary keeps it."""

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
    accepted: dict[str, int] = field(default_factory=dict)
    """Captions of each track that is curated by the present rules."""
    metrics: dict[str, str] = field(default_factory=dict)
    """`records.content_digest` of the `metrics.json` of these tracks, where a receipt names it."""
    figures: dict[str, TrackFigures] = field(default_factory=dict)
    """Of the tracks that are captioned."""

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


def read_status(campaign: Campaign, shards: Sequence[str] | None = None) -> CampaignStatus:
    """Read it from receipts, or from the summary where it fits them.

    Args:
        shards: those to look at, in ascending order; by default the recipe's.

    Raises PermanentError: a receipt is damaged.
    """
    shards = campaign.recipe.shards if shards is None else shards
    stamps = Stamps(campaign, shards)
    found = look_up(
        campaign,
        ShardStatus,
        {shard: stamps.mark([shard]) for shard in shards},
        lambda shard: _with_figures(
            campaign, freshness.read_shard(campaign, shard, stamps.__contains__)
        ),
    )
    return CampaignStatus(list(found.values()))


def glance(campaign: Campaign) -> CampaignStatus | None:
    """How the recipe's shards stood when the summary was written: one object is read.

    None where it does not tell of all of them.
    """
    found = read_kept(campaign, ShardStatus, campaign.recipe.shards)
    return None if found is None else CampaignStatus(found)


def project_tracks(campaign: Campaign, status: CampaignStatus) -> list[Projection]:
    """Projections of the tracks that have a curated shard."""
    shards = status.shards
    return [
        found
        for track in campaign.recipe.tracks.values()
        if (found := project(track, _accepted(shards, track.name), len(shards))) is not None
    ]


def _accepted(shards: Sequence[ShardStatus], track: str) -> list[int]:
    return [shard.accepted[track] for shard in shards if track in shard.accepted]


def _with_figures(campaign: Campaign, state: ShardState) -> ShardStatus:
    return replace(_status(state), figures=read_figures(campaign, state))


def _status(state: ShardState) -> ShardStatus:
    present = None if state.stale_validation else state.validation
    tracks = state.tracks.items()
    curated = {track: one for track, found in tracks if (one := found.fresh_curated) is not None}
    return ShardStatus(
        shard=state.shard,
        ingested=state.ingest is not None,
        tracks={track: found.step for track, found in tracks},
        verdict="" if present is None else present.verdict.value,
        outdated=bool(state.stale_validation),
        stale=tuple(map(str, state.stale)),
        accepted={track: one.accepted for track, one in curated.items()},
        metrics={
            track: one.files[METRICS] for track, one in curated.items() if METRICS in one.files
        },
    )


def read_shard(campaign: Campaign, shard: str) -> ShardStatus:
    """Read how far one shard is, from its receipts."""
    return _with_figures(campaign, freshness.read_shard(campaign, shard))


def is_done(campaign: Campaign, shard: str) -> bool:
    """Whether a shard is curated in all tracks by the present rules, and validated so.

    A recipe with an audit also wants one of every track.
    """
    state = freshness.read_shard(campaign, shard)
    return _status(state).done and (state.audits is None or state.audits.whole)


@dataclass(frozen=True, slots=True)
class _ReleaseStatus:
    why_stale: str


def why_release_stale(campaign: Campaign) -> str:
    """Why the present validation of the release is stale, or empty; from the summary if it fits.

    Raises as `read_status` does.
    """
    shards = campaign.recipe.shards
    keys = [layout.dedup_receipt_key(campaign.name, track) for track in TRACKS]
    keys.append(layout.release_validation_key(campaign.name))
    mark = Stamps(campaign, shards, keys).mark(shards, *keys)
    # What the recipe asks for is part of what the verdict is made of.
    marks = {RELEASE: f"{mark} {digest({'recipe': campaign.recipe.source})}"}
    found = look_up(
        campaign,
        _ReleaseStatus,
        marks,
        lambda _: _ReleaseStatus(release_freshness.why_release_stale(campaign)),
    )
    return found[RELEASE].why_stale


def send_projections(campaign: Campaign) -> None:
    """Send what each track will have, if metrics are wanted; reads the campaign's status.

    Raises as `read_status` does.
    """
    if not telemetry.is_on():
        return
    for one in project_tracks(campaign, read_status(campaign)):
        values = {
            telemetry.PROJECTED: one.rows,
            telemetry.PROJECTED_HIGH: one.high,
            telemetry.TARGET: one.target,
        }
        telemetry.send(
            *(
                telemetry.of(metric, value, track=one.track)
                for metric, value in values.items()
                if value is not None
            )
        )
