"""Window occupancy: how full a run kept the engine's window while it captioned a shard.

It is the busy time of the window's places over window x time. An engine that always finds the next
sample decoded has an occupancy near 1; what is missing is the share of its places that waited for
images. The time begins when every place is taken, so that filling the window does not count, and
ends when the shard's last sample is taken, so that emptying it does not count either. Where images
come too slowly to take every place, it begins when a window of samples has been taken.
"""

from collections.abc import Sequence

from sa1b_captions.plurals import counted
from sa1b_captions.receipts import Occupancy

Span = tuple[float, float]
"""When a sample was taken and when its reply came, in seconds of one clock."""

ENOUGH_WINDOWS = 1.5
"""Windows of samples to take in the time that is measured, or the number says little. A shard of
three windows has as many."""

_FILLING_WINDOWS = 1.5
"""Windows of samples after which a window that has not been full does not fill."""


def window_occupancy(
    taken: Sequence[Span], window: int, neighbours: Sequence[Span] = ()
) -> Occupancy:
    """Measure how full the window was.

    Args:
        taken: spans of a shard's samples, in any order.
        window: places in the engine.
        neighbours: spans of other shards' samples that were in the window meanwhile, in any order.

    Returns:
        The occupancy; without a share, but with a note, where too few samples were taken to fill
        the window and go on.
    """
    if not taken:
        return Occupancy(note="this run captioned nothing")
    spans = sorted([*taken, *neighbours])
    first, last = min(taken)[0], max(taken)[0]
    full = _first_full(spans, window)
    if full is None or max(first, full) >= last:
        count = counted(len(taken), "sample")
        note = (
            f"this run captioned {count}, and the engine takes {window} at once: none had to wait"
        )
        return Occupancy(note=note)
    start = max(first, full)
    busy_s = sum(max(0.0, min(last, end) - max(start, began)) for began, end in spans)
    samples = sum(began >= start for began, _ in taken)
    little = f"of {counted(samples, 'sample')} only, which tells little"
    return Occupancy(
        share=round(busy_s / (window * (last - start)), 3),
        samples=samples,
        note=None if samples >= ENOUGH_WINDOWS * window else little,
    )


def _first_full(spans: Sequence[Span], window: int) -> float | None:
    """When every place was taken, or a window of samples where places stay free; None with fewer.

    Args:
        spans: in the order of being taken.
        window: places in the engine.
    """
    if len(spans) < window:
        return None
    early = spans[: int(_FILLING_WINDOWS * window)]
    # Of two changes at one instant the end comes first: that place was not taken twice.
    changes = sorted([*((began, 1) for began, _ in early), *((end, -1) for _, end in early)])
    busy = 0
    for at_s, change in changes:
        busy += change
        if busy == window:
            return at_s
    return spans[window - 1][0]
