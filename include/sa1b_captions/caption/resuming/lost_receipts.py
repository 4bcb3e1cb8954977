"""Which generation counted, of a track whose receipt is lost.

A generation that stopped counting has a copy of its receipt beside its parts, and one that counts
has all parts. So what counted is a whole generation without a copy; where each has one, a person
went back, and the copies say to which.
"""

import logging
from collections.abc import Collection, Mapping
from typing import Any

from sa1b_captions import generations
from sa1b_captions.campaign import Campaign
from sa1b_captions.receipts import CaptionReceipt
from sa1b_captions.receipts.receipt_files import past_caption_place, read_receipt

_log = logging.getLogger(__name__)


def counted_before_loss(
    campaign: Campaign, track: str, shard: str, begun: Mapping[str, Collection[int]]
) -> str | None:
    """The generation that counted; None if there are not two to choose from.

    Where none ever counted it is the fullest one, which is as good to go on with.

    Args:
        begun: blocks that are stored, by generation.

    Raises PermanentError: a copy of a receipt is damaged.
    """
    if len(begun) < 2:
        return None
    most = max(map(len, begun.values()))
    whole = sorted(
        (one for one, blocks in begun.items() if len(blocks) == most), key=generations.number
    )
    copies = _copies(campaign, track, shard, begun)
    never_left = [one for one in whole if one not in copies]
    # A later one that is whole as well was cut off before it counted, else there were a copy.
    found = never_left[0] if never_left else _gone_back_to(whole[-1], copies)
    _log.warning(
        "%s/%s: the receipt is gone; generation %s counted by what is stored, and counts again",
        *(track, shard, found),
    )
    return found


def _gone_back_to(newest: str, copies: Mapping[str, CaptionReceipt]) -> str:
    found, seen = copies[newest].previous or newest, {newest}
    while found in copies and copies[found].restored_from and found not in seen:
        seen.add(found)
        found = copies[found].previous or found
    return found


def history_of(campaign: Campaign, new: CaptionReceipt, begun: Collection[str]) -> dict[str, Any]:
    """What the lost receipt said of generations before, for the one that is written anew.

    Args:
        begun: all generations that are stored.

    Raises PermanentError: a copy of a receipt is damaged.
    """
    copies = _copies(campaign, new.track, new.shard, begun)
    said: dict[str, Any] = {}
    if before := copies.get(new.generation):
        said["restored_from"] = max(copies, key=generations.number)
        previous = before.previous
    else:
        here = generations.number(new.generation)
        older = {name: one for name, one in copies.items() if generations.number(name) < here}
        newest = generations.newest(older)
        back = [name for name, one in older.items() if one.restored_from == newest]
        previous = back[0] if back else newest
    return said | ({"previous": previous} if previous and previous in begun else {})


def _copies(
    campaign: Campaign, track: str, shard: str, begun: Collection[str]
) -> dict[str, CaptionReceipt]:
    found = {
        name: read_receipt(campaign.store, past_caption_place(campaign.name, track, shard, name))
        for name in begun
    }
    return {name: one for name, one in found.items() if one is not None}
