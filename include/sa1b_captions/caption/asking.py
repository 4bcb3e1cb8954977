"""Short questions about images, through the engine that captions them or another one.

One image's questions are asked one after the other, so that the engine has the image's prefix in
its cache from the second on; the window is full of different images. Nothing is stored.
"""

import logging
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sa1b_captions.caption.decoding.images import (
    ShardReader,
    UndecodableImageError,
    decode_jpeg,
    without_orientation,
)
from sa1b_captions.caption.engines.base import Engine, Reply, Request
from sa1b_captions.caption.engines.generation import LASTING, failed
from sa1b_captions.caption.engines.storable import ask
from sa1b_captions.caption.sampling import Sample
from sa1b_captions.recipe import Generation
from sa1b_captions.records import CaptionStatus

if TYPE_CHECKING:
    from PIL.Image import Image

_log = logging.getLogger(__name__)

MAX_TRIES = 2
"""Per question, if the engine failed on it; engines try several replicas themselves."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Questions about the images of one sample."""

    sample: Sample
    prompts: tuple[str, ...]
    """In the order in which they are asked."""


class Asker:
    """Asks an engine, from as many threads as its window has places."""

    def __init__(
        self, engine: Engine, generation: Generation, answer_tokens: int, top_tokens: int
    ) -> None:
        """Make an asker.

        Args:
            generation: the recipe's settings, whose tiles the images keep.
            answer_tokens: most tokens of an answer.
            top_tokens: first tokens whose probabilities are wanted.
        """
        self._engine = engine
        self._top_tokens = top_tokens
        self._tells = True
        self._lock = threading.Lock()
        self._greedy = replace(
            generation,
            max_new_tokens=answer_tokens,
            do_sample=False,
            top_k=1,
            top_p=1.0,
            temperature=1.0,
            repetition_penalty=1.0,
        )
        # Engines tell the probabilities of the tokens that top_k leaves: of a greedy answer, 1.
        self._telling = replace(self._greedy, do_sample=True, top_k=top_tokens)

    def ask(self, inquiries: Iterable[Inquiry], reader: ShardReader) -> list[tuple[Reply, ...]]:
        """Replies to all questions of all inquiries, in their order.

        Where the engine tells probabilities, a reply has them and its text is drawn by them; where
        it does not, the text is the most probable one.

        Raises:
            RetryableError: the engine is gone, or the store.
            PermanentError: the archive cannot be read, or the engine can never do its work.
        """
        with ThreadPoolExecutor(self._engine.window, "ask") as pool:
            asked = [pool.submit(self._ask_about, one, reader) for one in inquiries]
            try:
                return [replies.result() for replies in asked]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _ask_about(self, inquiry: Inquiry, reader: ShardReader) -> tuple[Reply, ...]:
        sample = inquiry.sample
        jpegs = reader.read(sample)
        images: tuple[Image, ...] = ()
        if self._engine.needs_pixels:
            try:
                images = tuple(decode_jpeg(jpeg) for jpeg in jpegs)
            except UndecodableImageError as error:
                return (failed("undecodable", str(error)),) * len(inquiry.prompts)
        request = Request(
            sample_id=sample.sample_id,
            images=images,
            track=sample.track,
            generation=self._greedy,
            attempt=1,
            jpegs=tuple(without_orientation(jpeg) for jpeg in jpegs),
        )
        return tuple(
            self._answer(replace(request, track=replace(sample.track, prompt=prompt)))
            for prompt in inquiry.prompts
        )

    def _answer(self, request: Request) -> Reply:
        if self._tells:
            telling = replace(request, generation=self._telling, top_tokens=self._top_tokens)
            reply = self._tried(telling)
            if reply.first_tokens:
                return reply
            plain = self._tried(request)
            if plain.status is not CaptionStatus.ERROR:
                self._stop_telling(reply)
            return plain
        return self._tried(request)

    def _stop_telling(self, reply: Reply) -> None:
        with self._lock:
            if self._tells:
                _log.warning(
                    "engine %s tells no probabilities of answers (%s); answers are taken as said",
                    self._engine.name,
                    reply.error or "it left them out",
                )
            self._tells = False

    def _tried(self, request: Request) -> Reply:
        reply = failed("not_asked", "it was not asked")
        for _ in range(MAX_TRIES):
            reply = ask(self._engine, request)
            if reply.status is not CaptionStatus.ERROR or reply.error_code in LASTING:
                break
        return reply
