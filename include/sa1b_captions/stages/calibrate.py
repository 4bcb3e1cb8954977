"""Calibrate: what chosen shards' captions look like, and which limits they propose.

Looks only, unless told to pin: then the reference it computed decides, from the next curate and
validate on, which lengths are outliers and which shards stray.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import polars as pl

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.shard_freshness import read_tracks, why_not_curated
from sa1b_captions.outputs import read_curated
from sa1b_captions.quality.browse.limits.limit_changes import OFF, Change
from sa1b_captions.quality.browse.limits.what_if import Outcome, concerns, try_change
from sa1b_captions.quality.curated import READERS, how_to_curate, read_all_metrics
from sa1b_captions.quality.health.reference import (
    Reference,
    TrackReference,
    build_reference,
    pin_reference,
    why_not_pin,
)
from sa1b_captions.quality.thresholds import LimitTrials, try_limits
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.records import CaptionStatus
from sa1b_captions.shards import format_selection
from sa1b_captions.stages.auditing.audit_findings import find_in_chosen


@dataclass(frozen=True, slots=True)
class TrackCalibration:
    """One track over the chosen shards."""

    track: str
    captions: int
    reference: TrackReference
    limits: list[LimitTrials]
    examples: dict[str, str]
    """Captions that `limits` names by sample_id."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the chosen shards say."""

    reference: Reference
    pinned: bool
    """Whether this reference was written just now."""
    unfit: str | None
    """Why it cannot be pinned; None if it can."""
    tracks: list[TrackCalibration]

    def summary(self) -> dict[str, object]:
        """All that was found: everything but captions and the reference's tables."""
        return {
            "stage": "calibrate",
            "shards": self.reference.shards,
            "digest": self.reference.digest,
            "pinned": self.pinned,
            "tracks": {
                found.track: {
                    "captions": found.captions,
                    "limits": [
                        {
                            "rule": one.rule,
                            "limit": one.limit,
                            "knee": asdict(one.knee) if one.knee else None,
                            "trials": [asdict(trial) for trial in one.trials],
                        }
                        for one in found.limits
                    ],
                }
                for found in self.tracks
            },
        }


def calibrate(
    campaign: Campaign,
    shards: Sequence[str],
    *,
    tracks: Iterable[str] = TRACKS,
    pin: bool = False,
    replace: bool = False,
) -> Calibration:
    """Compute a reference from curated shards and try the rules' limits on their captions.

    Args:
        shards: those to take for the reference; someone should have read their reports.
        tracks: tracks to cover; the others are left without a reference.
        replace: although another one is pinned.

    Raises PermanentError: a shard is not curated by the present rules; captions of several models,
    or all of one length. With `pin` also: too few captions, or captions of a stand-in; another
    reference is pinned.
    """
    wanted = [track for track in TRACKS if track in set(tracks)]
    curated = {track: _require_curated(campaign, track, shards) for track in wanted}
    metrics = {track: read_all_metrics(campaign, curated[track]) for track in wanted}
    audited = find_in_chosen(campaign, shards, curated)
    reference = build_reference(campaign, shards, metrics, audited)
    found = [
        _try_track(campaign, track, curated[track], reference.tracks[track]) for track in wanted
    ]
    pinned = pin and pin_reference(campaign, reference, replace=replace)
    return Calibration(reference, pinned, why_not_pin(campaign, reference), found)


def try_limit(
    campaign: Campaign, shards: Sequence[str], change: Change, *, tracks: Iterable[str] = TRACKS
) -> tuple[list[Outcome], list[tuple[str, str, str]]]:
    """What becomes of curated shards by one change, and captions at both sides of the line.

    Returns:
        Outcomes by shard and track; and side, sample_id and text of some captions.

    Raises PermanentError: a shard is not curated by the present rules, or the change cannot be.
    """
    wanted = [t for t in TRACKS if t in set(tracks) and concerns(campaign, change, t)]
    receipts = [one for track in wanted for one in _require_curated(campaign, track, shards)]
    outcomes, sides = try_change(campaign, receipts, change)
    beyond = "would be let in:" if change.name == OFF else "just dropped:"
    examples = []
    for track, near in sides.items():
        texts = _read_captions(campaign, track, {*near.inside, *near.outside})
        for where, samples in (("just kept:", near.inside), (beyond, near.outside)):
            examples += [(where, sample, texts.get(sample, "")) for sample in samples]
    return outcomes, examples


def _require_curated(campaign: Campaign, track: str, shards: Sequence[str]) -> list[CurateReceipt]:
    states = read_tracks(campaign, track, shards)
    missing = {
        shard: found
        for shard, found in zip(shards, states, strict=True)
        if found.fresh_curated is None
    }
    if missing:
        first, state = next(iter(missing.items()))
        raise PermanentError(
            f"{track}: shard {format_selection(missing)} must be curated first ({first}: "
            f"{why_not_curated(state)}); choose others, or {how_to_curate(track, missing)}"
        )
    return [found.fresh_curated for found in states if found.fresh_curated is not None]


def _try_track(
    campaign: Campaign, track: str, curated: Sequence[CurateReceipt], reference: TrackReference
) -> TrackCalibration:
    limits = campaign.recipe.quality.languages[campaign.recipe.tracks[track].language]

    def read_features(receipt: CurateReceipt) -> pl.DataFrame:
        return pl.DataFrame(read_curated(campaign, receipt, "features.parquet")).filter(
            pl.col("status") == CaptionStatus.OK.value
        )

    with ThreadPoolExecutor(READERS) as pool:
        frame = pl.concat(list(pool.map(read_features, curated)))
    tried = try_limits(frame, limits, reference)
    named = {sample for one in tried for sample in (*one.rejected, *one.at_stake)}
    return TrackCalibration(
        track, frame.height, reference, tried, _read_captions(campaign, track, named)
    )


def _read_captions(campaign: Campaign, track: str, samples: set[str]) -> dict[str, str]:
    captions: dict[str, str] = {}
    for shard in sorted({sample.split("/")[1] for sample in samples}):
        for name in ("accepted", "rejected"):
            key = layout.curated_key(campaign.name, track, shard, f"{name}.parquet")
            rows = pl.DataFrame(records.read_table(campaign.store, key, ["sample_id", "caption"]))
            few = rows.filter(pl.col("sample_id").is_in(sorted(samples)))
            captions.update(few.iter_rows())
    return captions
