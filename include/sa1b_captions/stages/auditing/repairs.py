"""Repairs of a recipe that asks for them: which captions are published shorter, and what that does.

What is left of a caption is judged by the rules that judged the whole; what breaks one stays whole.
Texts are published shorter, never stored so: the accepted captions stay as the model wrote them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from sa1b_captions.audit.repair import Repaired, repair_captions
from sa1b_captions.campaign import Campaign
from sa1b_captions.marks import SentenceMark, Support, last_of_each
from sa1b_captions.outputs import read_answers
from sa1b_captions.quality.features import measure
from sa1b_captions.quality.health.reference import read_reference
from sa1b_captions.quality.rules import find_reasons
from sa1b_captions.receipts import AuditReceipt
from sa1b_captions.receipts.faithfulness import Repairs
from sa1b_captions.records import CaptionStatus


@dataclass(frozen=True, slots=True)
class ShardRepairs:
    """Repairs of a shard's track."""

    fit: list[Repaired]
    """What is left is a caption by the rules."""
    kept: int
    """Captions of which too little would be left."""

    @property
    def texts(self) -> dict[str, str]:
        """What is published in the place of captions, by sample."""
        return {one.sample_id: one.text for one in self.fit}


def find_repairs(campaign: Campaign, audit: AuditReceipt) -> ShardRepairs:
    """Repairs of a track by its audit; none where the recipe repairs nothing.

    Raises PermanentError: the answers or the reference are damaged.
    """
    settings = campaign.recipe.audit
    if settings is None or not settings.repair:
        return ShardRepairs([], 0)
    language = campaign.recipe.tracks[audit.track].language
    rows = read_answers(campaign, audit).to_pylist()
    found = repair_captions(rows, language, settings.repair_confidence)
    if not found:
        return ShardRepairs([], 0)
    frame = measure(pl.Series([one.text for one in found]).to_arrow())
    frame = frame.with_columns(status=pl.lit(CaptionStatus.OK.value))
    reference = read_reference(campaign)
    of_track = None if reference is None else reference.tracks.get(audit.track)
    reasons = find_reasons(frame, campaign.recipe.quality.languages[language], of_track)
    fit = [one for one, broken in zip(found, reasons, strict=True) if not len(broken)]
    return ShardRepairs(fit, len(found) - len(fit))


def sum_up_repairs(repairs: Sequence[ShardRepairs], marks: Sequence[SentenceMark]) -> Repairs:
    """What repairs come to, beside what people said of the removed sentences.

    Args:
        marks: the first one first; of each person the last one about a sentence counts.
    """
    fit = [one for found in repairs for one in found.fit]
    removed = {(one.sample_id, one.text_xxh3, place) for one in fit for place in one.removed}
    said = [
        mark.supported
        for mark in last_of_each(marks)
        if (mark.sample_id, mark.text_xxh3, mark.sentence) in removed
    ]
    return Repairs(
        captions=len(fit),
        sentences=len(removed),
        kept=sum(found.kept for found in repairs),
        chars_before=sum(one.chars_before for one in fit),
        chars_after=sum(len(one.text) for one in fit),
        marked_false=said.count(Support.NO),
        marked_true=said.count(Support.YES),
    )
