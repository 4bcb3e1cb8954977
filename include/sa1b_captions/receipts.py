"""Receipts: the small JSON written last, which makes a stage's output exist.

Here is what each stage's receipt says; `receipt_files` says where it lies, reads and writes it. A
field that is not always there, or that version 0.1.0 did not write, has a default.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sa1b_captions.faithfulness import AuditFindings
from sa1b_captions.findings import Check, Measure, Verdict, judge
from sa1b_captions.generations import FIRST, number, require_generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What all receipts say."""

    STAGE: ClassVar[str]
    run_id: str | None = None
    """Airflow run that made it; None by hand."""
    id: str | None = None
    """Tells it from the one before, whose facts and second may be the same: clocks jump."""
    written_at: str | None = None
    """ISO 8601, UTC, to the second; for people."""
    software: str | None = None
    format: int = 1
    stored: Mapping[str, Any] = field(
        default_factory=dict, repr=False, compare=False, metadata={"json": False}
    )
    """The JSON as stored, with fields that this version does not know. Empty until written."""


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


ENOUGH_OCCUPANCY = 0.9
"""Window occupancy below which an engine waits for images."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """What a caption receipt says of the window occupancy of the run that wrote it.

    caption/occupancy.py measures it, the quality reports show it; docs/runbook.md says what to do
    when the engine waits.
    """

    share: float | None = None
    """Busy time of the window's places over window x time; None where it was not measured."""
    samples: int = 0
    """Samples that the engine took in that time, those of a shard beside it included."""
    note: str | None = None
    """What keeps the share from telling whether the engine waited, or why there is none."""

    @property
    def tells(self) -> bool:
        """Whether the share says if the engine waited."""
        return self.share is not None and self.note is None

    @property
    def low(self) -> bool:
        """Whether the engine waited for images."""
        return self.share is not None and self.note is None and self.share < ENOUGH_OCCUPANCY

    def describe(self) -> str:
        """All of it, in one line for a log."""
        if self.share is None:
            return f"no window occupancy, for {self.note}"
        note = f" ({self.note})" if self.note else ""
        advice = "; give the pod more CPU, or look at the store's read times"
        return f"window occupancy {self.share:.2f}{note}{advice if self.low else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the run that wrote a caption receipt captioned its shard, all tracks together."""

    samples: int
    """That the engine took in this run."""
    images: int
    """Of these samples."""
    completion_tokens: int
    seconds: float
    """From the first sample taken to the last reply."""
    load_s: float | None = None
    """To load the model, of the first shard that a process finishes; None of the others."""
    profile: str | None = None
    """Pod profile; None in no pod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionReceipt(Receipt):
    """A shard's track is captioned."""

    STAGE = "caption"
    shard: str
    track: str
    planned: int
    """Samples, rows of all parts."""
    blocks: int
    """Parts, numbered from 0."""
    parts: list[str] = field(default_factory=list)
    """`records.content_digest` of each part; version 0.1.0 named none."""
    statuses: dict[str, int]
    """Samples by `records.CaptionStatus`."""
    recipe_fingerprint: str
    input: str | None = None
    """Digest of the ingest receipt."""
    content: str | None = None
    """`IngestReceipt.content` of the archive whose images were captioned."""
    engine: str | None = None
    """What captioned it, as its rows say; so `model` and `model_revision`."""
    model: str | None = None
    model_revision: str | None = None
    generation: str = FIRST
    """Of the captions that count."""
    previous: str | None = None
    """Generation that counted before."""
    restored_from: str | None = None
    """Newest generation that a person went back from."""
    restored_by: str | None = None
    """Airflow run that asked for that."""
    mended: list[int] = field(default_factory=list)
    """Blocks that were damaged, and captioned again in the same generation."""
    same_as: str | None = None
    """Digest of the receipt that was restored: what was made of these captions then still is."""
    occupancy: Occupancy = Occupancy()
    """How full the run that wrote the receipt kept the window."""
    pace: Pace | None = None
    """None where it captioned nothing; version 0.2.0 told none."""
    image: str | None = None
    """Container image of the worker that finished it, with tag or digest; None in no pod."""

    def __post_init__(self) -> None:
        """Raise ValueError for a generation that could lie outside the shard's folder."""
        for name in (self.generation, self.previous, self.restored_from):
            if name is not None:
                require_generation(name)

    @property
    def highest(self) -> int:
        """Highest number of a generation that ever counted."""
        return max(number(self.generation), number(self.restored_from or FIRST))

    def fits(self, ingest: IngestReceipt, ingest_digest: str) -> bool | None:
        """Whether these are captions of the archive that is ingested; None if that is unknown."""
        if self.input == ingest_digest:
            return True
        if self.content is None or ingest.content is None:
            return None
        return self.content == ingest.content


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


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunNote(Receipt):
    """A generation of a track's captions is begun; version 0.1.0 noted the run alone."""

    STAGE = "caption"
    engine: str | None = None
    model: str | None = None
    model_revision: str | None = None
    content: str | None = None
    """`IngestReceipt.content` of the archive."""
