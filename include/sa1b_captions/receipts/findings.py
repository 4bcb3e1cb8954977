"""What validation finds: checks, measures of health, and the verdict they come to."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field


class Verdict(enum.StrEnum):
    """What the checks of a shard or a release come to."""

    PASS = "pass"  # noqa: S105  # not a password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation and what became of it."""

    name: str
    description: str
    severity: str
    """`critical`, `warning` or `info`: what it means if the check does not hold."""
    success: bool
    crashed: bool
    """The check itself failed, so `success` says nothing about the data."""
    observed: str
    """What was found, for people; of a crashed check, the error."""


def judge(checks: Iterable[Check]) -> Verdict:
    """Verdict over checks: a failed critical one fails, a failed warning warns, info never does."""
    failed = {check.severity for check in checks if not check.success}
    if "critical" in failed:
        return Verdict.FAIL
    return Verdict.WARN if "warning" in failed else Verdict.PASS


@dataclass(frozen=True, slots=True)
class Measure:
    """One number about a shard's health, and what it may be."""

    name: str
    """One of `quality.health.measures.SHAPES`, or a reason."""
    against: str
    """`reference` or `neighbours`: where `expected` is from."""
    value: float
    expected: float = field(metadata={"before": "usual"})
    """Of the reference, or the median of the neighbours. Up to version 0.2.0 stored as `usual`."""
    warning: float
    """The value above which it warns, chance allowed for."""
    critical: float | None
    """The value above which it fails; None against neighbours, who may be the broken ones."""

    @property
    def severity(self) -> str | None:
        """`critical`, `warning`, or None where nothing is wrong."""
        if self.critical is not None and self.value > self.critical:
            return "critical"
        return "warning" if self.value > self.warning else None
