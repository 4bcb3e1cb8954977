"""Caption stage: all tracks of some shards through one engine, in resumable blocks.

The engine is opened once, and only if some shard needs it; nothing is written before it is open.
The worker draws its samples from one stream over all shards, and each shard is made ready while the
one before it is captioned, so the engine does not run dry between two shards.
"""

import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.decoding.images import ShardReader
from sa1b_captions.caption.engines.base import Engine
from sa1b_captions.caption.resuming.prepare import prepare
from sa1b_captions.caption.sampling import Sample
from sa1b_captions.caption.shard_work import ShardWork
from sa1b_captions.caption.worker import Outcome, Unreadable, Worker
from sa1b_captions.errors import CaptioningError, PermanentError, RetryableError
from sa1b_captions.observing import telemetry
from sa1b_captions.plurals import counted
from sa1b_captions.recipe import TRACKS
from sa1b_captions.shards import format_selection

_log = logging.getLogger(__name__)


def caption_shards(
    campaign: Campaign,
    shards: Sequence[str],
    open_engine: Callable[[], Engine],
    *,
    tracks: Iterable[str] = TRACKS,
    force: bool = False,
    run_id: str | None = None,
    stop: threading.Event | None = None,
    max_failure_share: float = 1.0,
    by_hand: str = "hand",
    image: str | None = None,
    profile: str | None = None,
) -> dict[str, dict[str, Any]]:
    """Caption the tracks of some shards, resuming from the parts that exist.

    A shard that cannot be captioned does not keep the others from it.

    Args:
        shards: ingested shards, captioned one after the other.
        open_engine: loads the model; called once, if there is something to caption.
        force: caption what is captioned already in a new generation, one per `run_id`; the present
            one counts until the new one is whole.
        stop: set by SIGTERM; finish what is in flight and end with a RetryableError.
        max_failure_share: share of a track's samples that may fail before its shard does.
        by_hand: names the generation of a forced run without an id; letters and digits.
        image: container image of this process, for the receipts.
        profile: pod profile of this process, for the receipts.

    Returns:
        For each shard the rows per status of each track, and the seconds it took.

    Raises:
        PermanentError: naming every shard that failed and why; the others are captioned.
        RetryableError: the engine, the store or `stop` ended the work, or some shard may succeed
            another time: a retry then does all it can before what is permanent ends it.
    """
    run = _Run(
        partial(
            prepare,
            campaign,
            tracks=tuple(tracks),
            force=force,
            max_failure_share=max_failure_share,
            run_id=run_id,
            by_hand=by_hand,
            image=image,
        ),
        open_engine,
        profile,
    )
    with contextlib.closing(run), contextlib.closing(run.feed(shards)) as feed:
        try:
            first = next(feed, None)
            if first is not None:
                worker = Worker(run.engine, campaign.recipe.generation, stop=stop)
                for outcome in worker.run(itertools.chain([first], feed)):
                    run.take(outcome)
        except RetryableError as error:
            anew = force and run_id is None  # then what is whole is begun anew, not skipped
            raise RetryableError(run.interrupted(error, shards, anew=anew)) from error
    if run.failures:
        raise _failure(run.failures, len(shards))
    return {shard: run.results[shard] for shard in shards}


class _Run:
    """Shards on their way through one engine."""

    def __init__(
        self,
        prepare_shard: Callable[[str], ShardWork],
        open_engine: Callable[[], Engine],
        profile: str | None,
    ) -> None:
        self.results: dict[str, dict[str, Any]] = {}
        self.failures: dict[str, CaptioningError] = {}
        self._prepare = prepare_shard
        self._open_engine = open_engine
        self._profile = profile
        self._engine: Engine | None = None
        self._load_s: float | None = None
        self._open: dict[str, ShardWork] = {}

    @property
    def engine(self) -> Engine:
        """The engine, opened when it is first asked for."""
        if self._engine is None:
            began = time.monotonic()
            self._engine = self._open_engine()
            self._load_s = round(time.monotonic() - began, 1)
            telemetry.send(telemetry.of(telemetry.LOAD_TIME, self._load_s))
        return self._engine

    def close(self) -> None:
        """Close the engine if it was opened."""
        if self._engine is not None:
            self._engine.close()

    def feed(self, shards: Sequence[str]) -> Generator[tuple[Sample, ShardReader], None, None]:
        """Samples of all shards in turn, each with its shard's reader."""
        with ThreadPoolExecutor(1, "prepare") as pool:
            ready = pool.submit(self._prepare, shards[0])
            for place, shard in enumerate(shards):
                prepared = ready
                try:
                    work = prepared.result()
                except CaptioningError as error:
                    self._fail(shard, error)
                    work = None
                if place + 1 < len(shards):
                    ready = pool.submit(self._prepare, shards[place + 1])
                if work is not None:
                    yield from self._samples(work)

    def _samples(self, work: ShardWork) -> Iterator[tuple[Sample, ShardReader]]:
        self._open[work.shard] = work
        if not work.todo:
            self._finish(work, None)
            return
        engine = self.engine
        try:
            work.start(engine)
        except PermanentError as error:
            self._fail(work.shard, error)
        for sample in work.todo:
            if work.shard in self.failures:
                return
            yield sample, work.reader

    def take(self, outcome: Outcome | Unreadable) -> None:
        """Store what became of a sample; the last one of a shard finishes it."""
        work = self._open[outcome.sample.shard]
        if isinstance(outcome, Unreadable):
            self._fail(work.shard, outcome.error)
            return
        for other in self._open.values():
            if other is not work and other.shard not in self.failures:
                other.add_neighbour(outcome)
        try:
            work.add(outcome, self.engine)
        except PermanentError as error:
            self._fail(work.shard, error)
        if not work.left and work.shard not in self.failures:
            self._finish(work, self.engine)

    def _finish(self, work: ShardWork, engine: Engine | None) -> None:
        work.log()
        try:
            self.results[work.shard] = work.finish(
                engine, load_s=self._load_s, profile=self._profile
            )
            if engine is not None:
                self._load_s = None
        except CaptioningError as error:
            self._fail(work.shard, error)
        del self._open[work.shard]

    def _fail(self, shard: str, error: CaptioningError) -> None:
        if shard not in self.failures:
            _log.error("%s failed: %s", shard, str(error).removeprefix(f"{shard}: "))
            self.failures[shard] = error

    def interrupted(self, error: RetryableError, shards: Sequence[str], *, anew: bool) -> str:
        """What an error that ends the run says to people: what is safe, what is not, what to do.

        Args:
            anew: whether the same command begins shards anew that it has captioned.
        """
        cut_off = [work for shard, work in self._open.items() if shard not in self.failures]
        lost = sum(work.unwritten_rows for work in self._open.values())
        safe = [f"{', '.join(self.results)} captioned"] if self.results else []
        safe += [
            f"{work.stored_rows} of {work.planned_rows} captions of {work.shard} are stored"
            for work in cut_off
            if work.stored_rows
        ]
        parts = [str(error), f"safe: {', '.join(safe) if safe else 'all that was stored before'}"]
        if any(work.has_earlier for work in cut_off):
            parts.append("the earlier captions count until the new ones are whole")
        parts.append(f"lost: {counted(lost, 'caption')} of unfinished blocks")
        parts += [
            f"{shard} failed: {str(reason).removeprefix(f'{shard}: ')}"
            for shard, reason in self.failures.items()
        ]
        again = "to go on, run the same command again or clear the task"
        if anew and self.results:
            left = format_selection([shard for shard in shards if shard not in self.results])
            again = f"to go on, run the same command again with --shards {left}"
        return "; ".join([*parts, again])


def _failure(failures: dict[str, CaptioningError], shards: int) -> CaptioningError:
    """One error for all shards that failed; retryable if a retry can mend any of them."""
    reasons = "; ".join(
        f"{shard}: {str(error).removeprefix(f'{shard}: ')}" for shard, error in failures.items()
    )
    message = f"{len(failures)} of {shards} shards failed: {reasons}" if shards > 1 else reasons
    retryable = any(isinstance(error, RetryableError) for error in failures.values())
    return RetryableError(message) if retryable else PermanentError(message)
