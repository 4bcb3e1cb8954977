"""Finding out what is left of a shard, before anything of it is captioned.

It reads the index and the stored parts, which takes seconds; it may run in another thread while the
shard before it is captioned.
"""

import logging
from collections.abc import Iterable
from dataclasses import replace

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption import sampling
from sa1b_captions.caption.resuming.parts import damaged_blocks
from sa1b_captions.caption.resuming.sameness import require_same_images
from sa1b_captions.caption.resuming.track_generations import TrackState, track_state
from sa1b_captions.caption.shard_work import ShardWork
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.receipts import IngestReceipt
from sa1b_captions.receipts.receipt_files import ingest_place, read_receipt, require_receipt
from sa1b_captions.recipe import TRACKS

_log = logging.getLogger(__name__)


def prepare(
    campaign: Campaign,
    shard: str,
    *,
    tracks: Iterable[str] = TRACKS,
    force: bool = False,
    max_failure_share: float = 1.0,
    run_id: str | None = None,
    by_hand: str = "hand",
    image: str | None = None,
) -> ShardWork:
    """Find out what is left of a shard; writes nothing.

    Args:
        shard: an ingested shard.
        force: caption it in a new generation, one per `run_id`.
        max_failure_share: share of a track's samples that may fail.
        by_hand: names the generation of a forced run without an id; letters and digits.
        image: container image of this process, for the receipts.

    Raises PermanentError: the shard is not ingested, and was not dropped after captioning either;
    its captions are of another archive, or damaged and the archive was dropped.
    """
    chosen = set(tracks)
    wanted = [track for track in TRACKS if track in chosen]
    ingest = read_receipt(campaign.store, ingest_place(shard))
    if force:
        ingest = _require_archive(campaign, shard, ingest)
    states = {
        track: track_state(campaign, track, shard, force=force, run_id=run_id, by_hand=by_hand)
        for track in wanted
    }
    if ingest is not None and not force:
        counted = {t: one.counted for t, one in states.items() if one.counted}
        require_same_images(campaign, shard, counted, ingest)
    states = {track: _looked_at(campaign, one) for track, one in states.items()}
    left = [track for track in wanted if not states[track].done]
    if not left:
        _log.info("%s is captioned already", shard)
        return ShardWork(campaign, shard, states, {}, None, max_failure_share, run_id, image)
    if ingest is None and any(states[track].damaged for track in left):
        raise PermanentError(
            f"{shard}: parts of {', '.join(left)} are damaged or gone, and their blocks cannot be "
            "captioned again without the archive, which was dropped; run sa1b-captions ingest "
            f"--shards {shard} --force, or pack its folder again, and then this again"
        )
    ingest = _require_archive(campaign, shard, ingest)
    images = sampling.read_index(campaign.store, shard, ingest.generation, ingest.index)
    plans = {
        track: sampling.plan_track(campaign.recipe, campaign.recipe.tracks[track], shard, images)
        for track in left
    }
    return ShardWork(campaign, shard, states, plans, ingest, max_failure_share, run_id, image)


def _looked_at(campaign: Campaign, state: TrackState) -> TrackState:
    """The state after a look at the parts; what is damaged of captions that count is not done.

    They are read as a whole, which costs a second; captions that are validated are not asked for.
    """
    receipt = state.counted
    if not state.done or receipt is None or receipt.generation != state.generation:
        return state
    damaged = frozenset(damaged_blocks(campaign, receipt))
    for block in sorted(damaged):
        _log.warning(
            "%s/%s: block %d is damaged or gone; captioning it again",
            *(receipt.track, receipt.shard, block),
        )
    return replace(state, done=not damaged, damaged=damaged)


def _require_archive(
    campaign: Campaign, shard: str, receipt: IngestReceipt | None
) -> IngestReceipt:
    if receipt is None:
        return require_receipt(campaign.store, ingest_place(shard))
    keys = [key(shard, receipt.generation) for key in (layout.archive_key, layout.index_key)]
    gone = next((key for key in keys if not campaign.store.exists(key)), None)
    if gone is None:
        return receipt
    if read_receipt(campaign.store, ingest_place(shard)) != receipt:
        raise RetryableError(f"{shard} is being ingested again or dropped; run it again")
    raise PermanentError(
        f"{gone} is gone from {campaign.store.url}, though its receipt is there; run "
        f"sa1b-captions ingest --shards {shard} --force, or pack its folder again with --force"
    )
