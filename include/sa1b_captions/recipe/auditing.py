"""The recipe's `[audit]` section: what is asked about accepted captions, and of which model."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Audit:
    """Settings of the audit. A recipe without the section audits nothing."""

    captions_per_shard: int = 64
    """Accepted captions drawn from each track of a shard."""
    model: str = ""
    """Id of the judge; empty for the recipe's own model."""
    revision: str = "main"
    """Of the judge, where `model` names one."""
    system_prompt: str = ""
    """Of the judge, where `model` names one."""
    unsupported: tuple[float, float] = (0.02, 0.10)
    """Share of refused sentences above the pinned reference's: what warns, and what fails."""

    repair: bool = False
    """Whether releases leave out sentences that the judge refuses with high confidence."""
    repair_confidence: float = 0.95
    """Least probability of no, among the three answers, that removes a sentence."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "unsupported", tuple(self.unsupported))

    def problems(self) -> list[str]:
        """What is out of range, a sentence each."""
        found = []
        if self.captions_per_shard < 1:
            found.append(f"captions_per_shard is {self.captions_per_shard}, expected 1 or more")
        if not 0.5 < self.repair_confidence <= 1:
            found.append(
                f"repair_confidence is {self.repair_confidence}, expected above 0.5, at most 1"
            )
        numbers = [one for one in self.unsupported if type(one) in (int, float) and 0 <= one <= 1]
        if len(numbers) != 2 or len(self.unsupported) != 2 or numbers[0] > numbers[1]:
            found.append(
                f"unsupported is {list(self.unsupported)}, expected [warning, critical] from 0 to 1"
            )
        return found
