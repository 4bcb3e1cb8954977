"""Measures the engine's own rate and the pipeline's, on the same shard.

A request's tokens count evenly over its time in the engine, so a rate can be taken between any two
instants, whatever happens to end between them. The instants are those at which the engine took a
sample. Only single-image samples count: several images cost more per token written.

The engine's own rate is taken at the start, while it lives on a stock of samples that were decoded
before it got the first one: nothing but the engine sets the pace then. Its replies are real ones
and are kept. The pipeline's rate begins where the stock ends.
"""

from sa1b_captions.caption.engines.base import Engine
from sa1b_captions.caption.worker import Outcome
from sa1b_captions.efficiency import Efficiency, compare

STOCK_WINDOWS = 2
"""Stock, in windows of samples: a third more than the worker holds otherwise. Half a window of
replies later it decodes again; until then each place that got free was taken from the stock."""

NOTHING_CAPTIONED = "this run captioned no single image"
"""Why a receipt has no number when earlier runs did all, or a track of several images was alone."""

_SHARES_CORES = "preview"
"""The engine that has no hardware of its own."""


class ShardGauge:
    """When the engine had each single-image sample of a shard, and what it wrote."""

    def __init__(self) -> None:
        self._spans: list[tuple[float, float, int]] = []
        self._taken: list[float] = []
        self._counts_tokens = False
        self.samples = 0
        """Single-image samples that came back, those no engine was asked for included."""

    def add(self, outcome: Outcome) -> None:
        """Count a finished sample; one of several images says nothing here."""
        if len(outcome.sample.images) > 1:
            return
        self.samples += 1
        if outcome.latency_s > 0:
            tokens = outcome.reply.completion_tokens
            self._counts_tokens |= tokens is not None
            self._spans.append((outcome.began_s, outcome.latency_s, tokens or 0))

    @property
    def taken(self) -> int:
        """Samples that the engine took."""
        return len(self._spans)

    @property
    def counts_tokens(self) -> bool:
        """Whether the engine says how many tokens it wrote."""
        return self._counts_tokens

    def tokens_per_s(self, first: int, last: int) -> float | None:
        """Rate from the engine's taking of one sample to its taking of another.

        Args:
            first: the sample's place among those taken, from 0.
            last: the other one's.

        Returns:
            Tokens per second; None where the two are one instant, or nothing was written.
        """
        if not 0 <= first < last < self.taken:
            return None
        if len(self._taken) < self.taken:
            self._taken = sorted(began_s for began_s, _, _ in self._spans)
        start, end = self._taken[first], self._taken[last]
        written = sum(
            tokens * max(0.0, min(end, began_s + latency_s) - max(start, began_s)) / latency_s
            for began_s, latency_s, tokens in self._spans
        )
        return written / (end - start) if written and end > start else None


class EngineGauge:
    """An engine's own rate, from the stocked samples of one shard; compares all shards with it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._shard: ShardGauge | None = None
        self._stock = 0

    def stock(self, shard: ShardGauge, samples: int) -> int:
        """Begin with a shard if that is due and it has enough samples.

        Args:
            shard: none of whose samples the engine has yet.
            samples: its single-image ones.

        Returns:
            Samples to decode before the engine gets the first of them; 0 for none.
        """
        window = self._engine.window
        if self._shard is not None or samples < window + 2:
            return 0
        self._shard = shard
        # A short shard keeps most of what is more than a window for measuring the pipeline.
        self._stock = min(STOCK_WINDOWS * window, max(window + 1, (samples + 3 * window) // 4))
        return self._stock

    @property
    def tokens_per_s(self) -> float | None:
        """Tokens written per second; None until measured, and when the engine does not count.

        The last half window of a full stock is left out: the worker decodes beside the engine again
        by then.
        """
        if self._shard is None:
            return None
        half = self._engine.window // 2
        last = min(self._stock, max(self._stock - half, self._engine.window + half))
        return self._shard.tokens_per_s(0, last - 1)

    def efficiency(self, shard: ShardGauge) -> Efficiency:
        """Compare a shard's rate with the engine's own; says why where there is none."""
        window = self._engine.window
        # A later shard begins while the engine still has samples of the one before it.
        skipped = self._stock if shard is self._shard else window
        samples = max(0, shard.taken - skipped)
        pipeline, engine = shard.tokens_per_s(skipped - 1, shard.taken - 1), self.tokens_per_s
        if pipeline is not None and engine is not None:
            own_hardware = self._engine.name != _SHARES_CORES
            return compare(pipeline, engine, samples, window, own_hardware=own_hardware)
        if not shard.samples:
            why = NOTHING_CAPTIONED
        elif not shard.counts_tokens:
            why = "the engine does not say how many tokens it wrote"
        elif shard.taken <= window + 1:
            why = (
                f"this run captioned {shard.taken} single images, and the engine takes {window} "
                "at once: nothing had to wait"
            )
        else:
            why = "the engine's own rate was not measured: its first shard failed"
        return Efficiency(efficiency_note=why)
