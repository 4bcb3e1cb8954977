"""A seeded engine with continuous batching: slots that requests share, and nothing but waiting.

Every request costs prefill, by the image tokens of its size, then decoding, by a caption length
drawn from a seeded distribution. A request's work is drained at a pace that falls mildly with the
number of busy slots, as a GPU's does; so throughput grows with the batch, and an empty slot costs.
Simulated time is real time divided by `speedup`.

In static mode requests wait until a whole batch is there or nobody else comes, and the next batch
begins when the longest caption of this one is done.
"""

import math
import threading
import time
from dataclasses import dataclass, field

import numpy as np

from sa1b_captions.caption.engines.base import Reply, Request
from sa1b_captions.records import CaptionStatus

PREFILL_TOKENS_PER_S = 20_000.0
TOKENS_PER_S = 40.0
"""Of one request alone."""
CROWDING = 0.5
"""A full window writes each caption this much slower than a lone request."""
CAPTION_TOKENS = 190.0
SPREAD = 0.35
"""Standard deviation of the logarithm of a caption's length."""
MOST_TOKENS = 512


@dataclass
class _Slot:
    left_s: float
    """Work left, in simulated seconds of a request alone."""
    done: threading.Event = field(default_factory=threading.Event)


class SimulatedEngine:
    """Satisfies `Engine`. Occupancy: busy slot-time over slots x (last reply - first request)."""

    name = "simulated"
    model = "preview"
    model_revision = "1"
    needs_pixels = True

    def __init__(
        self, window: int = 32, *, seed: int = 0, speedup: float = 20.0, static: bool = False
    ) -> None:
        self.window = window
        self.tokens = 0
        self._seed = seed
        self._speedup = speedup
        self._static = static
        self._slots: list[_Slot] = []
        self._waiting: list[_Slot] = []
        self._changed = threading.Condition()
        self._busy_s = 0.0
        self._first = self._last = 0.0
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def wall_s(self) -> float:
        """Real seconds from the first request to the last reply."""
        return self._last - self._first

    @property
    def occupancy(self) -> float:
        """Share of all slot-time in which a slot was busy, start and tail included."""
        return self._busy_s / (self.window * self.wall_s)

    def caption(self, request: Request) -> Reply:
        prompt = 60 + sum(_image_tokens(*image.size) for image in request.images)
        tokens = self.generate(request.sample_id, prompt)
        caption = f"Photograph {request.sample_id} in {tokens} tokens."
        return Reply(CaptionStatus.OK, caption, "stop", prompt, tokens)

    def generate(self, sample_id: str, prompt_tokens: int) -> int:
        """Wait for a slot, and then as long as the caption takes; its tokens."""
        tokens = self.length(sample_id)
        slot = _Slot(prompt_tokens / PREFILL_TOKENS_PER_S + tokens / TOKENS_PER_S)
        with self._changed:
            self._first = self._first or time.perf_counter()
            self._waiting.append(slot)
            self._changed.notify()
        slot.done.wait()
        return tokens

    def length(self, sample_id: str) -> int:
        """Tokens of a sample's caption, whatever the order of requests."""
        seeds = [self._seed, *sample_id.encode()]
        drawn = np.random.default_rng(seeds).lognormal(math.log(CAPTION_TOKENS), SPREAD)
        return int(min(max(drawn, 8), MOST_TOKENS))

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _admit(self, now: float) -> None:
        if self._static and self._slots:
            return
        if self._static and len(self._waiting) < self.window and now - self._last < 0.2:
            return  # a batch is begun when it is full, or when nothing has happened for long
        free = self.window - len(self._slots)
        self._slots += self._waiting[:free]
        del self._waiting[:free]

    def _run(self) -> None:
        then = time.perf_counter()
        with self._changed:
            while not self._closed:
                self._admit(time.perf_counter())
                pace = self._speedup / (1 + CROWDING * len(self._slots) / self.window)
                shortest = min((slot.left_s for slot in self._slots), default=0.1) / pace
                self._changed.wait(max(shortest, 0.0005) if self._slots else 0.05)
                now = time.perf_counter()
                self._busy_s += len(self._slots) * (now - then)
                for slot in self._slots:
                    slot.left_s -= (now - then) * pace
                finished = [slot for slot in self._slots if slot.left_s <= 0]
                self._slots = [slot for slot in self._slots if slot.left_s > 0]
                for slot in finished:
                    self._last = now
                    slot.done.set()
                then = now


def _image_tokens(width: int, height: int) -> int:
    """InternVL2's, 256 a tile: seven tiles at 3:2, thirteen at 4:3, with the thumbnail."""
    return 256 * (7 if width * 2 == height * 3 else 13)
