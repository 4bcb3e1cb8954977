"""The recipe: model, prompts, generation settings and quotas of all tracks.

A recipe is a TOML file (`recipes/` holds the packaged ones). Its fingerprint
names everything that can change a caption or which captions are planned. The quality section is
not part of it: changing a rule curates again, it never captions again.
"""

import functools
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from sa1b_captions.auditing import Audit
from sa1b_captions.errors import PermanentError
from sa1b_captions.limits import HealthLimits, LanguageQuality, Quality
from sa1b_captions.recipe_files import read_recipe_file
from sa1b_captions.shards import parse_selection
from sa1b_captions.tables import make, require_known, require_table

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
class Generation:
    """Sampling settings, as lmdeploy's GenerationConfig spells them."""

    max_new_tokens: int
    do_sample: bool
    top_k: int
    top_p: float
    temperature: float
    repetition_penalty: float
    random_seed: int
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


_MODEL_DEFAULTS = tuple(
    (entry.name, entry.default) for entry in fields(Model) if entry.default is not MISSING
)

_NO_IDENTITY = ("spare_samples_per_shard", "target", "trim")
"""Of a track, what changes no caption and takes no sample out of the plan."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A whole recipe. `load_recipe` makes one from a file, `parse_recipe` from stored JSON."""

    name: str
    title: str
    """What the dataset card calls the release."""
    stand_in: str | None = None
    """What the archives hold in place of SA-1B's photographs; None for the real ones."""
    archives: str = "sa1b"
    """`sa1b`, or `webdataset`: JPEGs of any name without annotations, as `pack` makes them too."""
    shards: tuple[str, ...]
    """Shards that make the dataset, ascending. Constant: the release waits for exactly these."""
    images_per_shard: int | None = None
    """Images an archive is known to have; None if that is not known."""
    images_of_last_shard: int | None = None
    """Images that the archive of the last of `shards` is known to have."""
    block_size: int
    """Samples per checkpoint block."""
    seed: int
    model: Model
    generation: Generation
    tracks: dict[str, Track]
    quality: Quality
    audit: Audit | None = None
    """What is asked about accepted captions; None audits nothing."""
    source: dict[str, Any] = field(repr=False, compare=False)
    """The parsed TOML, as stored in `recipe.json`."""

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over all that decides which captions are made, and how.

        Not over quality, audit, title, shard list and its counts, spare samples and targets.
        """
        identity = {
            "name": self.name,
            "block_size": self.block_size,
            "seed": self.seed,
            "model": {
                key: value
                for key, value in asdict(self.model).items()
                # Recipes had no such keys before, and keep their fingerprints.
                if (key, value) not in _MODEL_DEFAULTS
            },
            "generation": asdict(self.generation),
            "tracks": {
                name: {key: v for key, v in asdict(track).items() if key not in _NO_IDENTITY}
                for name, track in self.tracks.items()
            },
        }
        return _digest(identity)

    @property
    def repairs(self) -> bool:
        """Whether releases leave out sentences that the audit's judge is sure not to find."""
        return self.audit is not None and self.audit.repair

    def require_shards(self, shards: Iterable[str]) -> None:
        """Raise PermanentError if one of the shards is not the recipe's."""
        foreign = sorted(set(shards) - set(self.shards))
        if foreign:
            raise PermanentError(
                f"{foreign[0]} is not a shard of recipe {self.name}, which has {self.shards[0]} to "
                f"{self.shards[-1]}"
            )

    def expected_images(self, shard: str) -> int | None:
        """Images that a shard's archive is known to have."""
        return self.images_of_last_shard if shard == self.shards[-1] else self.images_per_shard

    @functools.cached_property
    def quality_fingerprint(self) -> str:
        """16 hexadecimal digits over the quality section."""
        return _digest(asdict(self.quality))


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_recipe(name_or_path: str) -> Recipe:
    """Load a packaged recipe by its name, such as `internvl`, or a recipe file.

    Raises:
        PermanentError: there is no such file, it is no TOML, or no recipe.
    """
    return parse_recipe(read_recipe_file(name_or_path), where=name_or_path)


def parse_recipe(source: dict[str, Any], *, where: str, stored: bool = False) -> Recipe:
    """Check a recipe's content and build it.

    Args:
        source: parsed TOML, or the JSON stored with a campaign.
        where: name of the source, for messages.
        stored: passes over unknown keys at the top, for there are campaigns with such.

    Raises:
        PermanentError: naming the table and the key that is missing, unknown or out of range.
    """
    try:
        if not stored:
            require_known(source, _KEYS, "")
        _require_text(source)
        recipe = _build(source)
    except KeyError as error:
        raise PermanentError(f"recipe {where} lacks {error.args[0]!r}") from None
    except (TypeError, ValueError) as error:
        raise _refusal(where, str(error)) from None
    _check(recipe, where)
    return recipe


_KEYS = {entry.name for entry in fields(Recipe)} - {"source"}
_NESTED = {"shards", "model", "generation", "tracks", "quality", "audit"}


def _refusal(where: str, problem: str) -> PermanentError:
    """On one line, whatever keys and values the recipe has."""
    return PermanentError(f"recipe {where}: {' '.join(problem.split())}")


def _require_text(source: dict[str, Any]) -> None:
    try:
        _digest(source)
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise ValueError(
            f"half a character stands in it, {half!r}, which no file can hold"
        ) from None


def _build(source: dict[str, Any]) -> Recipe:
    plain = {key: value for key, value in source.items() if key in _KEYS - _NESTED}
    tracks = require_known(source["tracks"], TRACKS, "tracks")
    if not isinstance(shards := source["shards"], str):
        raise ValueError(f"the top of it shards is {shards!r}, expected text in quotes")
    try:
        names = tuple(parse_selection(shards))
    except PermanentError as error:
        raise ValueError(f"shards: {error}") from None
    return make(
        Recipe,
        {"images_of_last_shard": source.get("images_per_shard")} | plain,
        "",
        shards=names,
        model=make(Model, source["model"], "model"),
        generation=make(Generation, source["generation"], "generation"),
        tracks={
            name: make(Track, table, f"tracks.{name}", name=name) for name, table in tracks.items()
        },
        quality=_build_quality(source["quality"]),
        audit=_build_audit(source["audit"]) if "audit" in source else None,
        source=source,
    )


def _build_quality(content: Any) -> Quality:
    keys = [entry.name for entry in fields(Quality) if entry.name != "languages"]
    table = dict(require_known(content, [*keys, "language"], "quality"))
    health = make(HealthLimits, table.pop("health", {}), "quality.health")
    _require_sound(health, "quality.health")
    languages = {}
    for name, limits in require_table(table.pop("language"), "quality.language").items():
        path = f"quality.language.{name}"
        given = require_known(limits, [entry.name for entry in fields(LanguageQuality)], path)
        languages[name] = make(LanguageQuality, _packaged_limits(name) | given, path)
        _require_sound(languages[name], path)
    quality = make(Quality, table, "quality", languages=languages, health=health)
    if not 0 < quality.near_duplicate_jaccard <= 1:
        raise ValueError("quality.near_duplicate_jaccard must be above 0 and at most 1")
    return quality


def _build_audit(content: Any) -> Audit:
    audit = make(Audit, content, "audit")
    _require_sound(audit, "audit")
    return audit


def _require_sound(limits: HealthLimits | LanguageQuality | Audit, path: str) -> None:
    if problems := limits.problems():
        raise ValueError(f"{path}: " + "; ".join(problems))


@functools.cache
def _packaged_source() -> dict[str, Any]:
    return read_recipe_file("internvl")


def _packaged_limits(language: str) -> dict[str, Any]:
    """Limits that a recipe need not repeat: those of the packaged one."""
    limits: dict[str, Any] = _packaged_source()["quality"]["language"].get(language, {})
    return limits


def _check(recipe: Recipe, where: str) -> None:
    problems = []
    if set(recipe.tracks) != set(TRACKS):
        problems.append(f"tracks are {sorted(recipe.tracks)}, expected {sorted(TRACKS)}")
    if recipe.model.template not in TEMPLATES:
        problems.append(f"[model] template must be one of {', '.join(TEMPLATES)}")
    if recipe.model.context_tokens < 1024:
        problems.append("[model] context_tokens must be at least 1024")
    if recipe.archives not in ARCHIVES:
        problems.append(f"archives must be one of {', '.join(ARCHIVES)}")
    if recipe.archives != "sa1b" and not recipe.stand_in:
        problems.append("stand_in must say what the images are, for the dataset card")
    if recipe.block_size < 1:
        problems.append("block_size must be at least 1")
    for track in recipe.tracks.values():
        problems += _track_problems(recipe, track)
    if len({track.release_file for track in recipe.tracks.values()}) != len(recipe.tracks):
        problems.append("two tracks share a release_file")
    if problems:
        raise _refusal(where, "; ".join(problems))


def _track_problems(recipe: Recipe, track: Track) -> list[str]:
    problems = []
    if track.language not in LANGUAGES or track.language not in recipe.quality.languages:
        problems.append(
            f"{track.name}: language must be one of {', '.join(LANGUAGES)} and have a "
            f"[quality.language.{track.language}] section"
        )
    if not 1 <= track.images_min <= track.images_max:
        problems.append(f"{track.name}: images_min and images_max must be 1 or more, in order")
    if (track.images_max == 1) != track.name.startswith("single_"):
        problems.append(f"{track.name}: a single track takes 1 image, a multi track several")
    if (track.target is not None and track.target < 1) or (track.trim and not track.target):
        problems.append(f"{track.name}: target must be 1 or more, and trim needs a target")
    if track.spare_samples_per_shard < 0 or (
        track.spare_samples_per_shard and track.samples_per_shard is None
    ):
        problems.append(
            f"{track.name}: spare_samples_per_shard must be 0 or more, and needs "
            "samples_per_shard: without that every image is planned already"
        )
    if Path(track.release_file).name != track.release_file or not track.release_file.endswith(
        ".jsonl"
    ):
        problems.append(f"{track.name}: release_file must be a plain name ending in .jsonl")
    return problems
