"""Receipts of the validate stage, of shards, of a release and of a run."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sa1b_captions.receipts.caption_receipts import Occupancy
from sa1b_captions.receipts.faithfulness import AuditFindings
from sa1b_captions.receipts.findings import Check, Measure, Verdict, judge
from sa1b_captions.receipts.receipt import Receipt


@dataclass(frozen=True, slots=True)
class CurateCounts:
    """Rows of a curated track."""

    planned: int
    accepted: int
    rejected: int
    reasons: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardValidation(Receipt):
    """A shard's curated tracks are checked, and its report is written."""

    STAGE = "validate"
    shard: str
    verdict: Verdict
    complete: bool
    """Whether all tracks were curated."""
    checks: dict[str, list[Check]]
    """By track."""
    health: dict[str, list[Measure]] = field(default_factory=dict)
    """By track; empty where there was nothing to compare with."""
    occupancy: dict[str, Occupancy] = field(default_factory=dict)
    """What the caption receipt of each track says."""
    counts: dict[str, CurateCounts]
    """By track."""
    report: str
    """Key of the HTML page."""
    quality_fingerprint: str
    input: str
    """`freshness.curated_version` of the curate receipts."""
    curated: dict[str, str] = field(default_factory=dict)
    """Digest of the curate receipt by track; empty in validations of before it was noted."""
    audited: dict[str, str] = field(default_factory=dict)
    """Digest of the audit receipt by track, of those that it saw."""

    def verdict_in(self, tracks: Collection[str]) -> Verdict:
        """Verdict over some tracks: what a release leaves out does not hold it back."""
        if self.checks.keys() <= set(tracks):
            return self.verdict
        return judge(check for track in tracks for check in self.checks.get(track, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseValidation(Receipt):
    """All shards are checked together, and the release's report is written."""

    STAGE = "validate"
    verdict: Verdict
    shards: int
    checks: list[Check]
    counts: dict[str, dict[str, int]]
    """By track: rows `planned`, `rejected`, `duplicates` and `released`."""
    report: str
    """Key of the HTML page."""
    quality_fingerprint: str
    input: str
    """Digest of the curate and dedup receipts of all tracks, and of the shards' validations."""
    dedups: str
    """Digest of the dedup receipts alone."""
    shard_results: str | None = None
    """Digest of the shards' validations alone."""
    not_validated: list[str] | None = None
    """Shards that had no validation; None in validations of before it was noted."""
    audit: AuditFindings | None = None
    """What the audits of its captions found; None where the recipe asks for none."""


@dataclass(frozen=True, slots=True)
class ShardSummary:
    """What a run's page shows of a shard."""

    verdict: Verdict
    planned: int
    """Rows of the curated tracks, as are `accepted` and `rejected`."""
    accepted: int
    rejected: int
    checks_failed: int
    """Remarks not counted."""
    complete: bool
    """Whether all tracks are curated."""
    tracks: dict[str, str | None]
    """Run that curated each track."""
    report: str
    run_id: str | None
    """Run that validated the shard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary(Receipt):
    """What one Airflow run validated."""

    STAGE = "validate"
    shards: dict[str, ShardSummary] = field(default_factory=dict)
    release: str | None = None
    """Key of the release's report, of a run that validated all shards together."""
