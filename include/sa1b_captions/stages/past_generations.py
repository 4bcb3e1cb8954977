"""Going back to the captions that counted before, and freeing what counts no more."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from sa1b_captions import generations, layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.resuming.track_generations import (
    PART_IDLE_S,
    begun_generations,
    earlier,
    restore,
)
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.shard_freshness import read_tracks
from sa1b_captions.generations import FIRST
from sa1b_captions.receipts import CaptionReceipt
from sa1b_captions.receipts.receipt_files import caption_place, read_receipt
from sa1b_captions.recipe import TRACKS

_log = logging.getLogger(__name__)


def restore_captions(
    campaign: Campaign,
    shards: Iterable[str],
    tracks: Iterable[str] = TRACKS,
    *,
    run_id: str | None = None,
) -> dict[str, Any]:
    """Let the generation before the present one count again, track by track.

    A run goes back once, however often its task is done again; without an id each call goes back.

    What was curated, validated and exported of the present one is stale from then on, and made
    again by the same commands as ever. What was made of the restored captions counts again.

    Returns:
        `restored`: by shard and track, the generation that counted and the one that does now;
        `stale`: sentences on what was curated of the captions before.

    Raises PermanentError: a track is not captioned, its earlier generation is not whole or is of
    other images than the archive, or there is none in any track. Nothing is changed then.
    """
    names, chosen = list(shards), list(tracks)
    restored: dict[str, dict[str, list[str]]] = {}
    # All are looked at before the first is changed: a refusal leaves no half of them restored.
    found = {
        (shard, track): _to_switch(campaign, track, shard, run_id)
        for shard in names
        for track in chosen
    }
    for (shard, track), receipts in found.items():
        if isinstance(receipts, CaptionReceipt):
            switch = [receipts.restored_from or FIRST, receipts.generation]
            restored.setdefault(shard, {})[track] = switch
            _log.info("%s/%s: generation %s counted, %s does again already", track, shard, *switch)
            continue
        if receipts is None:
            _log.info("%s/%s: no other captions counted before; it is as it was", track, shard)
            continue
        restore(campaign, *receipts, run_id)
        switch = [receipt.generation for receipt in receipts]
        restored.setdefault(shard, {})[track] = switch
        _log.info("%s/%s: generation %s counted, %s does again", track, shard, *switch)
    if not restored:
        raise PermanentError(
            f"{', '.join(names)}: no other captions counted before in {', '.join(chosen)}; "
            "nothing was changed"
        )
    stale = [
        str(one)
        for shard, tracks_of in restored.items()
        for track in tracks_of
        for state in read_tracks(campaign, track, [shard])
        for one in state.stale
    ]
    for sentence in stale:
        _log.info("%s", sentence)
    return {"stage": "caption", "restored": restored, "stale": stale}


def _to_switch(
    campaign: Campaign, track: str, shard: str, run_id: str | None
) -> tuple[CaptionReceipt, CaptionReceipt] | CaptionReceipt | None:
    """What `earlier` finds, or the present receipt if this run has switched to it before."""
    present = read_receipt(campaign.store, caption_place(campaign.name, track, shard))
    if present is not None and run_id is not None and present.restored_by == run_id:
        return present
    return earlier(campaign, track, shard)


def drop_generations(
    campaign: Campaign, shards: Iterable[str], *, unfinished: bool = False
) -> dict[str, Any]:
    """Delete the captions that others took the place of; those that count always stay.

    Args:
        unfinished: also delete what forced runs began and did not finish; one that is still at
            work then fails, and begins anew when it is run again.

    Returns:
        `freed`: by shard and track, the generations that are gone; `kept`: those that were begun
        and may yet count.

    Raises PermanentError: a receipt is damaged, or missing where generations are, so that nothing
    says which of them counts. Nothing is freed then.
    """
    names = list(shards)
    for shard in names:
        for track in TRACKS:
            _require_receipt(campaign, track, shard)
    freed: dict[str, dict[str, list[str]]] = {}
    kept: dict[str, dict[str, list[str]]] = {}
    for shard in names:
        for track in TRACKS:
            receipt = read_receipt(campaign.store, caption_place(campaign.name, track, shard))
            highest = 0 if receipt is None else receipt.highest
            stays = FIRST if receipt is None else receipt.generation
            begun = begun_generations(campaign, track, shard)
            for name in sorted(begun.keys() - {stays}, key=generations.number):
                if unfinished or generations.number(name) <= highest:
                    _delete(campaign, track, shard, name, begun)
                    freed.setdefault(shard, {}).setdefault(track, []).append(name)
                    _log.info("%s/%s: generation %s is freed", track, shard, name)
                else:
                    kept.setdefault(shard, {}).setdefault(track, []).append(name)
                    _log.info(
                        "%s/%s: generation %s is kept, for a run may go on with it; "
                        "--unfinished frees it",
                        *(track, shard, name),
                    )
            campaign.store.clear_unfinished(
                layout.captions_prefix(campaign.name, track, shard), PART_IDLE_S
            )
    return {"stage": "drop", "freed": freed, "kept": kept}


def _require_receipt(campaign: Campaign, track: str, shard: str) -> None:
    """Raise PermanentError if it is gone, and generations that it told apart are there."""
    place = caption_place(campaign.name, track, shard)
    if read_receipt(campaign.store, place) is None and (
        begun_generations(campaign, track, shard).keys() - {FIRST}
    ):
        raise PermanentError(
            f"{track}/{shard}: no {place.key} says which generation of captions counts; run "
            f"{place.command}, which finds it; nothing was freed"
        )


def _delete(
    campaign: Campaign, track: str, shard: str, name: str, begun: Mapping[str, set[int]]
) -> None:
    """Delete a generation; its receipt first, so that a kill leaves none that vouches for it."""
    store, place = campaign.store, (campaign.name, track, shard)
    store.delete(layout.past_receipt_key(*place, name))
    for block in sorted(begun[name]):
        store.delete(layout.part_key(*place, name, block))
    if name != FIRST:
        store.delete(layout.begun_key(*place, name))
        store.clear_unfinished(layout.generation_prefix(*place, name), 0)
