"""Which sentences of a caption an audit's judge refused."""

from collections.abc import Iterable

from sa1b_captions.audit.judge import Answer
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.audits import audit_fingerprint
from sa1b_captions.outputs import read_answers
from sa1b_captions.quality.browse.offences import Span
from sa1b_captions.quality.browse.orders import Hit
from sa1b_captions.receipts.receipt_files import audit_place, read_receipt
from sa1b_captions.stages.auditing.refused_captions import RefusedCaptions


def refused_sentences(campaign: Campaign, sample_id: str) -> dict[str, list[Span]]:
    """Characters of the refused sentences, by the digest of the text that was judged.

    Empty where the sample was not drawn, or the recipe asks otherwise since.
    """
    track, shard, _ = sample_id.split("/")
    if campaign.recipe.audit is None:
        return {}
    try:
        audit = read_receipt(campaign.store, audit_place(campaign.name, track, shard))
        if audit is None or audit.audit_fingerprint != audit_fingerprint(campaign.recipe):
            return {}
        rows = read_answers(campaign, audit).to_pylist()
    except PermanentError:  # damaged, or audited again meanwhile: the sample itself can be shown
        return {}
    found: dict[str, list[Span]] = {}
    for row in rows:
        if row["sample_id"] == sample_id and row["answer"] == Answer.NO:
            found.setdefault(row["text_xxh3"], []).append((row["start"], row["end"]))
    return found


def spans_of(refused: RefusedCaptions, hits: Iterable[Hit]) -> dict[str, list[Span]]:
    """Refused sentences of a page of samples, by the digest of the text that was judged.

    Raises:
        PermanentError: an audit is damaged, or made again right now.
    """
    found: dict[str, list[Span]] = {}
    for unit in dict.fromkeys(hit.facets.unit for hit in hits):
        for digest, start, end in (
            refused.sentences(unit).select("text_xxh3", "start", "end").iter_rows()
        ):
            found.setdefault(digest, []).append((start, end))
    return found
