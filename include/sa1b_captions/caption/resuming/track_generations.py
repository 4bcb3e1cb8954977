"""Generations of a track's captions: which counts, which is a run's, and the switch between them.

The receipt names the one that counts, and one write of it switches; until then every reader sees
the old captions. The receipt that counted before stays beside its parts, so that a person can go
back to it.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sa1b_captions import generations, layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.resuming.lost_receipts import counted_before_loss, history_of
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.shard_freshness import captions_version
from sa1b_captions.generations import FIRST
from sa1b_captions.receipts import CaptionReceipt
from sa1b_captions.receipts.receipt_files import (
    begun_place,
    caption_place,
    digest,
    ingest_place,
    past_caption_place,
    read_receipt,
    require_receipt,
    write_receipt,
)

_log = logging.getLogger(__name__)

_KEY = re.compile(
    rf"(?:(?P<generation>{generations.PATTERN})/)?(?:part-(?P<block>\d{{5}})\.parquet|.*\.json)"
)


PART_IDLE_S = 600.0
"""A part is written in one go: one that gained nothing for so long is a killed worker's."""


@dataclass(frozen=True, slots=True)
class TrackState:
    """What is captioned of a track of a shard before a run."""

    counted: CaptionReceipt | None
    """Receipt of the captions that count."""
    generation: str
    """The run's own."""
    begun: bool
    """Whether something of it is stored."""
    done: bool
    """Whether the run has nothing to do."""
    damaged: frozenset[int] = frozenset()
    """Blocks of the captions that count whose part is gone, or is not what the receipt names."""

    @property
    def has_earlier(self) -> bool:
        """Whether other captions than the run's count until these are whole."""
        return self.counted is not None and self.counted.generation != self.generation


def begun_generations(campaign: Campaign, track: str, shard: str) -> dict[str, set[int]]:
    """Blocks whose part exists, by generation; a generation may be begun and have none."""
    prefix = layout.captions_prefix(campaign.name, track, shard)
    found: dict[str, set[int]] = {}
    for key in campaign.store.list(prefix):
        match = _KEY.fullmatch(key.removeprefix(prefix))
        if match and (match["generation"] or match["block"]):
            blocks = found.setdefault(match["generation"] or FIRST, set())
            if match["block"]:
                blocks.add(int(match["block"]))
    return found


def stored_blocks(campaign: Campaign, track: str, shard: str, generation: str) -> set[int]:
    """Numbers of a generation's blocks whose part exists."""
    return begun_generations(campaign, track, shard).get(generation, set())


def track_state(
    campaign: Campaign, track: str, shard: str, *, force: bool, run_id: str | None, by_hand: str
) -> TrackState:
    """Find a run's generation; writes nothing.

    A run that is not forced goes on with the only one there is; of several, whose receipt is lost,
    with the one that counted. A forced run has one of its own,
    found again by its id. Without an id, `by_hand` names it, and one that never counted is gone on
    with.
    """
    counted = read_receipt(campaign.store, caption_place(campaign.name, track, shard))
    if counted is not None and not force:
        return TrackState(counted, counted.generation, begun=True, done=True)
    begun = begun_generations(campaign, track, shard)
    lost = None if counted else counted_before_loss(campaign, track, shard, begun)
    highest = counted.highest if counted else generations.number(lost) if lost else 0
    if not force:
        mine = lost or generations.newest(begun) or FIRST
        return TrackState(None, mine, begun=mine in begun, done=False)
    if run_id is None:
        mine = _unfinished(begun, by_hand, highest)
    elif _begun_by_0_1_0(campaign, track, shard, run_id):
        mine = FIRST
    else:
        owner = generations.owner_of_run(run_id)
        own = generations.own(begun, owner)
        mine = own[0] if own else generations.following(begun, owner, highest)
    done = counted is not None and generations.number(mine) <= highest
    return TrackState(counted, mine, begun=mine in begun, done=done)


def _unfinished(begun: Mapping[str, set[int]], owner: str, highest: int) -> str:
    own = [one for one in generations.own(begun, owner) if generations.number(one) > highest]
    return own[0] if own else generations.following(begun, owner, highest)


def _begun_by_0_1_0(campaign: Campaign, track: str, shard: str, run_id: str) -> bool:
    """Whether version 0.1.0 began the first generation anew in this run."""
    note = read_receipt(campaign.store, begun_place(campaign.name, track, shard, FIRST))
    return note is not None and note.run_id == run_id


def count(
    campaign: Campaign, new: CaptionReceipt, mended: CaptionReceipt | None = None
) -> CaptionReceipt:
    """Let a whole generation count from now on, unless a newer one did; returns what counts.

    Args:
        mended: receipt of the same generation before its damaged blocks were captioned again.
    """
    place = caption_place(campaign.name, new.track, new.shard)
    present = read_receipt(campaign.store, place)
    if present is None:
        begun = begun_generations(campaign, new.track, new.shard)
        if len(begun) > 1:
            new = replace(new, **history_of(campaign, new, begun))
        return write_receipt(campaign.store, place, new)
    if present.generation == new.generation:
        if present != mended:
            return present  # another worker was first
        names = ("previous", "restored_from", "restored_by")
        history = {name: getattr(present, name) for name in names}
        return write_receipt(campaign.store, place, replace(new, **history))
    if present.highest >= generations.number(new.generation):
        _log.warning(
            "%s/%s: generation %s is whole, but %s was begun as late or later, and counts",
            *(new.track, new.shard, new.generation, present.generation),
        )
        return present
    _keep(campaign, present)
    return write_receipt(campaign.store, place, replace(new, previous=present.generation))


def earlier(
    campaign: Campaign, track: str, shard: str
) -> tuple[CaptionReceipt, CaptionReceipt] | None:
    """Find what counted before the present captions; writes nothing.

    Returns:
        The present receipt and the earlier one, whose parts are all there; None if no other ever
        counted.

    Raises PermanentError: the track is not captioned, or the earlier generation is not whole or is
    of other images than the archive.
    """
    present = require_receipt(campaign.store, caption_place(campaign.name, track, shard))
    if present.previous is None:
        return None
    where = f"{track}/{shard}: generation {present.previous}, which counted before"
    old = read_receipt(
        campaign.store, past_caption_place(campaign.name, track, shard, present.previous)
    )
    if old is None:
        raise PermanentError(
            f"{where}, is gone, as after drop --generations, and cannot be restored; nothing was "
            "changed"
        )
    ingest = read_receipt(campaign.store, ingest_place(shard))
    if ingest is not None and old.fits(ingest, digest(ingest)) is False:
        raise PermanentError(
            f"{where}, is of other images than the archive that is ingested; ingest its own first, "
            "with --force; nothing was changed"
        )
    gone = set(range(old.blocks)) - stored_blocks(campaign, track, shard, old.generation)
    if gone:
        raise PermanentError(
            f"{where}, lacks {len(gone)} of {old.blocks} parts; nothing was changed"
        )
    return present, old


def restore(
    campaign: Campaign, present: CaptionReceipt, old: CaptionReceipt, run_id: str | None = None
) -> None:
    """Let an `earlier` generation count again in place of the present one."""
    _keep(campaign, present)
    highest = max(present.generation, present.restored_from or FIRST, key=generations.number)
    place = caption_place(campaign.name, old.track, old.shard)
    same = captions_version(old)
    new = replace(old, restored_from=highest, restored_by=run_id, same_as=same)
    write_receipt(campaign.store, place, new)


def _keep(campaign: Campaign, receipt: CaptionReceipt) -> None:
    """Store a copy of the receipt that counts, as it is, beside its generation's parts."""
    track, shard = receipt.track, receipt.shard
    data = campaign.store.read(layout.caption_receipt_key(campaign.name, track, shard))
    key = layout.past_receipt_key(campaign.name, track, shard, receipt.generation)
    campaign.store.write(key, data)
