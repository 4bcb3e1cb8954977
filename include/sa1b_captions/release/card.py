"""The dataset card and licence of a release: `README.md` and `LICENSE.md`, from templates."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from sa1b_captions.recipe import Recipe
from sa1b_captions.release.guards import INTERNVL_MODEL
from sa1b_captions.release.manifest import TrackTotals
from sa1b_captions.release.names import TrackFiles
from sa1b_captions.shards import format_selection

CARD = "README.md"
LICENCE = "LICENSE.md"

_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
)


def _counted(rows: int) -> str:
    return f"{rows:,}"


# Markdown is not escaped: every value is from the recipe or a count, never a caption.
_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
# A JSON string is a YAML string.
_environment.filters["quoted"] = lambda value: json.dumps(value, ensure_ascii=False)
_environment.filters["counted"] = _counted


def size_category(rows: int) -> str:
    """Hugging Face's name for a dataset of this many rows."""
    return next((name for limit, name in _SIZES if rows < limit), "n>1B")


def render_card(
    recipe: Recipe,
    version: str,
    tracks: Mapping[str, TrackTotals],
    files: Mapping[str, TrackFiles],
    verdict: str,
    retry_penalties: Sequence[float],
) -> str:
    """Dataset card as Markdown with Hugging Face's YAML front matter.

    Args:
        recipe: what the captions were made by.
        version: of the release.
        tracks: totals of each track, in the order the card shows them.
        files: names of each track's files.
        verdict: of the release's validation.
        retry_penalties: repetition penalties of later tries of a recipe that does not sample.
    """
    return _render(
        "card.md.jinja",
        recipe,
        version=version,
        verdict=verdict,
        retry_penalties=retry_penalties,
        retried=sum(totals.retried for totals in tracks.values()),
        tracks={
            name: {
                "settings": recipe.tracks[name],
                "files": files[name],
                "totals": totals,
            }
            for name, totals in tracks.items()
        },
        outcomes=_outcomes(tracks.values()),
        reasons=_reasons(tracks.values()),
        languages=sorted({recipe.tracks[name].language for name in tracks}),
        size=size_category(sum(totals.rows for totals in tracks.values())),
        engines=sorted({engine for totals in tracks.values() for engine in totals.engines}),
        revisions=sorted({r for totals in tracks.values() for r in totals.model_revisions}),
        shards=format_selection(recipe.shards),
    )


def _outcomes(tracks: Collection[TrackTotals]) -> dict[str, list[str]]:
    """Rows of the card's table of outcomes: a number for each track."""
    return {
        "planned": [_counted(totals.planned) for totals in tracks],
        "**published**": [f"**{_counted(totals.rows)}**" for totals in tracks],
        "rejected by a rule": [_counted(totals.rejected) for totals in tracks],
        "like another shard's": [_counted(totals.duplicates) for totals in tracks],
    } | (
        {"beyond the target": [_counted(totals.trimmed) for totals in tracks]}
        if any(totals.trimmed for totals in tracks)
        else {}
    )


def _reasons(tracks: Collection[TrackTotals]) -> dict[str, list[str]]:
    """Rows of the card's table of reasons."""
    names = sorted({reason for totals in tracks for reason in totals.reasons})
    return {name: [_counted(totals.reasons.get(name, 0)) for totals in tracks] for name in names}


def render_licence(recipe: Recipe) -> str:
    """The terms of caption text, images and model, as Markdown."""
    return _render("licence.md.jinja", recipe)


def _render(template: str, recipe: Recipe, **facts: Any) -> str:
    llama = recipe.model.id == INTERNVL_MODEL
    return _environment.get_template(template).render(recipe=recipe, llama=llama, **facts)
