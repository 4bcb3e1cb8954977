"""What was spent beside the model to make a release, as its receipts say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sa1b_captions.receipts import Receipt


@dataclass(frozen=True, slots=True)
class CpuSpent:
    """CPU time of the stages that need no model."""

    minutes: Mapping[str, float] = field(default_factory=dict)
    """By stage, of those of which any receipt tells."""
    told: int = 0
    """Receipts that say what their work took."""
    receipts: int = 0
    """All receipts, those of dropped shards included, which are gone."""

    @property
    def total(self) -> float:
        """Minutes of all stages."""
        return sum(self.minutes.values())

    def in_words(self) -> str:
        """One sentence for a card; empty where no receipt tells."""
        if not self.told:
            return ""
        parts = ", ".join(f"{stage} {_counted(spent)}" for stage, spent in self.minutes.items())
        untold = self.receipts - self.told
        return f"Beside the model it took {_counted(self.total)} CPU minutes: {parts}" + (
            f"; {untold:,} of {self.receipts:,} receipts do not say what theirs took."
            if untold
            else "."
        )


def cpu_spent(receipts: Mapping[str, Iterable[Receipt | None]]) -> CpuSpent:
    """Add up what receipts say, by stage in their order; None stands for one that is gone."""
    by_stage = {
        stage: [one.cpu_s if one else None for one in some] for stage, some in receipts.items()
    }
    known = {
        stage: [spent for spent in some if spent is not None] for stage, some in by_stage.items()
    }
    return CpuSpent(
        minutes={stage: sum(some) / 60 for stage, some in known.items() if some},
        told=sum(map(len, known.values())),
        receipts=sum(map(len, by_stage.values())),
    )


def _counted(minutes: float) -> str:
    return f"{minutes:,.0f}" if minutes >= 100 else f"{minutes:.1f}"
