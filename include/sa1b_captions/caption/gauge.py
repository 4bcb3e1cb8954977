"""Tells whether the engine waits for images: its rate beside the pipeline's, on the same shard.

The worker decodes a stock of samples before the engine gets its first one. While the engine lives
on that stock, nothing but the engine sets the pace: this is its rate alone. Its replies are real
ones and are kept. The shard's receipt compares that with the rate over the whole shard;
docs/runbook.md says what to do when the engine waits.

Only single-image samples count, in both rates: several images cost more per token written.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from sa1b_captions.caption.engines.base import Engine

_log = logging.getLogger(__name__)

STOCK_WINDOWS = 3
"""Stock, in windows of samples. The first half window of replies comes in a burst and is not
counted; one window later half of the stock is left, and the worker decodes again."""

WORTHWHILE_WINDOWS = 12
"""A shard with fewer single-image samples than so many windows is not gauged."""

MOST_STOCK = 288
"""Largest stock: 4 GiB of decoded photographs. A fleet behind a wider window is not gauged."""

ENOUGH = 0.9
"""Share of the engine's own rate below which the log says that it waits."""


@dataclass(frozen=True, slots=True)
class Efficiency:
    """What a shard's receipts carry; each None where it was not measured."""

    pipeline_tokens_per_s: float | None = None
    """Tokens written per second over the shard's single-image samples."""
    engine_tokens_per_s: float | None = None
    """The same while the engine lived on decoded samples."""
    efficiency: float | None = None
    """The first over the second."""

    def facts(self) -> dict[str, float | None]:
        """As a receipt's fields."""
        return asdict(self)


def stock_for(engine: Engine, samples: int) -> int:
    """Samples to decode before an engine's first one; 0 where a gauge would say nothing.

    Args:
        engine: what captions; the preview engine decodes nothing but costs nothing either.
        samples: single-image samples left of the first shard.
    """
    stock = STOCK_WINDOWS * engine.window
    if engine.name == "preview" or samples < WORTHWHILE_WINDOWS * engine.window:
        return 0
    return stock if stock <= MOST_STOCK else 0


class EngineGauge:
    """The engine's own rate, from its first replies. One for all shards of an engine."""

    def __init__(
        self, window: int, stock: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Make a gauge of an engine that starts with `stock` decoded samples, 0 for none."""
        self._first = window // 2 + 1
        self._last = stock // 2
        self._clock = clock
        self._replies = 0
        self._tokens = 0
        self._began = 0.0
        self.tokens_per_s: float | None = None
        """Tokens written per second; None until measured, and when the engine does not count."""

    def add(self, tokens: int | None) -> None:
        """Count one finished single-image sample, in the order they finish."""
        if self._replies >= self._last:
            return
        self._replies += 1
        if self._replies == self._first:
            self._began = self._clock()
        elif self._replies > self._first:
            self._tokens += tokens or 0
        if self._replies == self._last and self._tokens:
            self.tokens_per_s = self._tokens / max(self._clock() - self._began, 1e-9)
            _log.info("the engine alone writes %.0f tokens/s", self.tokens_per_s)


class ShardGauge:
    """The pipeline's rate over one shard, from its first reply to its last."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: float | None = None
        self._ended = 0.0
        self._tokens = 0

    def add(self, tokens: int | None) -> None:
        """Count one finished single-image sample."""
        self._ended = self._clock()
        if self._began is None:
            self._began = self._ended
            return
        self._tokens += tokens or 0

    def efficiency(self, shard: str, engine_tokens_per_s: float | None) -> Efficiency:
        """Compare with the engine's rate; says so in the log when the engine waited."""
        if self._began is None or not self._tokens or engine_tokens_per_s is None:
            return Efficiency()
        pipeline = self._tokens / max(self._ended - self._began, 1e-9)
        ratio = pipeline / engine_tokens_per_s
        if ratio < ENOUGH:
            _log.warning(
                "%s: the GPU waits for images: %.0f tokens/s, and the engine alone writes %.0f "
                "(efficiency %.2f); give the pod more CPU, or look at the store's read times",
                shard,
                pipeline,
                engine_tokens_per_s,
                ratio,
            )
        else:
            _log.info("%s: %.0f tokens/s, efficiency %.2f", shard, pipeline, ratio)
        return Efficiency(round(pipeline, 1), round(engine_tokens_per_s, 1), round(ratio, 3))
