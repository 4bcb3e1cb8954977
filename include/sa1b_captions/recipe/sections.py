"""Sections of a recipe: model, generation and tracks, which decide the captions, and the audit."""

import re
from dataclasses import dataclass

TRACKS = ("single_en", "single_zh", "multi_en", "multi_zh")
"""All tracks, in the order a worker takes them: zh follows en to reuse the image's KV cache."""

LANGUAGES = ("en", "zh")
"""Languages of captions; loops are found and words counted in these only."""

TEMPLATES = ("internvl2", "internvl2_5")
"""Chat templates: InternVL2's, and that of 2.5, 3 and 3.5, with a line break after each turn."""

_COMMIT = re.compile(r"[0-9a-f]{40}")

ARCHIVES = ("sa1b", "webdataset")
"""Kinds of archives that ingest reads."""

WHOLE_TRACK = "single_en"
"""The track that plans every image of a shard."""


@dataclass(frozen=True, slots=True)
class Model:
    """What captions must come from for a release to carry the recipe's file names."""

    id: str
    revision: str
    """Commit that the model's folder must show, or a branch, which any folder passes."""
    system_prompt: str
    template: str = "internvl2"
    """How the model's family was trained to see a conversation; one of TEMPLATES."""
    context_tokens: int = 8192
    """Prompt, images and caption together."""

    @property
    def pinned(self) -> bool:
        """Whether the revision is a commit: a branch's weights may change under the campaign."""
        return _COMMIT.fullmatch(self.revision) is not None


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling settings of a request, as lmdeploy's GenerationConfig spells them."""

    max_new_tokens: int
    do_sample: bool
    """False only for plain greedy decoding."""
    top_k: int
    top_p: float
    temperature: float
    repetition_penalty: float
    random_seed: int


@dataclass(frozen=True, slots=True)
class Generation(Sampling):
    """Settings of all requests."""

    max_tiles: int
    """Upper bound of InternVL2's 448-pixel tiles per image, thumbnail not counted."""
    max_tiles_multi: int
    """Upper bound of tiles per image of a multi-image sample, so that all fit the context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One of the four outputs."""

    name: str
    language: str
    """`en` or `zh`."""
    prompt: str
    images_min: int = 1
    """Fewest images of a sample; 1 for the single-image tracks."""
    images_max: int = 1
    samples_per_shard: int | None = None
    """Quota per shard; None plans every image."""
    spare_samples_per_shard: int = 0
    """Samples planned behind the quota, to make up for captions that are left out. Not part of the
    fingerprint: it may be raised at any time, and what was captioned before stays."""
    release_file: str
    """Name of the published JSONL file."""
    target: int | None = None
    """Captions that a release must hold at least; None asks for no number."""
    trim: bool = False
    """Whether export leaves out what is beyond the target."""


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
