"""One shard on its way through an engine: what is left to caption, and what is done.

Preparing reads the index and the stored parts, which takes seconds; it may run in another thread
while the shard before it is captioned. The receipts come last, when every sample has its row.
"""

import dataclasses
import logging
import time
from collections.abc import Iterable
from typing import Any

from sa1b_captions.campaign import Campaign
from sa1b_captions.caption import parts, sampling
from sa1b_captions.caption.engines.base import Engine
from sa1b_captions.caption.images import ShardReader
from sa1b_captions.caption.occupancy import Span, window_occupancy
from sa1b_captions.caption.progress import Progress
from sa1b_captions.caption.resume import read_stored
from sa1b_captions.caption.tally import Tally
from sa1b_captions.caption.worker import Outcome
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.receipt_files import (
    caption_place,
    digest,
    ingest_place,
    read_receipt,
    require_receipt,
    write_receipt,
)
from sa1b_captions.receipts import CaptionReceipt, IngestReceipt, Occupancy
from sa1b_captions.recipe import TRACKS

_log = logging.getLogger(__name__)

_SHARES_CORES = "preview"
"""The engine that has no hardware of its own."""


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
        done: dict[str, CaptionReceipt],
        plans: dict[str, list[sampling.Sample]],
        ingest: IngestReceipt | None,
        max_failure_share: float,
        run_id: str | None,
    ) -> None:
        """Take the receipts of tracks that are done and the plans of those that are not."""
        self.shard = shard
        self._campaign = campaign
        self._done = done
        self._plans = plans
        self._ingest = ingest
        self._run_id = run_id
        self._began = time.monotonic()
        stored = {
            track: read_stored(campaign, track, shard, plan, max_failure_share)
            for track, plan in plans.items()
        }
        self.todo = sampling.work_order(s for found in stored.values() for s in found.todo)
        self.reader = ShardReader(campaign.store, shard, self.todo)
        self._tallies = {track: found.tally for track, found in stored.items()}
        kept = {block: rows for found in stored.values() for block, rows in found.kept.items()}
        self._writer = parts.BlockWriter(campaign, shard, self.todo, kept)
        self._left = len(self.todo)
        planned = {track: len(plan) for track, plan in plans.items()}
        self._progress = Progress(shard, planned, self.todo)
        self._taken: list[Span] = []
        self._neighbours: list[Span] = []

    @property
    def left(self) -> int:
        """Samples without an outcome."""
        return self._left

    @property
    def unwritten_rows(self) -> int:
        """Captions of unfinished blocks, which a kill would lose."""
        return self._writer.unwritten_rows

    def start(self) -> None:
        """Begin to measure: the first sample is taken."""
        self._progress.start()

    def add(self, outcome: Outcome, engine: Engine) -> None:
        """Take one sample's outcome; stores its block if it was the last one missing.

        Raises:
            PermanentError: so many samples failed that the shard will; its reasons are named.
            RetryableError: the store failed.
        """
        sample, reply = outcome.sample, outcome.reply
        row = parts.caption_row(
            sample,
            reply,
            engine=engine,
            fingerprint=self._campaign.recipe.fingerprint,
            attempt=outcome.attempt,
            latency_s=outcome.latency_s,
            hashes=outcome.hashes,
        )
        self._writer.add(sample, row)
        self._left -= 1
        self._progress.add(sample, reply)
        if outcome.latency_s:
            self._taken.append(_span(outcome))
        tally = self._tallies[sample.track.name]
        tally.add(reply.status.value, reply.error_code, reply.error)
        if self._left and tally.is_hopeless():
            raise PermanentError(tally.describe())

    def add_neighbour(self, outcome: Outcome) -> None:
        """Count a sample of another shard, which had a place of the window meanwhile."""
        if outcome.latency_s:
            self._neighbours.append(_span(outcome))

    def log(self) -> None:
        """Log how far the shard is."""
        if self.todo:
            self._progress.log()

    def finish(self, engine: Engine | None) -> dict[str, Any]:
        """Write the receipts of the tracks that lack one, and return the stage's result.

        Args:
            engine: what captioned the samples; None when nothing was to caption.

        Raises:
            PermanentError: too many samples of a track failed; the other tracks are done.
            RetryableError: the store failed, or lost parts.
        """
        receipts = dict(self._done)
        sick = {track: tally for track, tally in self._tallies.items() if tally.passes_limit()}
        occupancy = self._occupancy(engine)
        for track, tally in self._tallies.items():
            if track not in sick:
                receipts[track] = self._write_receipt(track, tally, occupancy)
        if sick:
            raise PermanentError("; ".join(tally.describe() for tally in sick.values()))
        return {
            "stage": "caption",
            "shard": self.shard,
            "captioned": len(self.todo),
            "statuses": {track: receipts[track].statuses for track in TRACKS if track in receipts},
            "seconds": round(time.monotonic() - self._began, 1),
        }

    def _occupancy(self, engine: Engine | None) -> Occupancy:
        """How full this run kept the window, for the receipts and the log."""
        found = window_occupancy(self._taken, engine.window if engine else 1, self._neighbours)
        if found.tells and engine and engine.name == _SHARES_CORES:
            note = "the engine shares its cores with the decoding: under 1 is usual"
            found = dataclasses.replace(found, note=note)
        if found.low:
            _log.warning("%s: the GPU waits for images: %s", self.shard, found.describe())
        elif self._taken:
            _log.info("%s: %s", self.shard, found.describe())
        return found

    def _write_receipt(self, track: str, tally: Tally, occupancy: Occupancy) -> CaptionReceipt:
        campaign, shard, planned = self._campaign, self.shard, len(self._plans[track])
        blocks = -(-planned // campaign.recipe.block_size)
        gone = set(range(blocks)) - parts.stored_blocks(campaign, track, shard)
        if gone or tally.statuses.total() != planned:
            raise RetryableError(
                f"{track}/{shard}: {len(gone)} of {blocks} parts are gone and "
                f"{tally.statuses.total()} of {planned} samples counted; another worker seems to "
                "have started anew: run it again"
            )
        return write_receipt(
            campaign.store,
            caption_place(campaign.name, track, shard),
            CaptionReceipt(
                shard=shard,
                track=track,
                planned=planned,
                blocks=blocks,
                statuses=dict(tally.statuses),
                occupancy=occupancy,
                recipe_fingerprint=campaign.recipe.fingerprint,
                input=digest(self._ingest),
                run_id=self._run_id,
            ),
        )


def prepare(
    campaign: Campaign,
    shard: str,
    *,
    tracks: Iterable[str] = TRACKS,
    force: bool = False,
    max_failure_share: float = 1.0,
    run_id: str | None = None,
) -> ShardWork:
    """Find out what is left of a shard.

    Args:
        campaign: recipe and keys.
        shard: an ingested shard.
        tracks: tracks to caption, in any order.
        force: forget what is captioned, once per `run_id`.
        max_failure_share: share of a track's samples that may fail.
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
        track: read_receipt(campaign.store, caption_place(campaign.name, track, shard))
        for track in wanted
    }
    done = {track: receipt for track, receipt in found.items() if receipt is not None}
    if len(done) == len(wanted):
        _log.info("%s is captioned already", shard)
        return ShardWork(campaign, shard, done, {}, None, max_failure_share, run_id)
    ingest = _require_ingest(campaign, shard)
    images = sampling.read_index(campaign.store, shard)
    plans = {
        track: sampling.plan_track(campaign.recipe, campaign.recipe.tracks[track], shard, images)
        for track in wanted
        if track not in done
    }
    return ShardWork(campaign, shard, done, plans, ingest, max_failure_share, run_id)


def _span(outcome: Outcome) -> Span:
    return outcome.began_s, outcome.began_s + outcome.latency_s


def _require_ingest(campaign: Campaign, shard: str) -> IngestReceipt:
    return require_receipt(campaign.store, ingest_place(shard))
