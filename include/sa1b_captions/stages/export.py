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
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sa1b_captions import layout
from sa1b_captions.campaign import Campaign
from sa1b_captions.caption.engines.generation import RETRY_PENALTIES
from sa1b_captions.errors import PermanentError
from sa1b_captions.quality.curated import require_curated, require_deduplicated
from sa1b_captions.quality.report.release import without_photographs
from sa1b_captions.receipt_files import digest, release_validation_place, require_receipt
from sa1b_captions.receipts import CurateReceipt, DedupReceipt, ReleaseValidation
from sa1b_captions.recipe import TRACKS
from sa1b_captions.release import card, guards
from sa1b_captions.release.claim import Claim, TakenError, claimed, replace_claims
from sa1b_captions.release.croissant import CROISSANT, render_croissant
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
from sa1b_captions.release.names import release_names, track_files
from sa1b_captions.release.track_files import count_rows, export_track
from sa1b_captions.software import software

_log = logging.getLogger(__name__)


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
    inputs = _read_inputs(campaign, allow_verdicts)
    if version is not None:
        if replace_unfinished and _finished(campaign, version, inputs) is None:
            replace_claims(campaign.store, version)
        return _export(campaign, version, inputs, run_id)
    for name in _versions(campaign, inputs):
        with contextlib.suppress(TakenError):
            return _export(campaign, name, inputs, run_id)
    raise AssertionError("numbers do not end")


def _export(
    campaign: Campaign, version: str, inputs: "_Inputs", run_id: str | None
) -> dict[str, Any]:
    store = campaign.store
    manifest = _finished(campaign, version, inputs)
    if manifest is not None:
        _log.info("release %s is up to date", version)
        point_latest(store, manifest)
        return _result(campaign, manifest, up_to_date=True)
    with claimed(store, version, inputs.files_digest, campaign.name, run_id) as claim:
        # Asked again, for another run may have finished it before this one claimed it.
        manifest = _finished(campaign, version, inputs)
        if manifest is None:
            manifest = _write(campaign, claim, inputs, run_id)
            _require_unchanged(campaign, inputs)
            claim.require()
            write_manifest(store, manifest)
    point_latest(store, manifest)
    return _result(campaign, manifest, up_to_date=False)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What a release is made from."""

    curated: dict[str, dict[str, CurateReceipt]]
    """Curate receipts by track and shard."""
    validation: ReleaseValidation
    digest: str

    @property
    def verdict(self) -> str:
        """Of the release's validation."""
        return self.validation.verdict.value

    @property
    def files_digest(self) -> str:
        """Digest of all that decides the bytes of the release's files."""
        return digest({"inputs": self.digest, "software": software()}, self.validation)


def _read_inputs(campaign: Campaign, allow_verdicts: Collection[str]) -> _Inputs:
    recipe = campaign.recipe
    curated = {track: require_curated(campaign, track) for track in TRACKS}
    dedups = [require_deduplicated(campaign, track, curated[track]) for track in TRACKS]
    validation = _require_verdict(campaign, dedups, allow_verdicts)
    receipts = [receipt for track in TRACKS for receipt in curated[track]]
    return _Inputs(
        curated={track: dict(zip(recipe.shards, curated[track], strict=True)) for track in TRACKS},
        validation=validation,
        digest=digest(
            {"recipe": recipe.source, "verdict": validation.verdict.value}, *receipts, *dedups
        ),
    )


def _require_verdict(
    campaign: Campaign, dedups: Sequence[DedupReceipt], allow_verdicts: Collection[str]
) -> ReleaseValidation:
    store = campaign.store
    validation = require_receipt(store, release_validation_place(campaign.name))
    # A verdict on other captions says nothing of these, nor did a person accept it for them.
    # Told by what it saw, not by when: clocks of two machines differ.
    validated_this = validation.dedups == digest(*dedups)
    report = validation.report
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
    return validation


def _require_unchanged(campaign: Campaign, inputs: _Inputs) -> None:
    """Refuse to publish what is not the present state any more."""
    present = _read_inputs(campaign, [inputs.verdict])
    if present.files_digest != inputs.files_digest:
        raise PermanentError(
            f"campaign {campaign.name} was curated, deduplicated or validated again while its "
            "release was written; nothing is published: run sa1b-captions export again"
        )


def _versions(campaign: Campaign, inputs: _Inputs) -> Iterator[str]:
    """Names to try: the newest release's if these inputs made it, then every number."""
    newest = latest_version(campaign.store)
    found = None if newest is None else read_manifest(campaign.store, newest)
    if found is not None and found.input == inputs.digest:
        yield found.version
    # An export that was cut off after its manifest is not in LATEST yet.
    yield from (f"v{number}" for number in itertools.count(1))


def _finished(campaign: Campaign, version: str, inputs: _Inputs) -> Manifest | None:
    """The release of that version, if these inputs made it."""
    manifest = read_manifest(campaign.store, version)
    if manifest is not None and manifest.input != inputs.digest:
        raise TakenError(
            f"release {version} was made on {manifest.created_at[:10]} by campaign "
            f"{manifest.campaign} from other captions or another recipe, and a release is never "
            "overwritten; choose a new version"
        )
    return manifest


def _write(campaign: Campaign, claim: Claim, inputs: _Inputs, run_id: str | None) -> Manifest:
    """Write all files but the manifest."""
    store, recipe, version = campaign.store, campaign.recipe, claim.version
    folder = ReleaseFolder(store, version, claim.require)
    rows = {
        name: count_rows(campaign, recipe.tracks[name], inputs.curated[name]) for name in TRACKS
    }
    names = {name: track_files(name, jsonl) for name, jsonl in release_names(recipe, rows).items()}
    tracks = {
        name: export_track(campaign, folder, recipe.tracks[name], inputs.curated[name], names[name])
        for name in TRACKS
    }
    source = json.dumps(recipe.source, ensure_ascii=False, indent=1)
    folder.write("recipe.json", source.encode())
    report = store.read(inputs.validation.report)
    folder.write("quality.html", without_photographs(report))
    folder.write(card.LICENCE, card.render_licence(recipe).encode())
    text = card.render_card(recipe, version, tracks, names, inputs.verdict, RETRY_PENALTIES)
    folder.write(card.CARD, text.encode())
    folder.write(CROISSANT, render_croissant(recipe, version, names, folder.files).encode())
    sums = "".join(f"{file.sha256}  {file.name}\n" for file in folder.files)
    folder.write(SUMS, sums.encode())
    claim.require()
    _delete_leftovers(folder)
    return Manifest(
        version=version,
        title=recipe.title,
        campaign=campaign.name,
        recipe=recipe.name,
        recipe_fingerprint=recipe.fingerprint,
        model=recipe.model.id,
        rows={names[name].jsonl: totals.rows for name, totals in tracks.items()},
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
