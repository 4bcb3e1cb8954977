"""The part of a report that says how far captions are found in their images."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.report.gallery import Gallery, Sample
from sa1b_captions.receipts.faithfulness import AuditFindings, RefusedSentence

ALL = "all"


def fill(rows: Gallery, audited: AuditFindings | None) -> dict[str, Any]:
    """What the template shows: `scopes` that the tables have a row for, `refused` captions."""
    if audited is None:
        return {"scopes": [], "refused": []}
    scopes = [*audited.tracks.items()]
    scopes += [] if audited.everything is None else [(ALL, audited.everything)]
    return {"scopes": scopes, "refused": _show_refused(rows, audited.worst)}


def _show_refused(rows: Gallery, refused: Sequence[RefusedSentence]) -> list[Sample]:
    """Captions with the sentence that the judge refused marked."""
    samples = []
    for one in refused:
        try:
            row = rows.find(one.sample_id)
        except PermanentError:  # curated again while the report was made
            continue
        sure = "" if one.probability is None else f", {one.probability:.0%} sure"
        sample = rows.sample(row, f"refused{sure}")
        text = (row["caption"] or "")[: one.end]
        passages = [(text[: one.start], False), (text[one.start :], True)]
        passages.append(((row["caption"] or "")[one.end :], False))
        shown = [piece for piece in passages if piece[0]]
        captions = [replace(caption, passages=shown, cut=False) for caption in sample.captions]
        samples.append(replace(sample, captions=captions))
    return samples
