"""Sentences for people to judge, and their judgements: what calibrates the judge of an audit.

Half of the sentences are such as the judge refused, for those are few; the file does not say which.
"""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pyarrow.compute as pc
import xxhash

from sa1b_captions.audit.judge import ANSWERED, Answer
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.shard_freshness import READERS, read_tracks
from sa1b_captions.mark_logs import MarkLog
from sa1b_captions.marks import SentenceMark, Support
from sa1b_captions.outputs import read_answers, read_curated
from sa1b_captions.receipts import AuditReceipt, CurateReceipt
from sa1b_captions.stages.auditing.audit_findings import find_audits
from sa1b_captions.stages.auditing.judge_choice import require_audit

_ASKED = ["sample_id", "text_xxh3", "sentence", "text", "answer"]
_KEPT = ("sample_id", "text_xxh3", "sentence", "text")


def draw_sentences(
    campaign: Campaign, shards: Sequence[str], tracks: Sequence[str], count: int, seed: int
) -> list[dict[str, Any]]:
    """Sentences to judge, in random order: as many that the judge refused as others.

    Args:
        shards: audited ones; those that are not are passed over.
        count: of sentences; there may be fewer that were refused.

    Returns:
        Objects with the sentence, its caption and photographs, and `supported` to be filled in.

    Raises PermanentError: nothing is audited, or what is stored is damaged.
    """
    require_audit(campaign.recipe)
    curated = _fresh(campaign, shards, tracks)
    audits = {
        (track, one.shard): one
        for track, found in find_audits(campaign, shards, curated).items()
        for one in found
    }
    if not audits:
        raise PermanentError(
            "none of these shards is audited; run sa1b-captions audit --shards … first"
        )
    with ThreadPoolExecutor(READERS) as pool:
        tables = pool.map(partial(_asked, campaign), audits.values())
    rows = sorted((row for table in tables for row in table), key=lambda row: _rank(seed, row))
    refused = [row for row in rows if row["answer"] == Answer.NO][: count // 2]
    others = [row for row in rows if row["answer"] != Answer.NO][: count - len(refused)]
    chosen = sorted([*refused, *others], key=lambda row: _rank(seed, row))
    receipts = {
        (one.track, one.shard): one for many in curated.values() for one in many if one is not None
    }
    shown = _captions(campaign, receipts, chosen)
    return [
        {name: row[name] for name in _KEPT}
        | shown[row["sample_id"]]
        | {"draw": f"sentences-{seed}", "supported": ""}
        for row in chosen
    ]


def add_sentence_marks(campaign: Campaign, lines: Iterable[str], who: str) -> int:
    """Store a person's judgements, and return how many; lines without one are passed over.

    Args:
        lines: as `draw_sentences` made them, with `supported` filled in.
        who: the person's login.

    Raises:
        PermanentError: naming a line that is none of them, or says neither yes, no nor cannot_tell.
        RetryableError: the store failed; nothing is stored then.
    """
    marks = []
    for number, line in enumerate(lines, 1):
        try:
            content = json.loads(line) if line.strip() else {"supported": ""}
            if content["supported"]:
                marks.append(
                    SentenceMark(
                        sample_id=str(content["sample_id"]),
                        text_xxh3=str(content["text_xxh3"]),
                        sentence=int(content["sentence"]),
                        supported=Support(content["supported"]),
                        who=who,
                        draw=str(content["draw"]),
                    )
                )
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise PermanentError(
                f"line {number} is no judgement of a sentence ({error!r}); supported must be "
                f"{', '.join(Support)} or empty, and the rest as draw-sentences wrote it"
            ) from None
    if marks:
        MarkLog(campaign.store, campaign.name).add(*marks)
    return len(marks)


def _fresh(
    campaign: Campaign, shards: Sequence[str], tracks: Sequence[str]
) -> dict[str, list[CurateReceipt | None]]:
    return {
        track: [state.fresh_curated for state in read_tracks(campaign, track, shards)]
        for track in tracks
    }


def _asked(campaign: Campaign, audit: AuditReceipt) -> list[dict[str, Any]]:
    rows = read_answers(campaign, audit).select(_ASKED).to_pylist()
    return [row for row in rows if row["answer"] in ANSWERED]


def _rank(seed: int, row: dict[str, Any]) -> int:
    name = f"{seed}/{row['sample_id']}/{row['sentence']}"
    return xxhash.xxh3_64_intdigest(name.encode())


def _captions(
    campaign: Campaign,
    receipts: dict[tuple[str, str], CurateReceipt],
    chosen: Sequence[dict[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Caption and photographs of the chosen sentences, by sample."""
    places: dict[tuple[str, str], set[str]] = {}
    for row in chosen:
        track, shard, _ = row["sample_id"].split("/")
        places.setdefault((track, shard), set()).add(row["sample_id"])
    shown = {}
    for place, samples in places.items():
        columns = ["sample_id", "images", "caption"]
        table = read_curated(campaign, receipts[place], "accepted.parquet", columns)
        for row in table.filter(pc.field("sample_id").isin(sorted(samples))).to_pylist():
            shown[row["sample_id"]] = {"images": row["images"], "caption": row["caption"]}
    return shown
