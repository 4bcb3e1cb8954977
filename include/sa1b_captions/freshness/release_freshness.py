"""What is stale of all that is made of a campaign's shards together, and why.

A release may leave shards out. It is judged by those it has: what it left out does not make it
stale until it could be part of it. `dedup`, `validate --release` and `export` each ask for
themselves which these are; what they find is the same as long as nothing is captioned, curated or
validated between them, and if it is not, they say so.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.shard_freshness import READERS, ShardState, read_shard
from sa1b_captions.freshness.stale import Output, Stale
from sa1b_captions.plurals import counted
from sa1b_captions.receipts import (
    CurateReceipt,
    DedupReceipt,
    ReleaseValidation,
    ShardValidation,
)
from sa1b_captions.receipts.receipt_files import (
    dedup_place,
    digest,
    read_receipt,
    release_validation_place,
)
from sa1b_captions.recipe import TRACKS, Track
from sa1b_captions.shards import format_selection, parse_selection

_log = logging.getLogger(__name__)

RELEASE = "the release"


def read_shards(campaign: Campaign) -> list[ShardState]:
    """How the recipe's shards stand, in its order. Raises PermanentError: a receipt is damaged."""
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(partial(read_shard, campaign), campaign.recipe.shards))


def without_missing(campaign: Campaign, states: Sequence[ShardState]) -> Campaign:
    """The campaign less the shards that cannot be released in its tracks.

    A target that the others do not reach is dropped.

    Args:
        campaign: with the whole recipe.
        states: of all its shards.

    Raises PermanentError: no shard is left.
    """
    recipe = campaign.recipe
    fit = [state for state in states if state.may_be_released(campaign.tracks)]
    shards = tuple(state.shard for state in fit)
    if not shards:
        raise PermanentError(
            f"no shard is curated and validated in all of {', '.join(campaign.tracks)}, or none "
            "without failing; sa1b-captions status shows what is done"
        )
    accepted = {
        track: sum(one.accepted for state in fit if (one := state.tracks[track].curated))
        for track in campaign.tracks
    }
    kept = {
        name: _within_reach(track, accepted.get(name, 0)) for name, track in recipe.tracks.items()
    }
    missing = tuple(shard for shard in recipe.shards if shard not in set(shards))
    return replace(campaign, recipe=replace(recipe, shards=shards, tracks=kept), missing=missing)


def _within_reach(track: Track, accepted: int) -> Track:
    """The track without a target that so few captions cannot reach."""
    if track.target is None or accepted >= track.target:
        return track
    return replace(track, target=None, trim=False)


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


def why_stale(
    campaign: Campaign,
    validation: ReleaseValidation,
    curated: Mapping[str, Sequence[CurateReceipt]],
    dedups: Mapping[str, DedupReceipt],
    shard_results: Sequence[ShardValidation | None],
) -> str:
    """Why a validation is not of what would be released; empty where it is.

    Args:
        campaign: with the shards and tracks that would be released.
        curated: as for `release_validation_input`, as are the others.
        shard_results: in the shards' order.
    """
    if validation.input == release_validation_input(campaign, curated, dedups, shard_results):
        return ""
    if validation.counts and set(validation.counts) != set(curated):
        return f"it is of {', '.join(validation.counts)} and not of {', '.join(curated)}"
    if validation.shards != len(campaign.recipe.shards):
        present = len(campaign.recipe.shards)
        return f"it is of {counted(validation.shards, 'shard')}, and {present:,} can be released"
    if validation.dedups != digest(*dedups.values()):
        return "captions were deduplicated again since it was made"
    if validation.shard_results == digest(*shard_results):
        return "the recipe's targets have changed since"
    results = zip(campaign.recipe.shards, shard_results, strict=True)
    missing = [shard for shard, result in results if result is None]
    if missing and validation.not_validated is None:
        return "it is of other validations of shards than there are"
    for shard in missing:
        if shard not in (validation.not_validated or []):
            return f"{Output.VALIDATION} {shard} are gone"
    return "shards were validated again since it was made"


def why_dedup_stale(receipt: DedupReceipt, curated: Sequence[CurateReceipt]) -> str:
    """Why a track's dedup is not of these curated captions; empty where it is."""
    if receipt.input == digest(*curated):
        return ""
    present = format_selection(one.shard for one in curated)
    if receipt.selection is not None and receipt.selection != present:
        return f"it compared shards {receipt.selection}, and {present} are to be released"
    if receipt.shards != len(curated):
        shards = counted(receipt.shards, "shard")
        return f"it compared {shards}, and {len(curated):,} are to be released"
    return "captions were curated again since"


def read_stale(campaign: Campaign) -> list[Stale]:
    """Everything of a campaign that is stale, the first cause first; releases are not looked at.

    Raises PermanentError: a receipt is damaged.
    """
    states = read_shards(campaign)
    validation = read_receipt(campaign.store, release_validation_place(campaign.name))
    if validation is not None and validation.counts:
        tracks = tuple(track for track in TRACKS if track in validation.counts)
        campaign = replace(campaign, tracks=tracks)
    found = [one for state in states for one in state.stale]
    dedups = _read_dedups(campaign)
    stale_dedups = list(_stale_dedups(campaign, states, dedups))
    found += stale_dedups
    if validation is not None and (
        why := _why_validation_stale(campaign, states, dedups, stale_dedups, validation)
    ):
        place = release_validation_place(campaign.name)
        found.append(Stale(Output.VALIDATION, RELEASE, why, place.command))
    return found


def why_release_stale(campaign: Campaign) -> str:
    """Why the present validation of the release is stale, or empty. Raises as `read_stale` does."""
    return next((one.why for one in read_stale(campaign) if one.of == RELEASE), "")


def _read_dedups(campaign: Campaign) -> dict[str, DedupReceipt]:
    found = {
        track: read_receipt(campaign.store, dedup_place(campaign.name, track)) for track in TRACKS
    }
    return {track: one for track, one in found.items() if one is not None}


def _stale_dedups(
    campaign: Campaign, states: Sequence[ShardState], dedups: Mapping[str, DedupReceipt]
) -> Iterator[Stale]:
    by_shard = {state.shard: state for state in states}
    for track, receipt in dedups.items():
        # A receipt that names no shards is of all of them, or of so many.
        selection = receipt.selection or format_selection(campaign.recipe.shards)
        compared = [by_shard[one] for one in parse_selection(selection) if one in by_shard]
        curated = [one for state in compared if (one := state.tracks[track].fresh_curated)]
        why = _first_stale(compared, track)
        if receipt.shards == len(compared):
            why = why or _first_gone(compared, track)
        why = why or why_dedup_stale(receipt, curated)
        if why:
            place = dedup_place(campaign.name, track)
            yield Stale(Output.DEDUP, track, why, place.command)


def _first_stale(states: Sequence[ShardState], track: str) -> str:
    """What of a track in these shards is stale; empty where nothing is."""
    found = (one for state in states for one in state.tracks[track].stale)
    return next((f"{one.what} are stale" for one in found), "")


def _first_gone(states: Sequence[ShardState], track: str) -> str:
    """What was curated of a track in these shards and is gone; empty where nothing is."""
    gone = (state.shard for state in states if state.tracks[track].curated is None)
    return next((f"{Output.CURATED} {track}/{shard} are gone" for shard in gone), "")


def _why_validation_stale(
    campaign: Campaign,
    states: Sequence[ShardState],
    dedups: Mapping[str, DedupReceipt],
    stale_dedups: Collection[Stale],
    validation: ReleaseValidation,
) -> str:
    if validation.shards != len(campaign.recipe.shards):
        try:
            campaign = without_missing(campaign, states)
        except PermanentError:
            return "none of its shards can be released any more"
    shards = set(campaign.recipe.shards)
    released = [state for state in states if state.shard in shards]
    for track in campaign.tracks:
        if why := _first_stale(released, track) or _first_gone(released, track):
            return why
    behind = [one for state in released for one in state.stale_validation]
    behind += [one for one in stale_dedups if one.of in campaign.tracks]
    if behind:
        return f"{behind[0].what} are stale"
    curated = {
        track: [one for state in released if (one := state.tracks[track].fresh_curated)]
        for track in campaign.tracks
    }
    for track in campaign.tracks:
        if track not in dedups:
            return f"the dedup of {track} is gone"
    return why_stale(
        campaign,
        validation,
        curated,
        {track: dedups[track] for track in campaign.tracks},
        [state.validation for state in released],
    )


def select(
    campaign: Campaign, tracks: Collection[str] = TRACKS, *, allow_partial: bool = False
) -> Campaign:
    """The campaign as a release sees it.

    Args:
        campaign: with the whole recipe.
        allow_partial: leave out shards that are not curated in all of these, or whose validation
            is missing, outdated or failed. A target that the others do not reach is dropped.

    Raises PermanentError: no shard is left.
    """
    campaign = replace(campaign, tracks=tuple(track for track in TRACKS if track in tracks))
    if not allow_partial:
        return campaign
    campaign = without_missing(campaign, read_shards(campaign))
    if campaign.missing:
        count, names = counted(len(campaign.missing), "shard"), format_selection(campaign.missing)
        _log.warning("leaving out %s: %s", count, names)
    return campaign
