"""A worker and its engine in virtual time: exact, at once, and the same on every machine.

One decoder feeds a window of places at a fixed pace; the more places are taken, the slower each
request goes, as in tests/support/simulated_engine.py. It yields what a gauge would be told.
"""

import math
import random
from collections.abc import Iterator

CROWDING = 0.5
"""A full window writes each caption this much slower than a lone request."""
TOKENS, SPREAD = 190.0, 0.35
"""Of a caption's length, which is log-normal."""


def spans(
    window: int, samples: int, stock: int, feed: float, seed: int = 0
) -> Iterator[tuple[float, float, int]]:
    """When the engine got each sample, how long it took, and its tokens, in order of finishing.

    Args:
        window: places in the engine.
        samples: how many there are.
        stock: samples decoded before the engine gets the first.
        feed: samples decoded in the time in which the full engine captions one.
        seed: of the lengths.
    """
    drawn = random.Random(seed)
    tokens = [int(drawn.lognormvariate(math.log(TOKENS), SPREAD)) for _ in range(samples)]
    decode_s = (1 + CROWDING) * sum(tokens) / samples / window / feed
    usual = window + window // 2
    left: dict[int, float] = {}
    began: dict[int, float] = {}
    now, ready_s = 0.0, 0.0
    ready: list[float] = []  # when each sample submitted so far is decoded
    done, limit = 0, max(usual, stock)
    while done < samples:
        while len(ready) < min(samples, done + limit):
            ready_s = max(ready_s, now) + decode_s
            ready.append(ready_s)
        limit = usual
        opens_s = ready[min(stock, samples) - 1] if stock else 0.0
        while len(left) < window and len(began) < len(ready):
            if max(ready[len(began)], opens_s) > now + 1e-9:
                break
            left[len(began)], began[len(began)] = float(tokens[len(began)]), now
        pace = 1 / (1 + CROWDING * len(left) / window)
        following = max(ready[len(began)], opens_s) if len(began) < len(ready) else math.inf
        waits = following - now if len(left) < window else math.inf
        step = min(waits, *(work / pace for work in left.values()), math.inf)
        now += step
        for place in list(left):
            left[place] -= step * pace
            if left[place] <= 1e-9:
                del left[place]
                done += 1
                yield began[place], now - began[place], tokens[place]
