"""Every file of a release but its manifest: tracks, card, report, checksums."""

import contextlib
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.engines.generation import RETRY_PENALTIES
from sa1b_captions.errors import PermanentError
from sa1b_captions.quality import rules
from sa1b_captions.quality.report.release import without_photographs
from sa1b_captions.release.card import card
from sa1b_captions.release.card.card_facts import CardFacts
from sa1b_captions.release.card.croissant import CROISSANT, render_croissant
from sa1b_captions.release.card.figures import histogram
from sa1b_captions.release.card.summary import TrackSummary, example_id
from sa1b_captions.release.claim import Claim
from sa1b_captions.release.comparing.changes import RECIPE, recipe_source
from sa1b_captions.release.folder import ReleaseFolder
from sa1b_captions.release.manifest import (
    SUMS,
    Manifest,
    next_number,
    pointed_version,
    read_manifest,
)
from sa1b_captions.release.names import release_names, track_files
from sa1b_captions.release.pieces import PIECES, merkle_root, render_pieces
from sa1b_captions.release.tracks.batch_files import BEYOND_TARGET, DUPLICATE_REASON, BatchInputs
from sa1b_captions.release.tracks.track_files import (
    count_rows,
    make_batches,
    put_together,
)
from sa1b_captions.software import software
from sa1b_captions.stages.exporting.export_inputs import Inputs
from sa1b_captions.stages.exporting.reviewed import review_tables
from sa1b_captions.stages.validating.validations import of_release, read_report
from sa1b_captions.storage import Store

MEANINGS = rules.MEANINGS | {
    DUPLICATE_REASON: "the same wording, or most of it, as a caption of another shard",
    BEYOND_TARGET: "more captions than the recipe wants, left out by hash of their names",
}
"""What the reasons of a release mean."""


def write_release(
    campaign: Campaign,
    claim: Claim,
    inputs: Inputs,
    wanted: Sequence[BatchInputs],
    run_id: str | None,
) -> Manifest:
    """Write all files but the manifest, and return that.

    Raises:
        PermanentError: a track has no caption to publish, or a row must not be published.
        RetryableError: the store failed, or another export took the version.
    """
    store, recipe, version = campaign.store, campaign.recipe, claim.version
    folder = ReleaseFolder(store, version, claim.require)
    rows = {
        name: count_rows(campaign, recipe.tracks[name], inputs.curated[name])
        for name in campaign.tracks
    }
    names = {name: track_files(name, jsonl) for name, jsonl in release_names(recipe, rows).items()}
    previous = _previous(store, version)
    for name in campaign.tracks:
        _require_rows(campaign, name, rows[name])
    summaries = {
        name: TrackSummary(example_id(recipe.seed, name, rows[name])) for name in campaign.tracks
    }
    batches = make_batches(campaign, wanted)
    tracks = {
        name: put_together(
            campaign,
            folder,
            names[name],
            [found for one, found in zip(wanted, batches, strict=True) if one.track == name],
            summaries[name],
        )
        for name in campaign.tracks
    }
    _write_card(
        folder,
        CardFacts(
            recipe=recipe,
            version=version,
            tracks=tracks,
            files=names,
            summaries=summaries,
            shards=recipe.shards,
            missing=campaign.missing,
            verdict=inputs.verdict,
            checks=inputs.validation.checks,
            meanings=MEANINGS,
            retry_penalties=RETRY_PENALTIES,
            software=software(),
            reviews=review_tables(campaign, tracks),
            previous=previous,
            previous_recipe=_previous_recipe(store, previous),
            audit=inputs.validation.audit,
            spent=inputs.spent.in_words(),
        ),
    )
    source = json.dumps(recipe.source, ensure_ascii=False, indent=1)
    folder.write(RECIPE, source.encode())
    report = read_report(campaign, of_release(campaign), inputs.validation)
    folder.write("quality.html", without_photographs(report))
    checks = [asdict(check) for check in inputs.validation.checks]
    folder.write("quality.json", json.dumps(checks, ensure_ascii=False, indent=1).encode())
    folder.write(CROISSANT, render_croissant(recipe, version, names, folder.files).encode())
    pieces = folder.pieces
    folder.write(PIECES, render_pieces(pieces).encode())
    sums = "".join(f"{file.sha256}  {file.name}\n" for file in folder.files if file.sha256)
    folder.write(SUMS, sums.encode())
    claim.require()
    _delete_leftovers(folder)
    return Manifest(
        version=version,
        title=card.title_of(recipe, campaign.missing),
        campaign=campaign.name,
        recipe=recipe.name,
        recipe_fingerprint=recipe.fingerprint,
        model=recipe.model.id,
        rows={names[name].jsonl: totals.rows for name, totals in tracks.items()},
        files=folder.files,
        shards=list(recipe.shards),
        missing_shards=list(campaign.missing),
        tracks=tracks,
        verdict=inputs.verdict,
        input=inputs.digest,
        created_at=dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
        software=software(),
        run_id=run_id,
        merkle_root=merkle_root(pieces),
        worker_images=inputs.worker_images,
        number=next_number(store),
    )


def _require_rows(campaign: Campaign, track: str, rows: int) -> None:
    if not rows:
        others = ",".join(name for name in campaign.tracks if name != track)
        raise PermanentError(
            f"{track}: no caption is left to publish; see why in the quality report, or "
            f"release the other tracks: validate --release and export, each with "
            f"--tracks {others or 'OTHERS'}"
        )


def _write_card(folder: ReleaseFolder, facts: CardFacts) -> None:
    """Card, its figures, licence and citation."""
    for name, summary in facts.summaries.items():
        for unit, file in card.figure_names(name, summary).items():
            folder.write(file, histogram(getattr(summary, unit).counts, unit).encode())
    folder.write(card.LICENCE, card.render_licence(facts.recipe).encode())
    folder.write(card.CITATION, card.render_citation(facts.recipe, facts.version).encode())
    folder.write(card.CARD, card.render_card(facts).encode())


def _previous(store: Store, version: str) -> Manifest | None:
    """The newest release, to tell what changed; None where it is this one or cannot be read."""
    newest = pointed_version(store)
    if newest in (None, version):
        return None
    with contextlib.suppress(PermanentError):  # whoever wants that release is told
        return read_manifest(store, newest)
    return None


def _previous_recipe(store: Store, previous: Manifest | None) -> dict[str, Any] | None:
    """Source of that release's recipe; None where it cannot be read."""
    if previous is not None:
        with contextlib.suppress(PermanentError):
            return recipe_source(store, layout.release_prefix(previous.version))
    return None


def _delete_leftovers(folder: ReleaseFolder) -> None:
    """Delete what an export that was cut off left under other names (of a changed recipe)."""
    names = {*(file.name for file in folder.files), layout.MANIFEST}
    expected = {layout.release_key(folder.version, name) for name in names}
    for key in folder.store.list(layout.release_prefix(folder.version)):
        if key not in expected:
            folder.store.delete(key)
