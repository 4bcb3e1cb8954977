"""The export stage: a version of the dataset, from every shard's curated captions.

A release is never overwritten: a version is claimed for the inputs before its first file, and the
inputs are read again before its manifest. Until the manifest is written there is no release, and a
run that was cut off is simply run again.
"""

import contextlib
import datetime as dt
import itertools
import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from sa1b_captions import layout
from sa1b_captions.ahead import read_ahead
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.engines.generation import RETRY_PENALTIES
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.shard_freshness import READERS
from sa1b_captions.quality import rules
from sa1b_captions.quality.report.release import without_photographs
from sa1b_captions.release import guards
from sa1b_captions.release.card import card
from sa1b_captions.release.card.croissant import CROISSANT, render_croissant
from sa1b_captions.release.card.figures import histogram
from sa1b_captions.release.card.summary import TrackSummary, example_id
from sa1b_captions.release.claim import Claim, TakenError, claimed, replace_claims
from sa1b_captions.release.comparing.changes import RECIPE, recipe_source
from sa1b_captions.release.folder import ReleaseFolder
from sa1b_captions.release.manifest import (
    SUMS,
    Manifest,
    next_number,
    point_latest,
    pointed_version,
    read_manifest,
    write_manifest,
)
from sa1b_captions.release.names import release_names, track_files
from sa1b_captions.release.pieces import PIECES, merkle_root, render_pieces
from sa1b_captions.release.tracks.batch_files import BEYOND_TARGET, DUPLICATE_REASON, BatchInputs
from sa1b_captions.release.tracks.track_files import (
    clear_batches,
    count_rows,
    make_batches,
    plan_track,
    put_together,
)
from sa1b_captions.release.verify import require_files
from sa1b_captions.software import software
from sa1b_captions.stages.auditing.repairs import find_repairs
from sa1b_captions.stages.exporting.export_inputs import Inputs, read_inputs, require_unchanged
from sa1b_captions.stages.exporting.reviewed import review_tables
from sa1b_captions.stages.validating.validations import of_release, read_report
from sa1b_captions.storage import Store

_log = logging.getLogger(__name__)

MEANINGS = rules.MEANINGS | {
    DUPLICATE_REASON: "the same wording, or most of it, as a caption of another shard",
    BEYOND_TARGET: "more captions than the recipe wants, left out by hash of their names",
}
"""What the reasons of a release mean."""


def export_release(
    campaign: Campaign,
    version: str | None,
    *,
    allow_verdicts: Collection[str] = ("pass",),
    replace_unfinished: bool = False,
    run_id: str | None = None,
) -> dict[str, Any]:
    """Write a release, unless it exists and was made from the same inputs.

    Args:
        campaign: recipe and keys.
        version: name of the release; None takes the newest release's if the same inputs made it,
            else the next number that is free, over all campaigns of the store.
        allow_verdicts: verdicts of the release's validation to go on with.
        replace_unfinished: take the version over from exports that never finished it; whoever
            asks for this knows that they run no more.
        run_id: Airflow run, for the manifest.

    Returns:
        Version, URL of the folder, rows of each JSONL file, unpublished samples by reason, key of
        the manifest, and whether it was up to date.

    Raises:
        PermanentError: a stage is missing, the verdict is not allowed, the version exists or was
            begun with other content, or a row must not be published.
        RetryableError: the store failed, or another export finished the version meanwhile.
    """
    if version is not None:
        layout.release_prefix(version)  # a version that cannot name a folder fails before any work
    elif replace_unfinished:
        raise PermanentError("say which version to replace, with --version")
    guards.check_recipe(campaign.recipe)
    inputs = read_inputs(campaign, allow_verdicts)
    if version is not None:
        if replace_unfinished and _finished(campaign, version, inputs) is None:
            replace_claims(campaign.store, version)
        return _export(campaign, version, inputs, run_id)
    for name in _versions(campaign, inputs):
        with contextlib.suppress(TakenError):
            return _export(campaign, name, inputs, run_id)
    raise AssertionError("numbers do not end")


def _export(campaign: Campaign, version: str, inputs: Inputs, run_id: str | None) -> dict[str, Any]:
    store = campaign.store
    manifest = _finished(campaign, version, inputs)
    if manifest is not None:
        require_files(store, manifest)
        _log.info("release %s is up to date", version)
        point_latest(store, manifest)
        return _result(campaign, manifest, up_to_date=True)
    wanted = [one for name in campaign.tracks for one in _plan(campaign, name, inputs)]
    with claimed(store, version, inputs.files_digest, campaign.name, run_id) as claim:
        # Asked again, for another run may have finished it before this one claimed it.
        manifest = _finished(campaign, version, inputs)
        if manifest is None:
            manifest = _write(campaign, claim, inputs, wanted, run_id)
            require_unchanged(campaign, inputs)
            claim.require()
            write_manifest(store, manifest)
    require_files(store, manifest)
    point_latest(store, manifest)
    clear_batches(campaign, wanted)
    # Of killed runs; whoever copies the folder would take it along.
    store.clear_unfinished(layout.release_prefix(version), 0)
    return _result(campaign, manifest, up_to_date=False)


def _versions(campaign: Campaign, inputs: Inputs) -> Iterator[str]:
    """Names to try: the newest release's if these inputs made it, then every number."""
    newest = pointed_version(campaign.store)
    found = None if newest is None else read_manifest(campaign.store, newest)
    if found is not None and found.input == inputs.digest:
        yield found.version
    # An export that was cut off after its manifest is not in LATEST yet.
    suffix = "-partial" if campaign.missing else ""
    yield from (f"v{number}{suffix}" for number in itertools.count(1))


def _finished(campaign: Campaign, version: str, inputs: Inputs) -> Manifest | None:
    """The release of that version, if these inputs made it."""
    manifest = read_manifest(campaign.store, version)
    if manifest is not None and manifest.input != inputs.digest:
        raise TakenError(
            f"release {version} was made on {manifest.created_at[:10]} by campaign "
            f"{manifest.campaign} from other captions or another recipe, and a release is never "
            "overwritten; choose a new version"
        )
    return manifest


def _write(
    campaign: Campaign,
    claim: Claim,
    inputs: Inputs,
    wanted: Sequence[BatchInputs],
    run_id: str | None,
) -> Manifest:
    """Write all files but the manifest."""
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
        card.CardFacts(
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


def _plan(campaign: Campaign, track: str, inputs: Inputs) -> list[BatchInputs]:
    return plan_track(
        campaign,
        campaign.recipe.tracks[track],
        inputs.curated[track],
        inputs.ingests,
        inputs.dedups[track],
        _repairs(campaign, inputs, track),
    )


def _require_rows(campaign: Campaign, track: str, rows: int) -> None:
    if not rows:
        others = ",".join(name for name in campaign.tracks if name != track)
        raise PermanentError(
            f"{track}: no caption is left to publish; see why in the quality report, or "
            f"release the other tracks: validate --release and export, each with "
            f"--tracks {others or 'OTHERS'}"
        )


def _write_card(folder: ReleaseFolder, facts: card.CardFacts) -> None:
    """Card, its figures, licence and citation."""
    for name, summary in facts.summaries.items():
        for unit, file in card.figure_names(name, summary).items():
            folder.write(file, histogram(getattr(summary, unit).counts, unit).encode())
    folder.write(card.LICENCE, card.render_licence(facts.recipe).encode())
    folder.write(card.CITATION, card.render_citation(facts.recipe, facts.version).encode())
    folder.write(card.CARD, card.render_card(facts).encode())


def _repairs(
    campaign: Campaign, inputs: Inputs, track: str
) -> Mapping[str, Mapping[str, str]] | None:
    """What a track's captions are published as, by shard and sample; None if as they are."""
    if not campaign.recipe.repairs:
        return None
    audits = inputs.audits.get(track, {})
    found = read_ahead(partial(find_repairs, campaign), audits.values(), READERS)
    texts = {shard: one.texts for shard, one in zip(audits, found, strict=True)}
    return {shard: texts.get(shard, {}) for shard in campaign.recipe.shards}


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


def _result(campaign: Campaign, manifest: Manifest, *, up_to_date: bool) -> dict[str, Any]:
    return {
        "stage": "export",
        "version": manifest.version,
        "folder": campaign.store.locate(layout.release_prefix(manifest.version).rstrip("/")),
        "rows": manifest.rows,
        "rejected": manifest.rejected,
        "manifest": layout.manifest_key(manifest.version),
        "up_to_date": up_to_date,
    }
