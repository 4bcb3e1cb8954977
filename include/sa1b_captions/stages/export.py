"""The export stage: a version of the dataset, from every shard's curated captions.

A release is never overwritten. Until its manifest is written there is none, and a run that was
cut off is simply run again.
"""

import datetime as dt
import itertools
import json
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.curated import require_curated, require_deduplicated
from sa1b_captions.receipt_files import digest, release_validation_place, require_receipt
from sa1b_captions.receipts import CurateReceipt, DedupReceipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.release import card, guards
from sa1b_captions.release.folder import ReleaseFolder
from sa1b_captions.release.manifest import (
    SUMS,
    Manifest,
    latest_version,
    next_number,
    point_latest,
    read_manifest,
    write_manifest,
)
from sa1b_captions.release.track_files import export_track
from sa1b_captions.software import software

_log = logging.getLogger(__name__)


def export_release(
    campaign: Campaign,
    version: str | None,
    *,
    allow_verdicts: Collection[str] = ("pass",),
    run_id: str | None = None,
) -> dict[str, Any]:
    """Write a release, unless it exists and was made from the same inputs.

    Args:
        campaign: recipe and keys.
        version: name of the release; None takes the newest release's if the same inputs made it,
            else the next number that is free.
        allow_verdicts: verdicts of the release's validation to go on with.
        run_id: Airflow run, for the manifest.

    Returns:
        Version, URL of the folder, rows of each JSONL file, unpublished samples by reason, key of
        the manifest, and whether it was up to date.

    Raises:
        PermanentError: a stage is missing, the verdict is not allowed, the version exists with
            other content, or a row must not be published.
        RetryableError: the store failed.
    """
    if version is not None:
        layout.release_prefix(version)  # a version that cannot name a folder fails before any work
    guards.check_recipe(campaign.recipe)
    inputs = _read_inputs(campaign, allow_verdicts)
    version = version or _next_version(campaign, inputs)
    finished = _finished(campaign, version, inputs)
    if finished is not None:
        _log.info("release %s is up to date", version)
        point_latest(campaign.store, finished)
        return _result(campaign, finished, up_to_date=True)
    manifest = _write(campaign, version, inputs, run_id)
    # Asked again: two exports of one version must not both believe they made it.
    if _finished(campaign, version, inputs) is None:
        write_manifest(campaign.store, manifest)
    point_latest(campaign.store, manifest)
    return _result(campaign, manifest, up_to_date=False)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What a release is made from."""

    curated: dict[str, dict[str, CurateReceipt]]
    """Curate receipts by track and shard."""
    verdict: str
    digest: str


def _read_inputs(campaign: Campaign, allow_verdicts: Collection[str]) -> _Inputs:
    recipe = campaign.recipe
    curated = {track: require_curated(campaign, track) for track in TRACKS}
    dedups = [require_deduplicated(campaign, track, curated[track]) for track in TRACKS]
    verdict = _require_verdict(campaign, dedups, allow_verdicts)
    receipts = [receipt for track in TRACKS for receipt in curated[track]]
    return _Inputs(
        curated={track: dict(zip(recipe.shards, curated[track], strict=True)) for track in TRACKS},
        verdict=verdict,
        digest=digest({"recipe": recipe.source, "verdict": verdict}, *receipts, *dedups),
    )


def _require_verdict(
    campaign: Campaign, dedups: Sequence[DedupReceipt], allow_verdicts: Collection[str]
) -> str:
    store = campaign.store
    validation = require_receipt(store, release_validation_place(campaign.name))
    # A verdict on other captions says nothing of these, nor did a person accept it for them.
    # Told by what it saw, not by when: clocks of two machines differ.
    validated_this = validation.dedups == digest(*dedups)
    report = layout.release_report_key(campaign.name)
    if not validated_this or not store.exists(report):
        raise PermanentError(
            f"the release was deduplicated again since it was validated, or the report "
            f"{report} is gone; run sa1b-captions validate --release --force"
        )
    verdict = validation.verdict.value
    if verdict not in allow_verdicts:
        raise PermanentError(
            f"the validation of the release ended with {verdict!r}, and export goes on with "
            f"{' or '.join(allow_verdicts)} only; see {store.locate(report)}, "
            "then curate again, or accept warnings with --allow-warnings"
        )
    return verdict


def _next_version(campaign: Campaign, inputs: _Inputs) -> str:
    """The newest release's if these inputs made it, else the first number free or theirs."""

    def fits(name: str, *, free: bool) -> bool:
        manifest = read_manifest(campaign.store, name)
        return free if manifest is None else manifest.input == inputs.digest

    newest = latest_version(campaign.store)
    if newest is not None and fits(newest, free=False):
        return newest
    # Theirs: an export that was cut off after its manifest is not in LATEST yet.
    numbers = (f"v{number}" for number in itertools.count(1))
    return next(name for name in numbers if fits(name, free=True))


def _finished(campaign: Campaign, version: str, inputs: _Inputs) -> Manifest | None:
    """The release of that version, if these inputs made it."""
    manifest = read_manifest(campaign.store, version)
    if manifest is not None and manifest.input != inputs.digest:
        raise PermanentError(
            f"release {version} was made on {manifest.created_at[:10]} from other captions or "
            "another recipe, and a release is never overwritten; choose a new version"
        )
    return manifest


def _write(campaign: Campaign, version: str, inputs: _Inputs, run_id: str | None) -> Manifest:
    """Write all files but the manifest."""
    store, recipe = campaign.store, campaign.recipe
    folder = ReleaseFolder(store, version)
    tracks = {
        name: export_track(campaign, folder, recipe.tracks[name], inputs.curated[name])
        for name in TRACKS
    }
    source = json.dumps(recipe.source, ensure_ascii=False, indent=1)
    folder.write("recipe.json", source.encode())
    folder.write("quality.html", store.read(layout.release_report_key(campaign.name)))
    folder.write(card.LICENCE, card.render_licence(recipe).encode())
    folder.write(card.CARD, card.render_card(recipe, version, tracks, inputs.verdict).encode())
    sums = "".join(f"{file.sha256}  {file.name}\n" for file in folder.files)
    folder.write(SUMS, sums.encode())
    _delete_leftovers(folder)
    return Manifest(
        version=version,
        title=recipe.title,
        campaign=campaign.name,
        recipe=recipe.name,
        recipe_fingerprint=recipe.fingerprint,
        model=recipe.model.id,
        rows={recipe.tracks[name].release_file: totals.rows for name, totals in tracks.items()},
        files=folder.files,
        shards=list(recipe.shards),
        tracks=tracks,
        verdict=inputs.verdict,
        input=inputs.digest,
        created_at=dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
        software=software(),
        run_id=run_id,
        number=next_number(store),
    )


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
