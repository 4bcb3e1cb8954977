"""The worker: keeps an engine's window full from the first sample to the last.

    reader ─► decode threads ─► window of requests in the engine ─► block writer

Decoding runs ahead of the window by a fixed number of samples, so memory is bounded by
`window + prefetch` decoded samples whatever the shard's size. For an engine that sends the stored
JPEGs, images are decoded only to find the broken ones and to take their hashes, and dropped one by
one.
"""

import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

from sa1b_captions.caption.decoding.images import (
    ShardReader,
    UndecodableImageError,
    decode_jpeg,
    without_orientation,
)
from sa1b_captions.caption.decoding.perceptual_hash import ImageHashes, hash_image
from sa1b_captions.caption.engines.base import Engine, Reply, Request
from sa1b_captions.caption.engines.generation import LASTING
from sa1b_captions.caption.engines.storable import ask
from sa1b_captions.caption.loops import is_loop
from sa1b_captions.caption.sampling import Sample
from sa1b_captions.caption.tally import FAILED
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.observing.log_format import naming
from sa1b_captions.recipe import Generation
from sa1b_captions.records import CaptionStatus

if TYPE_CHECKING:
    from PIL.Image import Image

_log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
"""Tries per sample. A greedy loop survives identical retries, so engines vary the sampling. What
fails to the last is a row with its status; a caption that still repeats itself stays `ok`, for
curate judges texts, by the recipe's limits, and a rule may change."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One finished sample."""

    sample: Sample
    reply: Reply
    attempt: int
    """Tries it took, from 1."""
    began_s: float
    """When the engine got it, by `time.monotonic`."""
    latency_s: float
    """Seconds in the engine, all tries together; 0 when it never got there."""
    hashes: tuple[ImageHashes, ...] | None = None
    """Of the sample's images; None when one of them cannot be decoded."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A sample whose archive cannot be read: a fault of its shard, not of the sample."""

    sample: Sample
    error: PermanentError


class Worker:
    """Captions samples through one engine."""

    def __init__(
        self,
        engine: Engine,
        generation: Generation,
        *,
        stop: threading.Event | None = None,
        decode_threads: int | None = None,
        prefetch: int | None = None,
    ) -> None:
        """Make a worker.

        Args:
            stop: once set, nothing more is asked; what the engine has is finished.
            decode_threads: threads that decode JPEGs; by default one per core.
            prefetch: decoded samples that wait for a free place; by default half a window.
        """
        self._engine = engine
        self._generation = generation
        self._stop = stop or threading.Event()
        self._decode_threads = decode_threads or len(os.sched_getaffinity(0))
        self._prefetch = prefetch or max(2, engine.window // 2)

    def run(self, samples: Iterable[tuple[Sample, ShardReader]]) -> Iterator[Outcome | Unreadable]:
        """Yield outcomes as they finish, in any order.

        Args:
            samples: what to caption, each with the reader of its shard's JPEGs. Taken one by one
                as places get free, so they may be many shards', each made ready when it is due.

        Raises RetryableError: the engine or the store failed, or `stop` was set before the last
        sample; outcomes already yielded stand.
        """
        waiting = iter(samples)
        live: set[Future[Outcome | Unreadable | None]] = set()
        # Not `wait`, which asks the lock of every future that is live each time that one is done.
        ended: SimpleQueue[Future[Outcome | Unreadable | None]] = SimpleQueue()
        limit = self._engine.window + self._prefetch
        with (
            ThreadPoolExecutor(self._decode_threads, "decode") as decoders,
            ThreadPoolExecutor(self._engine.window, "caption") as callers,
        ):
            try:
                exhausted = cut_short = False
                while True:
                    while not exhausted and len(live) < limit and not self._stop.is_set():
                        following = next(waiting, None)
                        if following is None:
                            exhausted = True
                            break
                        sample, reader = following
                        decoded = decoders.submit(
                            _decode, sample, reader, keep_pixels=self._engine.needs_pixels
                        )
                        future = callers.submit(self._finish, sample, decoded)
                        live.add(future)
                        future.add_done_callback(ended.put)
                    dropped = self._dropped(live)
                    live, exhausted = live - dropped, exhausted and not dropped
                    if not live:
                        break
                    done = [ended.get(), *(ended.get() for _ in range(ended.qsize()))]
                    done = [future for future in done if future in live]
                    live.difference_update(done)
                    # Finished captions first: a failure beside them must not cost them.
                    for future in sorted(done, key=lambda f: f.exception() is not None):
                        outcome = future.result()
                        if outcome is None:
                            cut_short = True
                        else:
                            yield outcome
            except BaseException:
                for future in live:
                    future.cancel()
                decoders.shutdown(wait=False, cancel_futures=True)
                raise
        if cut_short or not exhausted:
            raise RetryableError("stopped on request")

    def _dropped(
        self, live: "set[Future[Outcome | Unreadable | None]]"
    ) -> "set[Future[Outcome | Unreadable | None]]":
        """Samples that a stop keeps from the engine."""
        if not self._stop.is_set():
            return set()
        return {future for future in live if future.cancel()}

    def _finish(self, sample: Sample, decoded: "Future[_Decoded]") -> Outcome | Unreadable | None:
        """Caption one sample; None if `stop` came before a try that it still deserves."""
        with naming(sample.sample_id):
            return self._caption(sample, decoded)

    def _caption(self, sample: Sample, decoded: "Future[_Decoded]") -> Outcome | Unreadable | None:
        try:
            images = decoded.result()
        except UndecodableImageError as error:
            reply = Reply(CaptionStatus.UNDECODABLE, error_code="undecodable", error=str(error))
            return Outcome(sample, reply, attempt=1, began_s=time.monotonic(), latency_s=0.0)
        except PermanentError as error:
            return Unreadable(sample, error)
        began = time.monotonic()
        attempt = 0
        while not self._stop.is_set():
            attempt += 1
            request = Request(
                sample_id=sample.sample_id,
                images=images.images,
                track=sample.track,
                generation=self._generation,
                attempt=attempt,
                jpegs=images.jpegs,
            )
            reply = ask(self._engine, request)
            problem = _problem(reply, sample.track.language)
            if problem is None or attempt == MAX_ATTEMPTS:
                latency_s = time.monotonic() - began
                return Outcome(sample, reply, attempt, began, latency_s, images.hashes)
            _log.info("%s: %s, trying again", sample.sample_id, problem)
        return None


def _problem(reply: Reply, language: str) -> str | None:
    """What is wrong with a reply that another try may mend."""
    if reply.status in FAILED and reply.error_code not in LASTING:
        return reply.error or reply.status.value
    if reply.status is CaptionStatus.OK and is_loop(reply.caption, language):
        return "the caption repeats itself"
    return None


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A sample's images, in its order."""

    jpegs: tuple[bytes, ...]
    """As stored, but for what asks to turn the pixels."""
    images: "tuple[Image, ...]"
    """Decoded to RGB; none for an engine that needs no pixels."""
    hashes: tuple[ImageHashes, ...]


def _decode(sample: Sample, reader: ShardReader, *, keep_pixels: bool) -> _Decoded:
    jpegs, images, hashes = reader.read(sample), [], []
    for image, jpeg in zip(sample.images, jpegs, strict=True):
        try:
            decoded = decode_jpeg(jpeg)
        except UndecodableImageError as error:
            raise UndecodableImageError(f"{image.file_name}: {error}") from error
        hashes.append(hash_image(jpeg, decoded))
        if keep_pixels:
            images.append(decoded)
    shown = tuple(without_orientation(jpeg) for jpeg in jpegs)
    return _Decoded(shown, tuple(images), tuple(hashes))
