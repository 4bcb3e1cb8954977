"""Which tracks and shards a release is made of.

`dedup`, `validate --release` and `export` ask here, each for itself; what they find is the same as
long as nothing is captioned, curated or validated between them, and if it is not, they say so.
"""

import logging
from collections.abc import Collection
from dataclasses import replace

from sa1b_captions.campaign import Campaign
from sa1b_captions.freshness.release_freshness import read_shards, without_missing
from sa1b_captions.plurals import counted
from sa1b_captions.recipe import TRACKS
from sa1b_captions.shards import format_selection

_log = logging.getLogger(__name__)


def select(
    campaign: Campaign, tracks: Collection[str] = TRACKS, *, allow_partial: bool = False
) -> Campaign:
    """The campaign as a release sees it.

    Args:
        campaign: with the whole recipe.
        allow_partial: leave out shards that are not curated in all of these, or whose validation
            is missing, outdated or failed. A target that the others do not reach is dropped.

    Raises:
        PermanentError: no shard is left.
    """
    campaign = replace(campaign, tracks=tuple(track for track in TRACKS if track in tracks))
    if not allow_partial:
        return campaign
    campaign = without_missing(campaign, read_shards(campaign))
    if campaign.missing:
        count, names = counted(len(campaign.missing), "shard"), format_selection(campaign.missing)
        _log.warning("leaving out %s: %s", count, names)
    return campaign
