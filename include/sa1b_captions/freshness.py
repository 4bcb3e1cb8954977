"""What is stale: made from something that is there no more, told by digests in receipts alone.

    archive ─► captions ─► curated ─► dedup ─► validation ─► release
                               └────► validation of the shard ─┘

Each receipt holds a digest of those it was made from. The first one that does not fit is stale, and
so is everything behind it, until it is done again. Status, the release's check, the stages and
export all ask here; nothing is read but receipts. What version 0.1.0 stored is judged by the
digests it has.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from sa1b_captions.campaign import Campaign
from sa1b_captions.receipt_files import (
    Place,
    R,
    caption_place,
    curate_place,
    dedup_place,
    digest,
    ingest_place,
    read_receipt,
    release_validation_place,
    shard_validation_place,
)
from sa1b_captions.receipts import (
    CaptionReceipt,
    CurateReceipt,
    DedupReceipt,
    IngestReceipt,
    ReleaseValidation,
    ShardValidation,
)
from sa1b_captions.recipe import TRACKS

READERS = 32
"""Receipts read at once: thousands of them from S3 one by one take minutes."""


@dataclass(frozen=True, slots=True)
class Stale:
    """One output that does not fit what it is made from."""

    what: str
    """Such as `captions of single_en/sa_000017`."""
    why: str
    """Such as `the archive was ingested again with other images`."""
    command: str
    """What makes it anew."""

    @property
    def is_captions(self) -> bool:
        """Whether it is captions, which cost a GPU's hours to make anew."""
        return self.what.startswith("captions of ")

    def __str__(self) -> str:
        """All of it in a sentence without its full stop."""
        return f"{self.what} are stale: {self.why}; run {self.command}"


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
    stale: tuple[Stale, ...] = field(init=False)
    """All that is stale of it, the first cause first."""

    def __post_init__(self) -> None:
        """Gather what is stale."""
        found = [one for track in self.tracks.values() for one in track.stale]
        object.__setattr__(self, "stale", (*found, *self.stale_validation))

    @property
    def done(self) -> bool:
        """Whether all tracks are curated by the present rules, and these are validated."""
        curated = all(track.fresh_curated for track in self.tracks.values())
        return curated and self.validation is not None and not self.stale


def read_shard(
    campaign: Campaign, shard: str, may_exist: Callable[[str], bool] = lambda key: True
) -> ShardState:
    """Read how a shard stands.

    Args:
        campaign: recipe, store and name.
        shard: its name.
        may_exist: False for keys that need not be asked for, as a listing lacks them.

    Raises:
        PermanentError: a receipt is damaged.
        RetryableError: the store failed.
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
    if validation is not None and validation.input != curated_version(present):
        why = "captions were curated since it was made, or are stale"
        stale = (Stale(f"results of the validation of {shard}", why, place.command),)
    return ShardState(shard, ingest, tracks, validation, stale)


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
        captions: of the track.
        curated: of the track.
        where: track and shard, for messages.
    """
    track, shard = where.split("/")
    stale = []
    if captions and ingest and captions.fits(ingest, digest(ingest)) is False:
        command = f"{caption_place(campaign.name, track, shard).command} --force"
        why = "the archive was ingested again with other images"
        stale.append(Stale(f"captions of {where}", why, command))
    if curated is not None:
        why = ""
        if stale:
            why = "the captions they were made from are stale"
        elif curated.input != digest(captions):
            why = _why_others(captions)
        elif curated.quality_fingerprint != campaign.quality_fingerprint:
            why = "the recipe's rules have changed since"
        if why:
            command = curate_place(campaign.name, track, shard).command
            stale.append(Stale(f"curated captions of {where}", why, command))
    return TrackState(captions, curated, tuple(stale))


def _why_others(captions: CaptionReceipt | None) -> str:
    """Why what was curated is not of the captions that count."""
    if captions is None:
        return "the captions they were made from are gone"
    if captions.restored_from is not None:
        return "earlier captions of the track were restored since"
    return "the track was captioned again since"


def curated_version(receipts: Mapping[str, CurateReceipt]) -> str:
    """Digest of a shard's curate receipts by track; what was made of others is stale."""
    return digest(*(receipts.get(track) for track in TRACKS))


def read_tracks(campaign: Campaign, track: str, shards: Sequence[str]) -> list[TrackState]:
    """How one track of some shards stands, in their order.

    Raises:
        PermanentError: a receipt is damaged.
        RetryableError: the store failed.
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


def read_shard_validations(campaign: Campaign) -> list[ShardValidation | None]:
    """Validations of the recipe's shards, in its order. Raises as `read_tracks` does."""

    def read(shard: str) -> ShardValidation | None:
        return read_receipt(campaign.store, shard_validation_place(campaign.name, shard))

    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(read, campaign.recipe.shards))


def release_validation_input(
    campaign: Campaign,
    curated: Mapping[str, Sequence[CurateReceipt]],
    dedups: Mapping[str, DedupReceipt],
    shard_results: Sequence[ShardValidation | None],
) -> str:
    """Digest of what a validation of the release sees.

    Args:
        campaign: what its recipe asks for is part of what a verdict is made of.
        curated: by track, in the order of TRACKS, then in the shards' order.
        dedups: by track.
        shard_results: in the shards' order.
    """
    chain = (receipt for track in curated for receipt in (*curated[track], dedups[track]))
    tracks = campaign.recipe.tracks.items()
    targets = {name: track.target for name, track in tracks if track.target is not None}
    return digest(*chain, *shard_results, *([targets] if targets else []))


def read_stale(campaign: Campaign) -> list[Stale]:
    """Everything of a campaign that is stale, the first cause first; releases are not looked at.

    Raises:
        PermanentError: a receipt is damaged.
        RetryableError: the store failed.
    """
    with ThreadPoolExecutor(READERS) as pool:
        shards = list(pool.map(partial(read_shard, campaign), campaign.recipe.shards))
    stale = [one for shard in shards for one in shard.stale]
    return stale + list(_stale_of_release(campaign, shards))


def is_release_validation_stale(campaign: Campaign) -> bool:
    """Whether the present validation of the release is stale. Raises as `read_stale` does."""
    command = release_validation_place(campaign.name).command
    return any(one.command == command for one in read_stale(campaign))


def _stale_of_release(campaign: Campaign, shards: Sequence[ShardState]) -> Iterator[Stale]:
    curated = {track: [shard.tracks[track].fresh_curated for shard in shards] for track in TRACKS}
    whole = True
    dedups: dict[str, DedupReceipt] = {}
    for track in TRACKS:
        place = dedup_place(campaign.name, track)
        found = read_receipt(campaign.store, place)
        receipts = [one for one in curated[track] if one is not None]
        fits = len(receipts) == len(shards) and (found is None or found.input == digest(*receipts))
        if found is not None and not fits:
            why = "captions were curated since, or are stale"
            yield Stale(f"results of the dedup of {track}", why, place.command)
        whole = whole and fits and found is not None
        if found is not None:
            dedups[track] = found
    place_of_all = release_validation_place(campaign.name)
    validation: ReleaseValidation | None = read_receipt(campaign.store, place_of_all)
    if validation is None:
        return
    if whole:
        present = {track: [one for one in curated[track] if one] for track in TRACKS}
        version = release_validation_input(
            campaign, present, dedups, [shard.validation for shard in shards]
        )
        if validation.input == version and not any(shard.stale for shard in shards):
            return
    why = "captions were deduplicated, or shards validated, since it was made, or are stale"
    yield Stale("results of the validation of the release", why, place_of_all.command)
