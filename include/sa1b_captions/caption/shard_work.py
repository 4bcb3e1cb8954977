"""One shard on its way through an engine: what is left to caption, and what is done.

The receipts come last, when every sample has its row.
"""

import logging
import time
from typing import Any

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption import sampling
from sa1b_captions.caption.decoding.images import ShardReader
from sa1b_captions.caption.engines.base import Engine
from sa1b_captions.caption.occupancy import Measured
from sa1b_captions.caption.progress import Progress
from sa1b_captions.caption.resuming import parts
from sa1b_captions.caption.resuming.resume import read_stored
from sa1b_captions.caption.resuming.sameness import joined, require_one_writer, writers_of
from sa1b_captions.caption.resuming.track_generations import (
    PART_IDLE_S,
    TrackState,
    count,
    stored_blocks,
)
from sa1b_captions.caption.tally import Tally
from sa1b_captions.caption.worker import Outcome
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.generations import FIRST
from sa1b_captions.receipts import BegunNote, CaptionReceipt, IngestReceipt, Occupancy, Pace
from sa1b_captions.receipts.receipt_files import begun_place, digest, write_receipt
from sa1b_captions.recipe import TRACKS

_log = logging.getLogger(__name__)


class ShardWork:
    """A shard's tracks that are not captioned yet. `prepare.prepare` makes it.

    Attributes:
        shard: its name.
        todo: samples to caption, in the order a worker takes them.
        reader: where their JPEGs come from.
    """

    def __init__(
        self,
        campaign: Campaign,
        shard: str,
        states: dict[str, TrackState],
        plans: dict[str, list[sampling.Sample]],
        ingest: IngestReceipt | None,
        max_failure_share: float,
        run_id: str | None,
        image: str | None = None,
    ) -> None:
        """Take how the tracks stand, and the plans of those that are not done."""
        self.shard = shard
        self._campaign = campaign
        self._states = states
        self._plans = plans
        self._ingest = ingest
        self._run_id, self._image = run_id, image
        self._began = time.monotonic()
        generations = {track: states[track].generation for track in plans}
        self._stored = {
            track: read_stored(
                *(campaign, track, shard, generations[track], plan, max_failure_share),
                states[track].damaged,
            )
            for track, plan in plans.items()
        }
        self.todo = sampling.work_order(s for found in self._stored.values() for s in found.todo)
        archive = ingest.generation if ingest else FIRST
        self.reader = ShardReader(campaign.store, shard, self.todo, archive)
        self._tallies = {track: found.tally for track, found in self._stored.items()}
        captioned = {
            block: rows
            for found in self._stored.values()
            for block, rows in found.captioned.items()
        }
        self._writer = parts.BlockWriter(campaign, shard, generations, self.todo, captioned)
        self._left = len(self.todo)
        planned = {track: len(plan) for track, plan in plans.items()}
        self._progress = Progress(shard, planned, self.todo)
        self._measured = Measured(shard)

    @property
    def left(self) -> int:
        """Samples without an outcome."""
        return self._left

    @property
    def unwritten_rows(self) -> int:
        """Captions of unfinished blocks, which a kill would lose."""
        return self._writer.unwritten_rows

    @property
    def planned_rows(self) -> int:
        """Captions of the tracks that are not done."""
        return sum(len(plan) for plan in self._plans.values())

    @property
    def stored_rows(self) -> int:
        """Of these, what a kill leaves as it is."""
        return self.planned_rows - self._left - self.unwritten_rows

    @property
    def has_earlier(self) -> bool:
        """Whether other captions count until these are whole."""
        return any(self._states[track].has_earlier for track in self._plans)

    def start(self, engine: Engine) -> None:
        """Begin: note who begins the generations that are new, and measure from here on.

        Raises PermanentError: another engine, model or revision wrote what is stored of the shard.
        """
        written = {track: writers_of(self._states[track].counted) for track in self._states} | {
            track: found.writers for track, found in self._stored.items()
        }
        require_one_writer(self.shard, written, engine)
        for track in self._plans:
            state = self._states[track]
            if state.begun:
                # A kill may have left files half-written; a part's gains bytes without a pause.
                folder = layout.captions_prefix(self._campaign.name, track, self.shard)
                self._campaign.store.clear_unfinished(folder, PART_IDLE_S)
            elif state.generation != FIRST:
                self._note(track, state.generation, engine)
        self._progress.start()

    @property
    def _content(self) -> str | None:
        """Of the archive."""
        return None if self._ingest is None else self._ingest.content

    def _note(self, track: str, generation: str, engine: Engine) -> None:
        write_receipt(
            self._campaign.store,
            begun_place(self._campaign.name, track, self.shard, generation),
            BegunNote(
                engine=engine.name,
                model=engine.model,
                model_revision=engine.model_revision,
                content=self._content,
                run_id=self._run_id,
            ),
        )

    def add(self, outcome: Outcome, engine: Engine) -> None:
        """Take one sample's outcome; stores its block if it was the last one missing.

        Raises PermanentError: so many samples failed that the shard will; its reasons are named.
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
        self._measured.add(outcome, engine)
        tally = self._tallies[sample.track.name]
        tally.add(reply.status.value, reply.error_code, reply.error)
        if self._left and tally.is_hopeless():
            raise PermanentError(tally.describe())

    def add_neighbour(self, outcome: Outcome) -> None:
        """Count a sample of another shard, which had a place of the window meanwhile."""
        self._measured.add_neighbour(outcome)

    def log(self) -> None:
        """Log how far the shard is."""
        if self.todo:
            self._progress.log()

    def finish(
        self, engine: Engine | None, *, load_s: float | None = None, profile: str | None = None
    ) -> dict[str, Any]:
        """Write the receipts of the tracks that lack one, and return the stage's result.

        Args:
            engine: what captioned the samples; None when nothing was to caption.
            load_s: seconds that the engine took to load, if no other shard's receipt says so.
            profile: pod profile of this process, for the receipts.

        Raises:
            PermanentError: too many samples of a track failed; the other tracks are done.
            RetryableError: the store failed, or lost parts.
        """
        receipts = {t: one.counted for t, one in self._states.items() if one.counted}
        sick = {track: tally for track, tally in self._tallies.items() if tally.passes_limit()}
        occupancy = self._measured.occupancy(engine)
        pace = self._measured.pace(load_s, profile)
        for track, tally in self._tallies.items():
            if track not in sick:
                receipts[track] = self._write_receipt(track, tally, occupancy, pace, engine)
        if sick:
            raise PermanentError("; ".join(tally.describe() for tally in sick.values()))
        return {
            "stage": "caption",
            "shard": self.shard,
            "captioned": len(self.todo),
            "statuses": {track: receipts[track].statuses for track in TRACKS if track in receipts},
            "seconds": round(time.monotonic() - self._began, 1),
        }

    def _write_receipt(
        self,
        track: str,
        tally: Tally,
        occupancy: Occupancy,
        pace: Pace | None,
        engine: Engine | None,
    ) -> CaptionReceipt:
        campaign, shard, planned = self._campaign, self.shard, len(self._plans[track])
        generation = self._states[track].generation
        blocks = -(-planned // campaign.recipe.block_size)
        gone = set(range(blocks)) - stored_blocks(campaign, track, shard, generation)
        if gone or tally.statuses.total() != planned:
            raise RetryableError(
                f"{track}/{shard}: {len(gone)} of {blocks} parts are gone and "
                f"{tally.statuses.total()} of {planned} samples counted; somebody seems to have "
                "freed this generation: run it again"
            )
        writers = self._stored[track].writers
        if engine is not None and self._stored[track].todo:
            writers = writers | {(engine.name, engine.model, engine.model_revision)}
        name, model, revision = joined(writers)
        return count(
            campaign,
            CaptionReceipt(
                shard=shard,
                track=track,
                planned=planned,
                blocks=blocks,
                parts=parts.read_digests(campaign, track, shard, generation, blocks),
                statuses=dict(tally.statuses),
                occupancy=occupancy,
                pace=pace,
                recipe_fingerprint=campaign.recipe.fingerprint,
                input=digest(self._ingest),
                content=self._content,
                engine=name,
                model=model,
                model_revision=revision,
                generation=generation,
                image=self._image,
                mended=sorted(self._states[track].damaged),
                run_id=self._run_id,
            ),
            mended=self._states[track].counted,
        )
