"""What audits of some shards and tracks come to."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from sa1b_captions.audit import calibration
from sa1b_captions.audit.answers import Row
from sa1b_captions.audit.calibration import Agreement
from sa1b_captions.audit.estimates import (
    Stratum,
    captions_refused_share,
    refused_share,
    unsure_share,
)
from sa1b_captions.audit.judge import ANSWERED, Answer
from sa1b_captions.receipts import AuditReceipt
from sa1b_captions.receipts.faithfulness import (
    Faithfulness,
    JudgeQuality,
    RefusedSentence,
    SentenceCounts,
    Slice,
)

_Counts = Callable[[AuditReceipt], SentenceCounts]


def _all(receipt: AuditReceipt) -> SentenceCounts:
    return receipt.counts


def faithfulness(
    receipts: Sequence[AuditReceipt],
    languages: Mapping[str, str],
    quality: JudgeQuality | None,
    uncalibrated: str,
) -> Faithfulness:
    """Shares over some audits.

    Args:
        uncalibrated: why the shares are not corrected by it; empty to correct them.
    """
    refused = refused_share(_strata(receipts))
    corrected = None
    if quality is not None and not uncalibrated:
        corrected = calibration.corrected_share(refused, quality)
    return Faithfulness(
        judges=sorted({f"{one.engine} {one.model} {one.model_revision}" for one in receipts}),
        judges_itself=any(one.judges_itself for one in receipts),
        captions=sum(one.drawn for one in receipts),
        refused=refused,
        unsure=unsure_share(_strata(receipts)),
        captions_refused=captions_refused_share(_strata(receipts)),
        unanswered=sum(
            count
            for one in receipts
            for answer, count in one.answers.items()
            if answer not in ANSWERED
        ),
        slices=_slices(receipts, languages),
        quality=quality,
        corrected=corrected,
        uncalibrated=uncalibrated,
        cost_share=_cost_share(receipts),
    )


def calibrate_judge(
    receipts: Sequence[AuditReceipt], agreement: Agreement
) -> tuple[JudgeQuality | None, str]:
    """What people say of the judge, or what is missing for that.

    Args:
        receipts: audits of what the marked sentences were drawn from.
        agreement: people's marks of their sentences.
    """
    missing = calibration.lacking(agreement, sum(one.counts.refused for one in receipts))
    if missing:
        return None, missing
    return calibration.judge_quality(agreement, refused_share(_strata(receipts))), ""


def worst_sentences(rows: Iterable[Row], count: int) -> list[RefusedSentence]:
    """Sentences that the judge refused, the surest first; by name where it does not say how sure.

    Args:
        rows: of `records.ANSWER_SCHEMA`.
    """
    found = [
        RefusedSentence(row["sample_id"], row["start"], row["end"], probability_of_no(row))
        for row in rows
        if row["answer"] == Answer.NO
    ]
    return sorted(found, key=lambda one: (-(one.probability or 0), one.sample_id, one.start))[
        :count
    ]


def probability_of_no(row: Row) -> float | None:
    """Among the three answers; None where the engine told none."""
    told = [row["yes_logprob"], row["no_logprob"], row["cannot_tell_logprob"]]
    shares = [0.0 if one is None else math.exp(one) for one in told]
    return shares[1] / sum(shares) if sum(shares) else None


def _strata(receipts: Sequence[AuditReceipt], counts_of: _Counts = _all) -> list[Stratum]:
    return [
        Stratum(counts_of(one), one.accepted / one.counts.captions)
        for one in receipts
        if one.counts.captions
    ]


def _slices(receipts: Sequence[AuditReceipt], languages: Mapping[str, str]) -> list[Slice]:
    names = {(by, name) for one in receipts for by in one.slices for name in one.slices[by]}
    found = [
        Slice(by, name, refused_share(_strata(receipts, _slice_of(by, name))))
        for by, name in sorted(names, key=lambda pair: (pair[0] != "position", pair))
    ]
    by_language: dict[str, list[AuditReceipt]] = {}
    for one in receipts:
        by_language.setdefault(languages[one.track], []).append(one)
    for language in sorted(by_language):
        strata = _strata(by_language[language])
        found.append(Slice("language", language, refused_share(strata)))
    return [one for one in found if one.refused.of]


def _slice_of(by: str, name: str) -> _Counts:
    return lambda one: one.slices.get(by, {}).get(name, SentenceCounts())


def _cost_share(receipts: Sequence[AuditReceipt]) -> float | None:
    computed = captions = 0
    for one in receipts:
        if one.tokens.computed is None or one.tokens.captions is None:
            return None
        computed += one.tokens.computed
        captions += one.tokens.captions
    return computed / captions if captions else None
