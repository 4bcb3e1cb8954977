"""One shard on its way through an engine: what is left to caption, and what is done.

Preparing reads the index and the stored parts, which takes seconds; it may run in another thread
while the shard before it is captioned. The receipts come last, when every sample has its row.
"""

import logging
import time
from collections.abc import Iterable
from typing import Any

from sa1b_captions import shards
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption import parts, sampling
from sa1b_captions.caption.engines.base import Engine
from sa1b_captions.caption.images import ShardReader
from sa1b_captions.caption.progress import Progress
from sa1b_captions.caption.worker import Outcome
from sa1b_captions.errors import PermanentError
from sa1b_captions.receipts import Receipt, digest, read_receipt, require_receipt, write_receipt
from sa1b_captions.recipe import TRACKS

_log = logging.getLogger(__name__)


class ShardWork:
    """A shard's tracks that are not captioned yet. `prepare` makes it.

    Attributes:
        shard: its name.
        todo: samples to caption, in the order a worker takes them.
        reader: where their JPEGs come from.
    """

    def __init__(
        self,
        campaign: Campaign,
        shard: str,
        standing: dict[str, Receipt],
        plans: dict[str, list[sampling.Sample]],
        ingest: Receipt | None,
        run_id: str | None,
    ) -> None:
        """Take the receipts of tracks that are done and the plans of those that are not."""
        self.shard = shard
        self._campaign = campaign
        self._standing = standing
        self._plans = plans
        self._ingest = ingest
        self._run_id = run_id
        self._began = time.monotonic()
        self.todo = sampling.work_order(
            sample
            for track, plan in plans.items()
            for sample in parts.unfinished(campaign, track, shard, plan)
        )
        self.reader = ShardReader(campaign.store, shard, self.todo)
        self._left = len(self.todo)
        self._writer = parts.BlockWriter(campaign, shard, self.todo)
        self._progress = Progress(
            shard, {track: sum(s.track.name == track for s in self.todo) for track in TRACKS}
        )

    @property
    def left(self) -> int:
        """Samples without an outcome."""
        return self._left

    @property
    def unwritten_rows(self) -> int:
        """Captions of unfinished blocks, which a kill would lose."""
        return self._writer.unwritten_rows

    def add(self, outcome: Outcome, engine: Engine) -> None:
        """Take one sample's outcome; stores its block if it was the last one missing."""
        row = parts.caption_row(
            outcome.sample,
            outcome.reply,
            engine=engine,
            fingerprint=self._campaign.recipe.fingerprint,
            attempt=outcome.attempt,
            latency_s=outcome.latency_s,
            hashes=outcome.hashes,
        )
        self._writer.add(outcome.sample, row)
        self._left -= 1
        self._progress.add(outcome.sample.track.name, outcome.reply.completion_tokens)

    def log(self) -> None:
        """Log how far the shard is."""
        if self.todo:
            self._progress.log()

    def finish(self) -> dict[str, Any]:
        """Write the receipts of the tracks that lack one, and return the stage's result.

        Raises:
            PermanentError: a track's parts do not hold what is planned.
            RetryableError: the store failed.
        """
        receipts = dict(self._standing)
        for track, plan in self._plans.items():
            receipts[track] = self._write_receipt(track, len(plan))
        return {
            "stage": "caption",
            "shard": self.shard,
            "captioned": len(self.todo),
            "statuses": {
                track: receipts[track]["statuses"] for track in TRACKS if track in receipts
            },
            "seconds": round(time.monotonic() - self._began, 1),
        }

    def _write_receipt(self, track: str, planned: int) -> Receipt:
        campaign, shard = self._campaign, self.shard
        blocks = -(-planned // campaign.recipe.block_size)
        statuses = parts.count_statuses(campaign, track, shard, range(blocks))
        if sum(statuses.values()) != planned:
            raise PermanentError(
                f"{track}/{shard}: {sum(statuses.values())} rows stored for {planned} planned "
                "samples; caption the shard again with --force"
            )
        return write_receipt(
            campaign.store,
            campaign.caption_receipt(track, shard),
            stage="caption",
            shard=shard,
            track=track,
            planned=planned,
            blocks=blocks,
            statuses=statuses,
            recipe_fingerprint=campaign.recipe.fingerprint,
            input=digest(self._ingest),
            run_id=self._run_id,
        )


def prepare(
    campaign: Campaign,
    shard: str,
    *,
    tracks: Iterable[str] = TRACKS,
    force: bool = False,
    run_id: str | None = None,
) -> ShardWork:
    """Find out what is left of a shard.

    Args:
        campaign: recipe and keys.
        shard: an ingested shard.
        tracks: tracks to caption, in any order.
        force: forget what is captioned, once per `run_id`.
        run_id: Airflow run, for the receipts.

    Raises:
        PermanentError: the shard is not ingested, and was not dropped after captioning either.
        RetryableError: the store failed.
    """
    chosen = set(tracks)
    wanted = [track for track in TRACKS if track in chosen]
    if force:
        # Not before it is known that the shard can be captioned at all.
        _require_ingest(campaign, shard)
        for track in wanted:
            parts.start_anew(campaign, track, shard, run_id)
    found = {
        track: read_receipt(campaign.store, campaign.caption_receipt(track, shard))
        for track in wanted
    }
    standing = {track: receipt for track, receipt in found.items() if receipt is not None}
    if len(standing) == len(wanted):
        _log.info("%s is captioned already", shard)
        return ShardWork(campaign, shard, standing, {}, None, run_id)
    ingest = _require_ingest(campaign, shard)
    images = sampling.read_index(campaign.store, shard)
    plans = {
        track: sampling.plan_track(campaign.recipe, campaign.recipe.tracks[track], shard, images)
        for track in wanted
        if track not in standing
    }
    return ShardWork(campaign, shard, standing, plans, ingest, run_id)


def _require_ingest(campaign: Campaign, shard: str) -> Receipt:
    return require_receipt(
        campaign.store,
        shards.ingest_receipt_key(shard),
        stage=f"ingest of {shard}",
        hint=f"sa1b-captions ingest --shards {shard}",
    )
