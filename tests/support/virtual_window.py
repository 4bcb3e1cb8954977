"""A worker and its engine in virtual time: exact, at once, and the same on every machine.

One decoder feeds a window of places at a fixed pace; the more places are taken, the slower each
request goes, as in tests/support/simulated_engine.py.
"""

import math
import random
from collections.abc import Iterator

CROWDING = 0.5
"""A full window writes each caption this much slower than a lone request."""
TOKENS, SPREAD = 190.0, 0.35
"""Of a caption's length, which is log-normal."""


def spans(window: int, samples: int, feed: float, seed: int = 0) -> Iterator[tuple[float, float]]:
    """When the engine took each sample and when its reply came, in order of finishing.

    Args:
        window: places in the engine.
        samples: how many there are.
        feed: samples decoded in the time in which the full engine captions one.
        seed: of the lengths.
    """
    drawn = random.Random(seed)
    tokens = [int(drawn.lognormvariate(math.log(TOKENS), SPREAD)) for _ in range(samples)]
    decode_s = (1 + CROWDING) * sum(tokens) / samples / window / feed
    limit = window + window // 2
    left: dict[int, float] = {}
    began: dict[int, float] = {}
    now, ready_s = 0.0, 0.0
    ready: list[float] = []  # when each sample submitted so far is decoded
    done = 0
    while done < samples:
        while len(ready) < min(samples, done + limit):
            ready_s = max(ready_s, now) + decode_s
            ready.append(ready_s)
        while len(left) < window and len(began) < len(ready):
            if ready[len(began)] > now + 1e-9:
                break
            left[len(began)], began[len(began)] = float(tokens[len(began)]), now
        pace = 1 / (1 + CROWDING * len(left) / window)
        following = ready[len(began)] if len(began) < len(ready) else math.inf
        waits = following - now if len(left) < window else math.inf
        step = min(waits, *(work / pace for work in left.values()), math.inf)
        now += step
        for place in list(left):
            left[place] -= step * pace
            if left[place] <= 1e-9:
                del left[place]
                done += 1
                yield began[place], now
