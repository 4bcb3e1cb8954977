"""The export stage: a version of the dataset, from every shard's curated captions.

A release is never overwritten: a version is claimed for the inputs before its first file, and the
inputs are read again before its manifest. Until the manifest is written there is no release, and a
run that was cut off is simply run again.
"""

import contextlib
import itertools
import logging
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any

from sa1b_captions import layout
from sa1b_captions.ahead import read_ahead
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.shard_freshness import READERS
from sa1b_captions.release import guards
from sa1b_captions.release.claim import TakenError, claimed, replace_claims
from sa1b_captions.release.manifest import (
    Manifest,
    point_latest,
    pointed_version,
    read_manifest,
    write_manifest,
)
from sa1b_captions.release.tracks.batch_files import BatchInputs
from sa1b_captions.release.tracks.track_files import (
    clear_batches,
    plan_track,
)
from sa1b_captions.release.verify import require_files
from sa1b_captions.stages.auditing.repairs import find_repairs
from sa1b_captions.stages.exporting.export_inputs import Inputs, read_inputs, require_unchanged
from sa1b_captions.stages.exporting.release_files import write_release

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
        version: name of the release; None takes the newest release's if the same inputs made it,
            else the next number that is free, over all campaigns of the store.
        allow_verdicts: verdicts of the release's validation to go on with.
        replace_unfinished: take the version over from exports that never finished it; whoever
            asks for this knows that they run no more.

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
            manifest = write_release(campaign, claim, inputs, wanted, run_id)
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


def _plan(campaign: Campaign, track: str, inputs: Inputs) -> list[BatchInputs]:
    return plan_track(
        campaign,
        campaign.recipe.tracks[track],
        inputs.curated[track],
        inputs.ingests,
        inputs.dedups[track],
        _repairs(campaign, inputs, track),
    )


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
