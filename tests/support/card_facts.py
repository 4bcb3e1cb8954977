"""Facts of a made-up release, for its card."""

import dataclasses
from typing import Any

import pyarrow.compute as pc

from sa1b_captions.receipts.findings import Check
from sa1b_captions.recipe import TRACKS, Recipe, Track
from sa1b_captions.release.card.card_facts import CardFacts
from sa1b_captions.release.card.summary import TrackSummary
from sa1b_captions.release.manifest import TrackTotals
from sa1b_captions.release.names import release_names, track_files
from sa1b_captions.release.tracks.rows import published_table
from sa1b_captions.stages.exporting.release_files import MEANINGS
from tests.support import builders

TOTALS = TrackTotals(
    planned=11_186_000,
    accepted=11_000_010,
    rejected=185_990,
    duplicates=10,
    rows=11_000_000,
    reasons={"too_short": 185_990, "duplicate_of_other_shard": 10},
    engines=["lmdeploy"],
    model_revisions=["main"],
)


def facts(recipe: Recipe, totals: TrackTotals = TOTALS, **changes: Any) -> CardFacts:
    names = release_names(recipe, dict.fromkeys(TRACKS, totals.rows))
    made = CardFacts(
        recipe=recipe,
        version="v1",
        tracks=dict.fromkeys(TRACKS, totals),
        files={track: track_files(track, name) for track, name in names.items()},
        summaries={track: summary(recipe.tracks[track]) for track in TRACKS},
        shards=recipe.shards,
        missing=(),
        verdict="pass",
        checks=[Check("all_shards", "All shards are there", "critical", True, False, "2")],
        meanings=MEANINGS,
        retry_penalties=(1.02, 1.05),
        software="sa1b-captions 1",
    )
    return dataclasses.replace(made, **changes)


def summary(track: Track) -> TrackSummary:
    recipe = builders.demo_recipe()
    kept = builders.caption_rows(recipe, track.name, "sa_000000", ["A path.", "A long path."])
    found = TrackSummary(example=1)
    found.characters.add(pc.utf8_length(kept.column("caption")))
    found.tokens.add(kept.column("completion_tokens"))
    found.row = published_table(track, kept, 0).to_pylist()[found.example]
    return found
