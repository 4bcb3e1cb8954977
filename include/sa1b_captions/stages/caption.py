"""Caption stage: all tracks of a shard through one engine, in resumable blocks."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from sa1b_captions import shards
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption import parts, sampling
from sa1b_captions.caption.engines.base import Engine
from sa1b_captions.caption.images import ShardReader
from sa1b_captions.caption.progress import Progress
from sa1b_captions.caption.worker import Worker
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.receipts import digest, read_receipt, require_receipt, write_receipt
from sa1b_captions.recipe import TRACKS

_log = logging.getLogger(__name__)


def caption_shard(
    campaign: Campaign,
    shard: str,
    open_engine: Callable[[], Engine],
    *,
    tracks: Iterable[str] = TRACKS,
    force: bool = False,
    run_id: str | None = None,
    stop: threading.Event | None = None,
) -> dict[str, Any]:
    """Caption a shard's tracks, resuming from the parts that exist.

    Args:
        campaign: recipe and keys.
        shard: an ingested shard.
        open_engine: loads the model; called only if there is something to caption.
        tracks: tracks to caption, in any order.
        force: forget what is captioned and start anew, once per `run_id`.
        run_id: Airflow run, for the receipt.
        stop: set by SIGTERM; finish what is in flight and end with a RetryableError.

    Returns:
        Rows per status for each track, and the seconds it took.

    Raises:
        PermanentError: the shard is not ingested, and was not dropped after captioning either.
        RetryableError: store, engine or stop.
    """
    began = time.monotonic()
    wanted = [track for track in TRACKS if track in set(tracks)]
    stored = {
        track: read_receipt(campaign.store, campaign.caption_receipt(track, shard))
        for track in wanted
    }
    ingest_key = shards.ingest_receipt_key(shard)
    if not force and all(stored.values()) and not campaign.store.exists(ingest_key):
        _log.info("%s is captioned, and its archive dropped", shard)
        return _result(
            shard,
            0,
            {track: receipt["statuses"] for track, receipt in stored.items() if receipt},
            began,
        )
    ingest = require_receipt(
        campaign.store,
        ingest_key,
        stage=f"ingest of {shard}",
        hint=f"sa1b-captions ingest --shards {shard}",
    )
    if force:
        for track in wanted:
            parts.start_anew(campaign, track, shard, run_id)
    images = sampling.read_index(campaign.store, shard)
    plans = {
        track: sampling.plan_track(campaign.recipe, campaign.recipe.tracks[track], shard, images)
        for track in wanted
    }
    todo = _unfinished(campaign, shard, plans)
    _caption(campaign, shard, todo, open_engine, stop)
    summary = {
        track: _finish_track(campaign, shard, track, len(plan), digest(ingest), run_id)
        for track, plan in plans.items()
    }
    return _result(shard, len(todo), summary, began)


def _result(
    shard: str, captioned: int, statuses: dict[str, dict[str, int]], began: float
) -> dict[str, Any]:
    return {
        "stage": "caption",
        "shard": shard,
        "captioned": captioned,
        "statuses": statuses,
        "seconds": round(time.monotonic() - began, 1),
    }


def _unfinished(
    campaign: Campaign, shard: str, plans: dict[str, list[sampling.Sample]]
) -> list[sampling.Sample]:
    size = campaign.recipe.block_size
    todo = []
    for track, plan in plans.items():
        stored = parts.stored_blocks(campaign, track, shard)
        missing = [sample for sample in plan if parts.block_of(sample, size) not in stored]
        if stored and missing:
            _log.info("%s/%s: resuming, %d samples left", track, shard, len(missing))
        todo += missing
    return sampling.work_order(todo)


def _caption(
    campaign: Campaign,
    shard: str,
    todo: list[sampling.Sample],
    open_engine: Callable[[], Engine],
    stop: threading.Event | None,
) -> None:
    if not todo:
        return
    engine = open_engine()
    totals = {track: sum(s.track.name == track for s in todo) for track in TRACKS}
    progress = Progress(shard, totals)
    writer = parts.BlockWriter(campaign, shard, todo)
    reader = ShardReader(campaign.store, shard, todo)
    worker = Worker(engine, reader, campaign.recipe.generation, stop=stop)
    try:
        for outcome in worker.run(todo):
            row = parts.caption_row(
                outcome.sample,
                outcome.reply,
                engine=engine,
                fingerprint=campaign.recipe.fingerprint,
                attempt=outcome.attempt,
                latency_s=outcome.latency_s,
            )
            writer.add(outcome.sample, row)
            progress.add(outcome.sample.track.name, outcome.reply.completion_tokens)
    except RetryableError as error:
        raise RetryableError(
            f"{shard}: {error} ({writer.unwritten_rows} captions of unfinished blocks are lost)"
        ) from error
    finally:
        engine.close()
        progress.log()


def _finish_track(
    campaign: Campaign, shard: str, track: str, planned: int, ingest_digest: str, run_id: str | None
) -> dict[str, int]:
    """Write the track's receipt unless it stands, and return its rows per status."""
    key = campaign.caption_receipt(track, shard)
    receipt = read_receipt(campaign.store, key)
    if receipt is None:
        blocks = -(-planned // campaign.recipe.block_size)
        statuses = parts.count_statuses(campaign, track, shard, range(blocks))
        if sum(statuses.values()) != planned:
            raise PermanentError(
                f"{track}/{shard}: {sum(statuses.values())} rows stored for {planned} planned "
                "samples; caption the shard again with --force"
            )
        receipt = write_receipt(
            campaign.store,
            key,
            stage="caption",
            shard=shard,
            track=track,
            planned=planned,
            blocks=blocks,
            statuses=statuses,
            recipe_fingerprint=campaign.recipe.fingerprint,
            input=ingest_digest,
            run_id=run_id,
        )
    statuses_stored: dict[str, int] = receipt["statuses"]
    return statuses_stored
