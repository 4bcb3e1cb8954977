"""Which tracks and shards a release is made of.

`dedup`, `validate --release` and `export` ask here, each for itself; what they find is the same as
long as nothing is captioned, curated or validated between them, and if it is not, they say so.
"""

import logging
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.findings import Verdict
from sa1b_captions.freshness import READERS, ShardState, read_shard
from sa1b_captions.recipe import TRACKS, Track
from sa1b_captions.shards import format_selection

_log = logging.getLogger(__name__)


def select(
    campaign: Campaign, tracks: Collection[str] = TRACKS, *, allow_partial: bool = False
) -> Campaign:
    """The campaign as a release sees it.

    Args:
        campaign: with the whole recipe.
        tracks: to release.
        allow_partial: leave out shards that are not curated in all of these, or whose validation
            is missing, outdated or failed. A target that the others do not reach is dropped.

    Raises:
        PermanentError: no shard is left.
        RetryableError: the store failed.
    """
    campaign = replace(campaign, tracks=tuple(track for track in TRACKS if track in tracks))
    if not allow_partial:
        return campaign
    recipe = campaign.recipe
    with ThreadPoolExecutor(READERS) as pool:
        states = list(pool.map(partial(read_shard, campaign), recipe.shards))
    fit = [state for state in states if _is_fit(state, campaign.tracks)]
    shards = tuple(state.shard for state in fit)
    if not shards:
        raise PermanentError(
            f"no shard is curated and validated in all of {', '.join(campaign.tracks)}; "
            "sa1b-captions status shows what is done"
        )
    missing = tuple(shard for shard in recipe.shards if shard not in set(shards))
    if missing:
        _log.warning("leaving out %d shards: %s", len(missing), format_selection(missing))
    accepted = {
        track: sum(one.accepted for state in fit if (one := state.tracks[track].curated))
        for track in campaign.tracks
    }
    kept = {
        name: _within_reach(track, accepted.get(name, 0)) for name, track in recipe.tracks.items()
    }
    return replace(campaign, recipe=replace(recipe, shards=shards, tracks=kept), missing=missing)


def _is_fit(state: ShardState, tracks: Collection[str]) -> bool:
    return (
        all(state.tracks[track].fresh_curated for track in tracks)
        and state.validation is not None
        and not state.stale_validation
        and state.validation.verdict is not Verdict.FAIL
    )


def _within_reach(track: Track, accepted: int) -> Track:
    """The track without a target that so few captions cannot reach."""
    if track.target is None or accepted >= track.target:
        return track
    return replace(track, target=None, trim=False)
