"""A recipe from what was written or stored: every table and key is checked, and named if wrong."""

import functools
from dataclasses import fields
from pathlib import Path
from typing import Any

from sa1b_captions.errors import PermanentError
from sa1b_captions.recipe.limits import HealthLimits, LanguageQuality, Quality
from sa1b_captions.recipe.recipe import Recipe, digest
from sa1b_captions.recipe.recipe_files import read_recipe_file
from sa1b_captions.recipe.sections import (
    ARCHIVES,
    LANGUAGES,
    TEMPLATES,
    TRACKS,
    Audit,
    Generation,
    Model,
    Track,
)
from sa1b_captions.recipe.tables import make, require_known, require_table
from sa1b_captions.shards import parse_selection


def load_recipe(name_or_path: str) -> Recipe:
    """Load a packaged recipe by its name, such as `internvl`, or a recipe file.

    Raises PermanentError: there is no such file, it is no TOML, or no recipe.
    """
    return parse_recipe(read_recipe_file(name_or_path), where=name_or_path)


def parse_recipe(source: dict[str, Any], *, where: str, stored: bool = False) -> Recipe:
    """Check a recipe's content and build it.

    Args:
        source: parsed TOML, or the JSON stored with a campaign.
        where: name of the source, for messages.
        stored: passes over unknown keys at the top, for there are campaigns with such.

    Raises PermanentError naming the table and the key that is missing, unknown or out of range.
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
        digest(source)
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
