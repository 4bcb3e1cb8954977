"""What is stale: made from something that is there no more, told by digests in receipts alone.

    archive ─► captions ─► curated ─► dedup ─► validation ─► release
                               ├────► validation of the shard ─┘
                               └─► audit ─┘

Each receipt holds a digest of those it was made from. The first one that does not fit is stale, and
so is everything behind it, until it is done again. Status, the release's check, the stages and
export all ask here, and of what is made of all shards together in `release_freshness`; nothing is
read but receipts. What version 0.1.0 stored is judged by the digests it has.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.freshness.audits import Audits, read_audits
from sa1b_captions.freshness.causes import why_other_captions, why_other_rules, why_validation_stale
from sa1b_captions.freshness.stale import Output, Stale
from sa1b_captions.receipts import (
    AuditReceipt,
    CaptionReceipt,
    CurateReceipt,
    IngestReceipt,
    ShardValidation,
)
from sa1b_captions.receipts.findings import Verdict
from sa1b_captions.receipts.receipt_files import (
    Place,
    R,
    caption_place,
    curate_place,
    digest,
    ingest_place,
    read_receipt,
    shard_validation_place,
)
from sa1b_captions.recipe import TRACKS

READERS = 32
"""Receipts read at once: thousands of them from S3 one by one take minutes."""


@dataclass(frozen=True, slots=True)
class TrackState:
    """One track of a shard: the receipts there are, and which of them are stale."""

    captions: CaptionReceipt | None
    curated: CurateReceipt | None
    stale: tuple[Stale, ...] = ()
    """The first cause first."""

    @property
    def fresh_curated(self) -> CurateReceipt | None:
        """Receipt of the curated captions, if nothing they were made from has changed."""
        return None if self.stale else self.curated

    @property
    def step(self) -> str:
        """Last step done that is not stale: empty, `captioned` or `curated`."""
        if self.fresh_curated is not None:
            return "curated"
        captioned = self.captions is not None and not any(one.is_captions for one in self.stale)
        return "captioned" if captioned else ""


@dataclass(frozen=True, slots=True)
class ShardState:
    """A shard: the receipts there are, and which of them are stale."""

    shard: str
    ingest: IngestReceipt | None
    tracks: Mapping[str, TrackState]
    validation: ShardValidation | None
    stale_validation: tuple[Stale, ...] = ()
    audits: Audits | None = None
    """None where the recipe asks for none."""
    stale: tuple[Stale, ...] = field(init=False)
    """All that is stale of it, the first cause first."""

    def __post_init__(self) -> None:
        """Gather what is stale."""
        found = [one for track in self.tracks.values() for one in track.stale]
        audits = self.audits.stale if self.audits else ()
        object.__setattr__(self, "stale", (*found, *audits, *self.stale_validation))

    @property
    def done(self) -> bool:
        """Whether all tracks are curated by the present rules, these audited and validated."""
        curated = all(track.fresh_curated for track in self.tracks.values())
        audited = self.audits is None or self.audits.whole
        return curated and audited and self.validation is not None and not self.stale

    def may_be_released(self, tracks: Collection[str]) -> bool:
        """Whether it is curated in these tracks, validated so, and did not fail in them."""
        return (
            all(self.tracks[track].fresh_curated for track in tracks)
            and self.validation is not None
            and not self.stale_validation
            and self.validation.verdict_in(tracks) is not Verdict.FAIL
        )


def receipt_keys(campaign: Campaign, shard: str) -> list[str]:
    """Keys of all receipts that `read_shard` reads, in an order that is the same for every shard.

    Args:
        campaign: its recipe may ask for an audit.
    """
    name = campaign.name
    audited = TRACKS if campaign.recipe.audit is not None else ()
    return [
        layout.ingest_receipt_key(shard),
        *(layout.caption_receipt_key(name, track, shard) for track in TRACKS),
        *(layout.curate_receipt_key(name, track, shard) for track in TRACKS),
        *(layout.audit_receipt_key(name, track, shard) for track in audited),
        layout.shard_validation_key(name, shard),
    ]


def read_shard(
    campaign: Campaign, shard: str, may_exist: Callable[[str], bool] = lambda key: True
) -> ShardState:
    """Read how a shard stands.

    Args:
        may_exist: False for keys that need not be asked for, as a listing lacks them.

    Raises PermanentError: a receipt is damaged.
    """

    def read(place: Place[R]) -> R | None:
        return read_receipt(campaign.store, place) if may_exist(place.key) else None

    ingest = read(ingest_place(shard))
    tracks = {
        track: judge_track(
            campaign,
            ingest,
            read(caption_place(campaign.name, track, shard)),
            read(curate_place(campaign.name, track, shard)),
            f"{track}/{shard}",
        )
        for track in TRACKS
    }
    place = shard_validation_place(campaign.name, shard)
    validation = read(place)
    present = {t: one.fresh_curated for t, one in tracks.items() if one.fresh_curated is not None}
    stale: tuple[Stale, ...] = ()
    found = [one for track in tracks.values() for one in track.stale]
    asked = campaign.recipe.audit is not None
    audits = read_audits(campaign, shard, present, found, may_exist) if asked else None
    version = curated_version(present, audits.fresh if audits else None)
    if validation is not None and validation.input != version:
        behind = [*found, *(audits.stale if audits else ())]
        why = why_validation_stale(validation, present, behind, audits.fresh if audits else None)
        stale = (Stale(Output.VALIDATION, shard, why, place.command),)
    return ShardState(shard, ingest, tracks, validation, stale, audits)


def judge_track(
    campaign: Campaign,
    ingest: IngestReceipt | None,
    captions: CaptionReceipt | None,
    curated: CurateReceipt | None,
    where: str,
) -> TrackState:
    """Say what of a track's receipts is stale.

    Args:
        campaign: gives the present rules.
        ingest: of the archive; None once it is dropped, and captions stand without it.
        where: track and shard, for messages.
    """
    track, shard = where.split("/")
    stale = []
    if captions and ingest and captions.fits(ingest, digest(ingest)) is False:
        command = f"{caption_place(campaign.name, track, shard).command} --force"
        why = "the archive was ingested again with other images"
        stale.append(Stale(Output.CAPTIONS, where, why, command))
    if curated is not None:
        why = ""
        if stale:
            why = "the captions they were made from are stale"
        elif curated.input != captions_version(captions):
            why = why_other_captions(curated, captions)
        elif curated.quality_fingerprint != campaign.quality_fingerprint:
            why = why_other_rules(campaign, curated)
        if why:
            place = curate_place if captions else caption_place  # curating gone captions is refused
            command = place(campaign.name, track, shard).command
            stale.append(Stale(Output.CURATED, where, why, command))
    return TrackState(captions, curated, tuple(stale))


def captions_version(captions: CaptionReceipt | None) -> str:
    """Digest of the captions that count; those that are restored have theirs of before."""
    if captions is not None and captions.same_as is not None:
        return captions.same_as
    return digest(captions)


def why_not_curated(state: TrackState) -> str:
    """Why a track has no curated captions that count."""
    if state.stale:
        return state.stale[0].why
    return "not captioned yet" if state.captions is None else "not curated yet"


def curated_version(
    receipts: Mapping[str, CurateReceipt], audits: Mapping[str, AuditReceipt] | None = None
) -> str:
    """Digest of a shard's curate receipts and audits by track; what was made of others is stale."""
    asked = [audits[track] for track in TRACKS if track in audits] if audits else []
    return digest(*(receipts.get(track) for track in TRACKS), *asked)


def read_tracks(campaign: Campaign, track: str, shards: Sequence[str]) -> list[TrackState]:
    """How one track of some shards stands, in their order.

    Raises PermanentError: a receipt is damaged.
    """

    def read(shard: str) -> TrackState:
        store, name = campaign.store, campaign.name
        return judge_track(
            campaign,
            read_receipt(store, ingest_place(shard)),
            read_receipt(store, caption_place(name, track, shard)),
            read_receipt(store, curate_place(name, track, shard)),
            f"{track}/{shard}",
        )

    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(read, shards))
