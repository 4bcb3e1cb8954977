"""Whether a measure grows with the rounds: the median slope of all pairs (Theil and Sen)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from tests.soak.measures import ALLOWANCES, MEASURES, Sample, SoakError

WARM_UP_SHARE = 1 / 3
"""Of the rounds; imports, caches and pools fill in them."""
FEWEST_ROUNDS = 6
MOST_POINTS = 300
"""Of which pairs are made; longer runs are thinned out evenly."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How one measure went over the rounds after the warm-up."""

    measure: str
    first: float
    last: float
    """Medians of the first and the last tenth of those rounds."""
    slope: float
    """Per round."""
    rounds: int
    limit: float

    @property
    def leaks(self) -> bool:
        """Whether it grows faster than it may, and by more than caches and pools do."""
        return self.slope > self.limit and self.slope * self.rounds > ALLOWANCES[self.measure]


def growths(samples: Sequence[Sample]) -> list[Growth]:
    """Of each measure that the samples have.

    Raises:
        SoakError: too few rounds to say anything.
    """
    if len(samples) < FEWEST_ROUNDS:
        raise SoakError(f"{len(samples)} rounds are too few to tell a leak from a start")
    settled = samples[round(len(samples) * WARM_UP_SHARE) :]
    return [growth(name, [sample[name] for sample in settled]) for name in samples[0]]


def growth(measure: str, values: Sequence[float]) -> Growth:
    """Of one measure, a value a round."""
    tenth = max(1, len(values) // 10)
    return Growth(
        measure=measure,
        first=median(values[:tenth]),
        last=median(values[-tenth:]),
        slope=slope_of(values),
        rounds=len(values),
        limit=MEASURES[measure],
    )


def slope_of(values: Sequence[float]) -> float:
    """Median of the slopes between any two values; half of them may be outliers."""
    step = max(1, -(-len(values) // MOST_POINTS))
    points = list(enumerate(values))[::step]
    slopes = [(b - a) / (j - i) for (i, a), (j, b) in combinations(points, 2)]
    return median(slopes) if slopes else 0.0
