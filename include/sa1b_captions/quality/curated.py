"""What the curate and dedup stages left of one track over many shards."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.release_freshness import why_dedup_stale
from sa1b_captions.freshness.shard_freshness import (
    ShardState,
    TrackState,
    read_tracks,
    why_not_curated,
)
from sa1b_captions.outputs import read_metrics
from sa1b_captions.plurals import counted
from sa1b_captions.receipts import CurateReceipt, DedupReceipt
from sa1b_captions.receipts.receipt_files import dedup_place, require_receipt
from sa1b_captions.shards import format_selection

READERS = 16
"""Objects read at once: a thousand small ones from S3 one by one take minutes."""

_SHOWN_CHARS = 200


def require_curated(
    campaign: Campaign, track: str, states: Sequence[ShardState] = ()
) -> list[CurateReceipt]:
    """Curate receipts of all the recipe's shards, in its order.

    Args:
        states: of these shards, where they are known; otherwise the track's receipts are read.

    Raises PermanentError naming the shards that still have to be curated, and what is stale.
    """
    shards = campaign.recipe.shards
    known = [state.tracks[track] for state in states]
    found = known or read_tracks(campaign, track, shards)
    receipts = [state.fresh_curated for state in found if state.fresh_curated is not None]
    if len(receipts) == len(shards):
        return receipts
    stale = [one for state in found for one in state.stale]
    if captions := next((one for one in stale if one.is_captions), None):
        raise PermanentError(f"{captions}, then curate it")
    missing = {
        shard: state
        for shard, state in zip(shards, found, strict=True)
        if state.fresh_curated is None
    }
    reasons: dict[str, list[str]] = {}
    for shard, state in missing.items():
        reasons.setdefault(why_not_curated(state), []).append(shard)
    why = "; ".join(f"{_shortened(names)}: {why}" for why, names in reasons.items())
    raise PermanentError(
        f"{track}: {len(missing)} of {counted(len(shards), 'shard')} must be curated first ({why});"
        f" {how_to_curate(track, missing)}, or leave them out of the release: dedup, validate "
        "--release and export, each with --allow-partial"
    )


def how_to_curate(track: str, states: Mapping[str, TrackState]) -> str:
    """What curates a track of some shards, for a message: `run …`, and what to run before it."""
    curate = f"sa1b-captions curate --tracks {track} --shards {_shortened(list(states))}"
    lacking = [shard for shard, state in states.items() if state.captions is None]
    if not lacking:
        return f"run {curate}"
    caption = f"sa1b-captions caption --tracks {track} --shards {_shortened(lacking)}"
    return f"run {caption}, then {curate}"


def require_deduplicated(
    campaign: Campaign, track: str, curated: Sequence[CurateReceipt]
) -> DedupReceipt:
    """Dedup receipt of a track.

    Args:
        curated: what `require_curated` found for it.

    Raises PermanentError: dedup has not run, or saw other captions.
    """
    place = dedup_place(campaign.name, track)
    receipt = require_receipt(campaign.store, place)
    if why := why_dedup_stale(receipt, curated):
        partial = " --allow-partial" if campaign.missing else ""
        raise PermanentError(f"{track}: the dedup is stale: {why}; run {place.command}{partial}")
    return receipt


def read_all_metrics(campaign: Campaign, receipts: Sequence[CurateReceipt]) -> list[dict[str, Any]]:
    """`metrics.json` of curated tracks, in the order of their receipts."""
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(partial(read_metrics, campaign), receipts))


def _shortened(shards: Sequence[str]) -> str:
    selection = format_selection(shards)
    if len(selection) <= _SHOWN_CHARS:
        return selection
    return selection[:_SHOWN_CHARS].rpartition(",")[0] + ",…"
