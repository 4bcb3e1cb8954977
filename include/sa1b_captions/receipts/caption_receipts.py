"""Receipts of the caption stage: what is captioned, how fast, and how full the window was."""

from dataclasses import dataclass, field

from sa1b_captions.generations import FIRST, number, require_generation
from sa1b_captions.receipts.receipt import Receipt
from sa1b_captions.receipts.stage_receipts import IngestReceipt

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


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunNote(Receipt):
    """A generation of a track's captions is begun; version 0.1.0 noted the run alone."""

    STAGE = "caption"
    engine: str | None = None
    model: str | None = None
    model_revision: str | None = None
    content: str | None = None
    """`IngestReceipt.content` of the archive."""
