"""Receipts of ingest, curate, dedup and audit."""

from dataclasses import dataclass, field

from sa1b_captions.generations import FIRST, require_generation
from sa1b_captions.receipts.faithfulness import SentenceCounts
from sa1b_captions.receipts.receipt import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReceipt(Receipt):
    """A shard's archive is repacked and indexed."""

    STAGE = "ingest"
    shard: str
    images: int
    """JPEGs, rows of the index."""
    problems: dict[str, int]
    """Images by what is wrong with them."""
    annotations_without_image: int = 0
    warnings: list[str] = field(default_factory=list)
    archive_bytes: int
    """Of the plain tar."""
    content: str | None = None
    """16 hexadecimal digits over ids and JPEG bytes."""
    index: str | None = None
    """`records.content_digest` of the index."""
    generation: str = FIRST
    """Of the archive and the index that count."""
    source: str | None = None
    """Where it came from, without what makes a link a credential."""
    source_bytes: int = 0
    """Of the archive as it was downloaded, by whichever run."""
    reused_bytes: int = 0
    """Of these, what earlier runs had downloaded."""
    md5: str | None = None
    """Of the downloaded bytes, hexadecimal."""
    resumes: int = 0
    """Times the connection was taken up again."""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError for a generation that could lie outside the shard's keys."""
        require_generation(self.generation)


@dataclass(frozen=True, slots=True)
class JudgedBy:
    """All that decides how captions are curated and judged."""

    rules: str
    """`Recipe.quality_fingerprint`."""
    reference: str | None
    """Digest of the pinned reference, if there is one."""
    version: int
    """`campaign.CURATION_VERSION`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurateReceipt(Receipt):
    """A shard's track is judged: accepted + rejected = planned."""

    STAGE = "curate"
    shard: str
    track: str
    planned: int
    accepted: int
    rejected: int
    reasons: dict[str, int]
    """Rejected rows by reason; a row may have several."""
    recipe_fingerprint: str
    quality_fingerprint: str
    """`Campaign.quality_fingerprint` of the rules that judged."""
    signature_version: str
    """`quality.duplicates.minhash.SIGNATURE_VERSION` of the stored signatures."""
    input: str
    """Digest of the caption receipt."""
    generation: str | None = None
    """Of the captions; None in receipts of before it was noted."""
    parts: str | None = None
    """`receipt_files.digest_of_parts` of the captions; None in receipts of before it was noted."""
    judged_by: JudgedBy | None = None
    """What `quality_fingerprint` is over; None in receipts of before it was noted."""
    files: dict[str, str] = field(default_factory=dict)
    """`records.content_digest` of each stored file by name; version 0.1.0 named none."""
    image: str | None = None
    """`CaptionReceipt.image`."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Captions of a track that are alike from some Jaccard on; equal wordings count as one."""

    jaccard: float
    pairs: int
    """Pairs seen: their signatures met in a band, and they were compared."""
    estimated_pairs: int
    """All such pairs, by the chance that each one seen had to be seen."""
    left_out: int
    """Wordings that a recipe with this limit would leave out for another, as far as seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupReceipt(Receipt):
    """A track is compared across all shards."""

    STAGE = "dedup"
    track: str
    shards: int
    selection: str | None = None
    """Shards that were compared, as `--shards` takes them."""
    rows: int
    """Accepted captions that were compared."""
    duplicates: int
    """Of these, what is left out of the release."""
    near_duplicates: int
    """Of the duplicates, those that are not word for word the same."""
    candidate_pairs: int
    confirmed_pairs: int
    large_buckets: int
    alike: list[Alike] = field(default_factory=list)
    """From the highest Jaccard down, whatever the recipe leaves out; empty where not counted."""
    repeated_photographs: dict[str, int] = field(default_factory=dict)
    """Images under several ids by kind, and how many were compared; of one track only."""
    input: str
    """Digest of the curate receipts of all shards, in the recipe's order."""
    files: dict[str, str] = field(default_factory=dict)
    """`records.content_digest` of each stored file by name; version 0.1.0 named none."""


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
