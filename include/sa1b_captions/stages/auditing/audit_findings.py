"""What the reports and the card say of audits: shares, the judge's quality by people's marks."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from sa1b_captions.audit.calibration import Agreement, Asked, settle
from sa1b_captions.audit.judge import ANSWERED, Answer
from sa1b_captions.audit.totals import calibrate_judge, faithfulness, worst_sentences
from sa1b_captions.campaign import Campaign
from sa1b_captions.freshness.audits import read_audits
from sa1b_captions.freshness.shard_freshness import READERS, read_shard
from sa1b_captions.mark_logs import read_marks
from sa1b_captions.marks import SentenceMark
from sa1b_captions.outputs import read_answers
from sa1b_captions.receipts import AuditReceipt, CurateReceipt
from sa1b_captions.receipts.faithfulness import AuditFindings, Faithfulness, JudgeQuality, Repairs
from sa1b_captions.receipts.receipt_files import digest
from sa1b_captions.stages.auditing.repairs import find_repairs, sum_up_repairs

SHARD_WORST = 8
RELEASE_WORST = 24
_WORST_AUDITS = 48
"""Audits with the greatest shares of refused sentences: among theirs a release's worst are."""
_NOT_CORRECTED = "the shares of one shard are not corrected, those of the release are"


class Reviews:
    """What people marked of a campaign's audited sentences, read when it is first needed."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign

    @cached_property
    def marks(self) -> list[SentenceMark]:
        """Marks of sentences of the campaign's shards and tracks, the first one first.

        Raises PermanentError: a mark is damaged.
        """
        shards, tracks = set(self._campaign.recipe.shards), set(self._campaign.tracks)
        return [
            mark
            for mark in read_marks(self._campaign.store, self._campaign.name, SentenceMark)
            if _track_of(mark) in tracks and _shard_of(mark) in shards
        ]

    @property
    def digest(self) -> str:
        """Of all marks."""
        return digest({"marks": [mark.id for mark in self.marks]})

    @cached_property
    def audits(self) -> list[AuditReceipt]:
        """Fresh audits of the shards and tracks that have marks. Raises as `marks` does."""
        marked = sorted({_shard_of(mark) for mark in self.marks})
        with ThreadPoolExecutor(READERS) as pool:
            states = list(pool.map(partial(read_shard, self._campaign), marked))
        pairs = {(_track_of(mark), _shard_of(mark)) for mark in self.marks}
        return [
            audit
            for state in states
            for track, audit in (state.audits.fresh if state.audits else {}).items()
            if (track, audit.shard) in pairs
        ]

    @cached_property
    def _refused(self) -> dict[Asked, bool]:
        with ThreadPoolExecutor(READERS) as pool:
            tables = list(pool.map(partial(read_answers, self._campaign), self.audits))
        columns = ["sample_id", "text_xxh3", "sentence", "answer"]
        return {
            (row["sample_id"], row["text_xxh3"], row["sentence"]): row["answer"] == Answer.NO
            for table in tables
            for row in table.select(columns).to_pylist()
            if row["answer"] in ANSWERED
        }

    def agreement(self, tracks: Sequence[str]) -> Agreement:
        """Marks of some tracks' sentences. Raises as `marks` does."""
        marks = [mark for mark in self.marks if _track_of(mark) in tracks]
        return settle(marks, self._refused if marks else {})

    @cached_property
    def quality(self) -> tuple[JudgeQuality | None, str]:
        """What all marks say of the judge, or what is missing. Raises as `marks` does."""
        return calibrate_judge(self.audits, self.agreement(self._campaign.tracks))


def _track_of(mark: SentenceMark) -> str:
    return mark.sample_id.partition("/")[0]


def _shard_of(mark: SentenceMark) -> str:
    return mark.sample_id.partition("/")[2].partition("/")[0]


def find_in_shard(
    campaign: Campaign, audits: Mapping[str, AuditReceipt], reviews: Reviews
) -> AuditFindings | None:
    """What a shard's audits found; None where it has none.

    The judge's quality is that in the whole campaign, as far as it is marked when this is asked.

    Raises PermanentError: answers or marks are damaged.
    """
    if not audits:
        return None
    quality, missing = reviews.quality
    return AuditFindings(
        tracks={
            track: _with_repairs(
                campaign,
                faithfulness([audit], _languages(campaign), quality, missing or _NOT_CORRECTED),
                [audit],
                reviews,
            )
            for track, audit in audits.items()
        },
        everything=None,
        shards=1,
        worst=worst_sentences(_rows(campaign, list(audits.values())), SHARD_WORST),
        marks=reviews.digest,
    )


def find_in_release(
    campaign: Campaign, curated: Mapping[str, Sequence[CurateReceipt]], reviews: Reviews
) -> AuditFindings | None:
    """What the audits of a release's shards found; None where the recipe asks for none.

    Args:
        campaign: as the release sees it.
        curated: by track, in the shards' order.

    Raises PermanentError: a receipt, answers or marks are damaged.
    """
    if campaign.recipe.audit is None:
        return None

    by_track = find_audits(campaign, campaign.recipe.shards, curated)
    every = [audit for audits in by_track.values() for audit in audits]
    languages = _languages(campaign)
    if not every:
        return AuditFindings({}, None, 0, [])
    worst = sorted(every, key=_share_refused, reverse=True)[:_WORST_AUDITS]
    tracks = {
        track: _with_repairs(
            campaign,
            faithfulness(audits, languages, *calibrate_judge(audits, reviews.agreement([track]))),
            audits,
            reviews,
        )
        for track, audits in by_track.items()
    }
    judged = calibrate_judge(every, reviews.agreement(list(by_track)))
    repairs = [one.repairs for one in tracks.values() if one.repairs]
    return AuditFindings(
        tracks=tracks,
        everything=replace(
            faithfulness(every, languages, *judged),
            repairs=sum(repairs, Repairs()) if repairs else None,
        ),
        shards=len({audit.shard for audit in every}),
        worst=worst_sentences(_rows(campaign, worst), RELEASE_WORST),
        marks=reviews.digest,
    )


def _with_repairs(
    campaign: Campaign, found: Faithfulness, audits: Sequence[AuditReceipt], reviews: Reviews
) -> Faithfulness:
    """The same with what repairs of these audits come to, if the recipe asks for them."""
    if not campaign.recipe.repairs:
        return found
    repairs = [find_repairs(campaign, audit) for audit in audits]
    return replace(found, repairs=sum_up_repairs(repairs, reviews.marks))


def find_in_chosen(
    campaign: Campaign, shards: Sequence[str], curated: Mapping[str, Sequence[CurateReceipt]]
) -> dict[str, Faithfulness]:
    """What the audits of some shards found by track, whatever people say; tracks without are out.

    Raises as `find_in_release` does.
    """
    languages = _languages(campaign)
    return {
        track: faithfulness(audits, languages, None, _NOT_CORRECTED)
        for track, audits in find_audits(campaign, shards, curated).items()
    }


def find_audits(
    campaign: Campaign,
    shards: Sequence[str],
    curated: Mapping[str, Sequence[CurateReceipt | None]],
) -> dict[str, list[AuditReceipt]]:
    """Fresh audits of each track that has any, in the shards' order.

    Args:
        curated: receipts by track, in the shards' order; None where there is none that counts.

    Raises PermanentError: a receipt is damaged.
    """

    def read(place: int) -> dict[str, AuditReceipt]:
        of_shard = {t: one for t, receipts in curated.items() if (one := receipts[place])}
        return read_audits(campaign, shards[place], of_shard).fresh

    with ThreadPoolExecutor(READERS) as pool:
        found = list(pool.map(read, range(len(shards))))
    by_track = {track: [one[track] for one in found if track in one] for track in curated}
    return {track: audits for track, audits in by_track.items() if audits}


def _share_refused(audit: AuditReceipt) -> float:
    return audit.counts.refused / audit.counts.sentences if audit.counts.sentences else 0.0


def _languages(campaign: Campaign) -> dict[str, str]:
    return {name: track.language for name, track in campaign.recipe.tracks.items()}


def _rows(campaign: Campaign, audits: Sequence[AuditReceipt]) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(READERS) as pool:
        tables = pool.map(partial(read_answers, campaign), audits)
    return [row for table in tables for row in table.to_pylist()]
