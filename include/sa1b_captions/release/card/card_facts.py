"""What a card tells of a release."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sa1b_captions.receipts.faithfulness import AuditFindings
from sa1b_captions.receipts.findings import Check
from sa1b_captions.recipe import Recipe
from sa1b_captions.release.card.summary import TrackSummary
from sa1b_captions.release.manifest import Manifest, TrackTotals
from sa1b_captions.release.names import TrackFiles


@dataclass(frozen=True, slots=True)
class ReviewTables:
    """What people found who looked at captions."""

    people: int = 0
    drawn: Mapping[str, str] = field(default_factory=dict)
    """What a random sample was drawn from, and the share of it that is fit, with its interval."""
    rules: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Precision and recall of each rule that they marked captions of."""


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card tells of a release."""

    recipe: Recipe
    version: str
    tracks: Mapping[str, TrackTotals]
    """Totals of each track, in the order the card shows them."""
    files: Mapping[str, TrackFiles]
    summaries: Mapping[str, TrackSummary]
    shards: Sequence[str]
    """What the captions are of."""
    missing: Sequence[str]
    """Shards of the recipe that are left out."""
    verdict: str
    """Of the release's validation."""
    checks: Sequence[Check]
    """Of the same."""
    meanings: Mapping[str, str]
    """Of the reasons for which captions are left out, for people."""
    retry_penalties: Sequence[float]
    """Repetition penalties of later tries of a recipe that does not sample."""
    software: str
    reviews: ReviewTables = ReviewTables()
    previous: Manifest | None = None
    """The newest release before this one."""
    previous_recipe: Mapping[str, Any] | None = None
    """Its recipe's source; None where that cannot be read."""
    audit: AuditFindings | None = None
    """What the audits found; None where the recipe asks for none."""
    spent: str = ""
    """What it took beside the model, as a sentence (`CpuSpent.in_words`)."""
