"""Audit stage: ask a judge whether the images show what sentences of accepted captions say.

The judge is an engine like any other. One track of a shard is the unit: a run that is cut off loses
the track that it was asking about, and goes on behind those that have their receipts.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa

from sa1b_captions import layout, records
from sa1b_captions.audit import answers as reading
from sa1b_captions.audit.judge import ANSWER_TOKENS, ANSWERED, TOP_TOKENS
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.asking import Asker
from sa1b_captions.caption.engines.base import Engine
from sa1b_captions.chance import allowed_share
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.audits import accepted_version, audit_fingerprint, is_fresh
from sa1b_captions.freshness.shard_freshness import judge_track
from sa1b_captions.receipts import AuditReceipt
from sa1b_captions.receipts.receipt_files import (
    audit_place,
    caption_place,
    curate_place,
    ingest_place,
    read_receipt,
    require_receipt,
    write_receipt,
)
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.auditing.audit_questions import (
    answer_rows,
    count_tokens,
    prepare_questions,
)
from sa1b_captions.stages.auditing.judge_choice import require_audit
from sa1b_captions.storage import ABANDONED_S

_log = logging.getLogger(__name__)


def audit_shards(
    campaign: Campaign,
    shards: Sequence[str],
    open_judge: Callable[[], Engine],
    *,
    tracks: Iterable[str] = TRACKS,
    force: bool = False,
    run_id: str | None = None,
    max_failure_share: float = 1.0,
) -> dict[str, Any]:
    """Audit some tracks of curated shards; skip those whose audit is up to date.

    Args:
        shards: curated ones.
        open_judge: loads the judge; called once, if there is something to ask.
        force: ask again although nothing changed.
        max_failure_share: share of the questions that may stay without an answer.

    Raises:
        PermanentError: the recipe asks for no audit, a track is not curated, its archive is gone,
            or too many questions stayed without an answer.
        RetryableError: the judge or the store failed; finished tracks stand.
    """
    require_audit(campaign.recipe)
    chosen = set(tracks)
    run = _Run(campaign, open_judge, run_id, max_failure_share)
    try:
        found = {
            shard: _audit_shard(run, shard, [t for t in TRACKS if t in chosen], force=force)
            for shard in shards
        }
    finally:
        run.close()
    return {"stage": "audit", "shards": found}


class _Run:
    """A judge, opened when it is first needed, and what goes for all shards."""

    def __init__(
        self,
        campaign: Campaign,
        open_judge: Callable[[], Engine],
        run_id: str | None,
        max_failure_share: float,
    ) -> None:
        self.campaign = campaign
        self.run_id = run_id
        self.max_failure_share = max_failure_share
        self._open_judge = open_judge
        self._opened: tuple[Engine, Asker] | None = None

    @property
    def opened(self) -> tuple[Engine, Asker]:
        """The judge, and what asks it."""
        if self._opened is None:
            engine = self._open_judge()
            generation = self.campaign.recipe.generation
            self._opened = engine, Asker(engine, generation, ANSWER_TOKENS, TOP_TOKENS)
        return self._opened

    def close(self) -> None:
        """Close the judge if it was opened."""
        if self._opened is not None:
            self._opened[0].close()


def _audit_shard(run: _Run, shard: str, tracks: Sequence[str], *, force: bool) -> dict[str, Any]:
    began = time.monotonic()
    receipts = {track: _audit_track(run, track, shard, force=force) for track in tracks}
    return {
        "tracks": {
            track: {"drawn": one.drawn, "answers": one.answers} for track, one in receipts.items()
        },
        "seconds": round(time.monotonic() - began, 1),
    }


def _audit_track(run: _Run, track: str, shard: str, *, force: bool) -> AuditReceipt:
    campaign = run.campaign
    store, name = campaign.store, campaign.name
    curated = require_receipt(store, curate_place(name, track, shard))
    ingest = read_receipt(store, ingest_place(shard))
    captions = read_receipt(store, caption_place(name, track, shard))
    for stale in judge_track(campaign, ingest, captions, curated, f"{track}/{shard}").stale:
        raise PermanentError(f"{stale}, then audit it")
    place = audit_place(name, track, shard)
    done = None if force else read_receipt(store, place)
    if done is not None and is_fresh(campaign, done, curated):
        _log.info("%s/%s is audited already", track, shard)
        return done
    questions = prepare_questions(campaign, curated, ingest)
    engine, asker = run.opened
    replies = asker.ask(questions.inquiries, questions.reader)
    rows = answer_rows(questions, replies)
    _require_answers(rows, run.max_failure_share, f"{track}/{shard}")
    # From here until the new receipt, an old one would vouch for a mixture of old and new.
    store.delete(place.key)
    store.clear_unfinished(layout.audit_key(name, track, shard, ""), ABANDONED_S)
    key = layout.audit_key(name, track, shard, "answers.parquet")
    table = pa.Table.from_pylist(rows, records.ANSWER_SCHEMA)
    files = {"answers.parquet": records.write_table(store, key, table, records.ANSWER_SCHEMA)}
    receipt = AuditReceipt(
        shard=shard,
        track=track,
        accepted=curated.accepted,
        drawn=len(questions.drawn),
        answers=reading.count_answers(rows),
        counts=reading.count_sentences(rows),
        slices=reading.count_slices(rows, campaign.recipe.tracks[track].language),
        engine=engine.name,
        model=engine.model,
        model_revision=engine.model_revision,
        judges_itself=engine.model in questions.writers,
        tokens=count_tokens(questions, rows),
        audit_fingerprint=audit_fingerprint(campaign.recipe),
        input=accepted_version(curated),
        files=files,
        run_id=run.run_id,
    )
    _log.info("%s/%s: %d captions asked about, %s", track, shard, receipt.drawn, receipt.answers)
    return write_receipt(store, place, receipt)


def _require_answers(rows: Sequence[dict[str, Any]], limit: float, where: str) -> None:
    """Refuse an audit of which too many questions have no answer: the others may be the easy ones.

    Raises PermanentError naming the most frequent of what came in place of answers.
    """
    lost = [row for row in rows if row["answer"] not in ANSWERED]
    if rows and len(lost) / len(rows) > allowed_share(limit, len(rows)):
        said = [f"{row['answer']}: {row['said']!r}" for row in lost]
        raise PermanentError(
            f"{where}: {len(lost)} of {len(rows)} questions have no answer of yes, no or cannot "
            f"tell, most often {max(set(said), key=said.count)}; a judge must answer in one of "
            "these words: choose another one, or raise CAPTIONS_MAX_FAILURE_SHARE"
        )
