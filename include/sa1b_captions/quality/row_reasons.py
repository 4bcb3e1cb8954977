"""Reasons of captions by the rules of a campaign, all but duplication."""

import polars as pl
import pyarrow as pa

from sa1b_captions.campaign import Campaign
from sa1b_captions.quality.health.reference import read_reference
from sa1b_captions.quality.rules import find_reasons


def row_reasons(
    campaign: Campaign, track: str, rows: pa.Table, features: pl.DataFrame
) -> pl.Series:
    """Reasons of captions by the rules for single rows: whether others say the same is not asked.

    Args:
        rows: `records.CAPTION_SCHEMA`.
        features: `records.TEXT_FEATURES` of their captions, in their order.
    """
    frame = pl.concat([pl.DataFrame(rows.select(["status"])), features], how="horizontal")
    reference = read_reference(campaign)
    of_track = None if reference is None else reference.tracks.get(track)
    limits = campaign.recipe.quality.languages[campaign.recipe.tracks[track].language]
    return find_reasons(frame, limits, of_track)
