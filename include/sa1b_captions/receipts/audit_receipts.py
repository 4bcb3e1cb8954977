"""Receipt of the audit stage."""

from dataclasses import dataclass, field

from sa1b_captions.receipts.faithfulness import SentenceCounts
from sa1b_captions.receipts.receipt import Receipt


@dataclass(frozen=True, slots=True)
class AuditTokens:
    """What an audit cost; None of what the engine does not count."""

    questions: int | None = None
    """Of all questions, images included."""
    computed: int | None = None
    """Of these and the answers: at most so many are computed where prefixes are cached."""
    cached: int | None = None
    """Of the questions: what the engine says that its cache had."""
    captions: int | None = None
    """Of all accepted captions of the track: prompts, images included, and texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReceipt(Receipt):
    """Sentences of some accepted captions of a shard's track are judged against their images."""

    STAGE = "audit"
    shard: str
    track: str
    accepted: int
    """Captions that were drawn from."""
    drawn: int
    answers: dict[str, int]
    """Sentences by `audit.judge.Answer`."""
    counts: SentenceCounts
    slices: dict[str, dict[str, SentenceCounts]]
    """By position and length, and the name of each."""
    engine: str
    """That judged; so `model` and `model_revision`."""
    model: str
    model_revision: str
    judges_itself: bool
    """Whether the judge is the model that wrote the captions."""
    tokens: AuditTokens = AuditTokens()
    audit_fingerprint: str
    """`audits.audit_fingerprint` of what was asked."""
    input: str
    """`audits.accepted_version` of the captions."""
    files: dict[str, str] = field(default_factory=dict)
    """`records.content_digest` of each stored file by name."""
