"""How faithful captions are to their images: counts of an audit, and what they come to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SentenceCounts:
    """Sentences that a judge answered for, over some captions.

    With the sums of squares and products, the spread between captions can be told for any number of
    shards without reading a sentence again.
    """

    captions: int = 0
    """With a sentence that the judge answered for."""
    sentences: int = 0
    """Answered with yes, no or cannot tell."""
    refused: int = 0
    """Of these with no: the image does not show what they say."""
    unsure: int = 0
    """Of these with cannot tell."""
    captions_refused: int = 0
    """Captions with a refused sentence."""
    refused_squared: int = 0
    """Over captions: refused sentences, squared; so the two below."""
    refused_by_sentences: int = 0
    sentences_squared: int = 0

    @classmethod
    def of_caption(cls, sentences: int, refused: int, unsure: int) -> "SentenceCounts":
        """Counts of a single caption; all 0 where the judge answered for none of its sentences."""
        if not sentences:
            return cls()
        return cls(
            captions=1,
            sentences=sentences,
            refused=refused,
            unsure=unsure,
            captions_refused=int(refused > 0),
            refused_squared=refused**2,
            refused_by_sentences=refused * sentences,
            sentences_squared=sentences**2,
        )

    def __add__(self, other: "SentenceCounts") -> "SentenceCounts":
        """Both together."""
        return SentenceCounts(
            *(getattr(self, name) + getattr(other, name) for name in SentenceCounts.__slots__)
        )


@dataclass(frozen=True, slots=True)
class Share:
    """A share, and the interval that holds the true one in 95 of 100 such audits."""

    value: float
    low: float
    high: float
    of: int
    """Sentences or captions that were looked at."""
    effective: float
    """Independent ones that would tell as much: sentences of one caption are alike."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the sentences."""

    by: str
    """`position`, `length` or `language`."""
    name: str
    """Such as `first sentence`."""
    refused: Share


@dataclass(frozen=True, slots=True)
class JudgeQuality:
    """What people's marks say of the judge."""

    marks: int
    """Sentences that were marked."""
    reviewers: int
    disputed: int
    """Sentences that as many people support as do not; they count for nothing."""
    precision: Share
    """Of the sentences that the judge refused: those that people do not support either."""
    missed: Share
    """Of those that it did not refuse: sentences that people do not support."""
    recall: Share
    """Of the sentences that people do not support: those that the judge refused."""


@dataclass(frozen=True, slots=True)
class Repairs:
    """What a recipe that repairs captions removes from them."""

    captions: int = 0
    """That are shorter for it."""
    sentences: int = 0
    """Removed from them."""
    kept: int = 0
    """Captions that stay as they are, for what would be left is no caption by the rules."""
    chars_before: int = 0
    """Of the repaired captions, all together."""
    chars_after: int = 0
    marked_false: int = 0
    """Marks of removed sentences that do not support them: rightly removed."""
    marked_true: int = 0
    """Marks of removed sentences that do."""

    def __add__(self, other: "Repairs") -> "Repairs":
        """Both together."""
        return Repairs(*(getattr(self, name) + getattr(other, name) for name in Repairs.__slots__))


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """What an audit found in some captions, such as a track's."""

    judges: list[str]
    """Such as `openai OpenGVLab/InternVL2-Llama3-76B main`."""
    judges_itself: bool
    """Whether captions were judged by the model that wrote them."""
    captions: int
    """Drawn and asked about."""
    refused: Share
    """Of the sentences: not found in the image, as the judge says."""
    unsure: Share
    """Of the sentences: the judge cannot tell."""
    captions_refused: Share
    """Of the captions: with a refused sentence."""
    unanswered: int
    """Sentences without an answer that can be read; they count for nothing."""
    slices: list[Slice]
    quality: JudgeQuality | None = None
    """Of the judge; None where too little is marked."""
    corrected: Share | None = None
    """Of the sentences: not supported, as people would say. None where uncalibrated."""
    uncalibrated: str = ""
    """Why there is no corrected share."""
    repairs: Repairs | None = None
    """None where the recipe repairs nothing."""
    cost_share: float | None = None
    """Tokens that the audit computed, of those that captioning the same shards computed."""


@dataclass(frozen=True, slots=True)
class RefusedSentence:
    """A sentence that the judge did not find in the image."""

    sample_id: str
    start: int
    """Its first character in the caption."""
    end: int
    """The character behind its last."""
    probability: float | None
    """Of no, among the three answers; None where the engine does not tell."""


@dataclass(frozen=True, slots=True)
class AuditFindings:
    """What audits found in a shard or a release."""

    tracks: dict[str, Faithfulness]
    """Those that are audited."""
    everything: Faithfulness | None
    """Over all of them, an accepted caption of one counting as much as one of another; None for a
    shard."""
    shards: int
    """That are audited in any track."""
    worst: list[RefusedSentence]
    """Sentences that the judge refused, the surest first."""
    marks: str = ""
    """Digest of the marks that the judge was measured by."""
