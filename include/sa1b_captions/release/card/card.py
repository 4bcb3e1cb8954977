"""The dataset card, licence and citation of a release, from templates."""

import json
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from sa1b_captions.receipts.faithfulness import AuditFindings, Faithfulness, Share
from sa1b_captions.recipe import Recipe
from sa1b_captions.release.card.card_facts import CardFacts
from sa1b_captions.release.card.summary import Lengths, TrackSummary
from sa1b_captions.release.comparing.changes import changed_settings
from sa1b_captions.release.guards import INTERNVL_MODEL
from sa1b_captions.release.manifest import Manifest, TrackTotals
from sa1b_captions.shards import format_selection, shard_name

CARD = "README.md"
LICENCE = "LICENSE.md"
CITATION = "CITATION.cff"

PERCENTILES = {5: "5 % have at most", 50: "median", 95: "95 % have at most", 100: "most"}

INTERNVL_WORKS = (
    {
        "key": "chen2023internvl",
        "title": "InternVL: Scaling up Vision Foundation Models and Aligning for Generic "
        "Visual-Linguistic Tasks",
        "author": "Chen, Zhe",
        "year": "2023",
        "arxiv": "2312.14238",
    },
    {
        "key": "chen2024far",
        "title": "How Far Are We to GPT-4V? Closing the Gap to Commercial Multimodal Models with "
        "Open-Source Suites",
        "author": "Chen, Zhe",
        "year": "2024",
        "arxiv": "2404.16821",
    },
)
SA_1B_WORK = {
    "key": "kirillov2023segment",
    "title": "Segment Anything",
    "author": "Kirillov, Alexander",
    "year": "2023",
    "arxiv": "2304.02643",
}

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


def in_words(share: Share) -> str:
    """`4.2% (3.1% to 5.6%)`: a share with its 95 % interval."""
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"


# Markdown is not escaped: every value is from the recipe or a count. The one caption of each track
# stands in a block of code, as JSON on one line, which cannot end the block.
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
_environment.filters["cell"] = lambda value: str(value).replace("|", "\\|")
_environment.filters["counted"] = _counted
_environment.filters["in_words"] = in_words


def size_category(rows: int) -> str:
    """Hugging Face's name for a dataset of this many rows."""
    return next((name for limit, name in _SIZES if rows < limit), "n>1B")


def render_card(facts: CardFacts) -> str:
    """Dataset card as Markdown with the YAML front matter of Hugging Face and ModelScope."""
    recipe, totals = facts.recipe, facts.tracks
    return _render(
        "card.md.jinja",
        recipe,
        facts=facts,
        title=title_of(recipe, facts.missing),
        missing=_named(facts.missing),
        missing_tracks=[name for name in recipe.tracks if name not in totals],
        version=facts.version,
        retried=sum(one.retried for one in totals.values()),
        tracks={
            name: {
                "settings": recipe.tracks[name],
                "files": facts.files[name],
                "totals": totals[name],
                "summary": facts.summaries[name],
                "figures": figure_names(name, facts.summaries[name]),
            }
            for name in totals
        },
        single=next((name for name in totals if recipe.tracks[name].images_max == 1), None),
        outcomes=_outcomes(totals.values()),
        faithfulness=faithfulness_rows(facts.audit) if facts.audit else {},
        lengths=_lengths([facts.summaries[name] for name in totals]),
        reasons=_reasons(totals.values()),
        changes=_changes(facts, facts.previous) if facts.previous else {},
        languages=sorted({recipe.tracks[name].language for name in totals}),
        size=size_category(sum(one.rows for one in totals.values())),
        engines=sorted({engine for one in totals.values() for engine in one.engines}),
        revisions=sorted({r for one in totals.values() for r in one.model_revisions}),
        shards=_named(facts.shards),
        works=_works(recipe),
    )


def title_of(recipe: Recipe, missing: Collection[str]) -> str:
    """What a release is called; a partial one is called so."""
    return f"{recipe.title} (partial)" if missing else recipe.title


def figure_names(track: str, summary: TrackSummary) -> dict[str, str]:
    """Names of a track's histograms by unit; none of tokens where no engine counted any."""
    units = {"characters": summary.characters, "tokens": summary.tokens}
    return {
        unit: f"figures/{track}_{unit}.svg" for unit, lengths in units.items() if lengths.counts
    }


def _share(part: int, whole: int) -> str:
    return f"{_counted(part)} ({part / whole if whole else 0:.2%})"


def _outcomes(tracks: Collection[TrackTotals]) -> dict[str, list[str]]:
    """Rows of the card's table of outcomes: a number for each track."""
    shares = {
        "rejected by a rule": [(one.rejected, one.planned) for one in tracks],
        "like another shard's": [(one.duplicates, one.planned) for one in tracks],
        "near duplicates, of any shard": [(one.near_duplicates, one.planned) for one in tracks],
    }
    if any(one.trimmed for one in tracks):
        shares["beyond the target"] = [(one.trimmed, one.planned) for one in tracks]
    return {
        "planned": [_counted(one.planned) for one in tracks],
        "**published**": [f"**{_counted(one.rows)}**" for one in tracks],
    } | {label: [_share(*pair) for pair in pairs] for label, pairs in shares.items()}


def _lengths(summaries: Collection[TrackSummary]) -> dict[str, list[str]]:
    """Rows of the card's table of lengths."""
    table = {}
    for unit in ("characters", "tokens"):
        many: list[Lengths] = [getattr(summary, unit) for summary in summaries]
        if any(lengths.counts for lengths in many):
            table[f"{unit}, mean"] = [
                f"{lengths.mean:.1f}" if lengths.counts else "–" for lengths in many
            ]
            for percent, label in PERCENTILES.items():
                table[f"{unit}, {label}"] = [
                    _counted(lengths.percentile(percent)) if lengths.counts else "–"
                    for lengths in many
                ]
    return table


def _reasons(tracks: Collection[TrackTotals]) -> dict[str, list[str]]:
    """Rows of the card's table of reasons."""
    names = sorted({reason for one in tracks for reason in one.reasons})
    return {
        name: [_share(one.reasons.get(name, 0), one.planned) for one in tracks] for name in names
    }


def _changes(facts: CardFacts, before: Manifest) -> dict[str, tuple[str, str]]:
    """What was and what is, of all that is different from the version before."""
    recipe = facts.recipe
    pairs = {
        "recipe": (f"`{before.recipe}`", f"`{recipe.name}`"),
        "recipe's fingerprint": (f"`{before.recipe_fingerprint}`", f"`{recipe.fingerprint}`"),
        "model": (f"`{before.model}`", f"`{recipe.model.id}`"),
        "software": (before.software, facts.software),
        "shards": (_named(before.shards), _named(facts.shards)),
        "verdict": (before.verdict, facts.verdict),
    }
    for name in {**before.tracks, **facts.tracks}:
        totals = (before.tracks.get(name), facts.tracks.get(name))
        for what in ("planned", "rejected", "duplicates", "rows"):
            was, is_ = (_counted(getattr(one, what)) if one else "–" for one in totals)
            pairs[f"{what} of `{name}`"] = (was, is_)
        counts = [one.reasons if one else None for one in totals]
        for reason in sorted({*(counts[0] or ()), *(counts[1] or ())}):
            was, is_ = ("–" if one is None else _counted(one.get(reason, 0)) for one in counts)
            pairs[f"`{reason}` in `{name}`"] = (was, is_)
    found = {label: pair for label, pair in pairs.items() if pair[0] != pair[1]}
    settings = changed_settings(facts.previous_recipe or recipe.source, recipe.source)
    return found | {
        f"setting `{name}`": (_setting(was), _setting(is_))
        for name, (was, is_) in settings.items()
        if name not in _TOLD
    }


def _named(shards: Sequence[str]) -> str:
    """Shards as a selection of names: `2` alone could be their number."""
    return re.sub(r"\d+", lambda found: shard_name(int(found[0])), format_selection(shards))


_TOLD = ("name", "model.id")
"""Settings of a recipe that a card tells in words of their own."""


def _setting(value: object) -> str:
    if value is None:
        return "–"
    return f"`{json.dumps(value, ensure_ascii=False)}`".replace("|", "\\|")


def _works(recipe: Recipe) -> list[dict[str, str]]:
    """What to cite beside this dataset."""
    works = INTERNVL_WORKS if recipe.model.id.startswith("OpenGVLab/InternVL") else ()
    return [*works, SA_1B_WORK] if recipe.archives == "sa1b" else list(works)


def render_citation(recipe: Recipe, version: str) -> str:
    """How to cite this version, as CITATION.cff."""
    return _render("citation.cff.jinja", recipe, version=version, works=_works(recipe))


def render_licence(recipe: Recipe) -> str:
    """The terms of caption text, images and model, as Markdown."""
    return _render("licence.md.jinja", recipe)


def _render(template: str, recipe: Recipe, **facts: Any) -> str:
    sa1b = recipe.archives == "sa1b"
    return _environment.get_template(template).render(
        recipe=recipe,
        sa1b=sa1b,
        # The quantised models carry Llama 3's terms, too.
        llama=recipe.model.id.startswith(INTERNVL_MODEL),
        recreation=sa1b and recipe.model.id == INTERNVL_MODEL,
        **facts,
    )


def faithfulness_rows(audit: AuditFindings) -> dict[str, list[str]]:
    """Rows of the card's table: a share for each audited track, and for all of them."""
    columns = [*audit.tracks.values(), *([audit.everything] if audit.everything else [])]
    return {
        "captions asked about": [f"{one.captions:,}" for one in columns],
        "sentences": [f"{one.refused.of:,}" for one in columns],
        "**sentences not supported, corrected**": [_corrected(one) for one in columns],
        "sentences that the judge does not find": [in_words(one.refused) for one in columns],
        "captions with such a sentence": [in_words(one.captions_refused) for one in columns],
        "sentences that it cannot tell of": [f"{one.unsure.value:.1%}" for one in columns],
        "of what it refuses, people do not support": [
            in_words(one.quality.precision) if one.quality else "–" for one in columns
        ],
        "of what people do not support, it refuses": [
            in_words(one.quality.recall) if one.quality else "–" for one in columns
        ],
    }


def _corrected(one: Faithfulness) -> str:
    return f"**{in_words(one.corrected)}**" if one.corrected else "uncalibrated"
