"""What a worker measured before it was interrupted, for the one that finishes the shard.

The rest of a shard may be too short to measure, and the receipt should speak for most of it. Only a
worker that is told to stop, or whose engine fails, keeps its numbers; a killed one cannot.
"""

import logging
from collections.abc import Iterable

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.efficiency import Efficiency, read_efficiency
from sa1b_captions.errors import CaptioningError
from sa1b_captions.receipts import read_receipt, write_receipt

_log = logging.getLogger(__name__)


def keep_efficiency(
    campaign: Campaign, shard: str, tracks: Iterable[str], found: Efficiency
) -> None:
    """Store it for tracks that are not finished, unless it is no number or one of them has better.

    A store that fails is no error: the captions matter, and they are stored already.
    """
    tracks = list(tracks)
    try:
        earlier = kept_efficiency(campaign, shard, tracks)
        if found.efficiency_samples <= earlier.efficiency_samples:
            return
        for track in tracks:
            key = layout.kept_efficiency_key(campaign.name, track, shard)
            write_receipt(campaign.store, key, stage="caption", **found.facts())
    except CaptioningError as error:
        _log.warning("%s: the efficiency so far is lost: %s", shard, error)


def kept_efficiency(campaign: Campaign, shard: str, tracks: Iterable[str]) -> Efficiency:
    """What an earlier worker kept of the most samples; no number where none did.

    Raises:
        RetryableError: the store failed.
    """
    receipts = [
        read_receipt(campaign.store, layout.kept_efficiency_key(campaign.name, track, shard))
        for track in tracks
    ]
    found = [read_efficiency(receipt) for receipt in receipts if receipt is not None]
    return max(found, key=lambda one: one.efficiency_samples, default=Efficiency())
