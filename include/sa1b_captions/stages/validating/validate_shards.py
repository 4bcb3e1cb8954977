"""Validate stage, of shards: check curated shards and write their reports.

One process validates many shards, because importing Great Expectations costs far more than
validating one. A result is written after its report, so a result that exists has its report.

A shard's health is judged beside the neighbours that are curated when it is validated. Those that
come later do not make its result outdated; `force` judges it again.
"""

import enum
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import RetryableError
from sa1b_captions.freshness.shard_freshness import (
    ShardState,
    curated_version,
    read_shard,
    why_not_curated,
)
from sa1b_captions.outputs import read_curated, read_metrics
from sa1b_captions.process import cpu_lap_s
from sa1b_captions.quality import expectations
from sa1b_captions.quality.checks import CrashedCheckError, run_suite
from sa1b_captions.quality.health.measures import health_table, measure_audit, measure_health
from sa1b_captions.quality.health.reference import read_reference
from sa1b_captions.quality.projection import check_projection, project
from sa1b_captions.quality.report.shard import ShardFindings, render_shard
from sa1b_captions.quality.report.window_occupancy import check_shard
from sa1b_captions.receipts import (
    AuditReceipt,
    CurateCounts,
    CurateReceipt,
    RunSummary,
    ShardSummary,
    ShardValidation,
)
from sa1b_captions.receipts.faithfulness import AuditFindings
from sa1b_captions.receipts.findings import judge
from sa1b_captions.receipts.receipt_files import digest, run_summary_place, write_receipt
from sa1b_captions.recipe import TRACKS
from sa1b_captions.stages.auditing.audit_findings import Reviews, find_in_shard
from sa1b_captions.stages.validating.neighbours import Neighbours
from sa1b_captions.stages.validating.publication import Publication, Wish, decide
from sa1b_captions.stages.validating.validations import of_shard, store_validation

_log = logging.getLogger(__name__)


def validate_shards(
    campaign: Campaign,
    shards: Sequence[str],
    *,
    tracks: Sequence[str] = (),
    run_id: str | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """Validate shards in the tracks that are curated by the recipe's present rules.

    Args:
        tracks: those that the run was asked to make; decides `publish`, not what is validated.
        force: validate again although nothing changed; a run must have made the tracks, too.

    Returns:
        `shards` with each one's `ShardSummary`; `publish` with, for each asked shard, what the
        task of that name does and why, a pair of texts; `verdicts`, and the names that were
        `validated` and `up_to_date`; `not_curated` with each one's `NotCurated`.

    Raises RetryableError: the store failed, or a check crashed; the other shards are done then.
    """
    wish = Wish(tracks, force=force and run_id is not None, run_id=run_id)
    found: dict[str, ShardSummary] = {}
    publications: dict[str, Publication] = {}
    validated, up_to_date, crashes = [], [], []
    not_curated: dict[str, NotCurated] = {}
    neighbours, reviews = Neighbours(campaign), Reviews(campaign)
    for shard in shards:
        state = read_shard(campaign, shard)
        tracks_of = state.tracks.items()
        curated = {t: one.fresh_curated for t, one in tracks_of if one.fresh_curated is not None}
        audits = {} if state.audits is None else state.audits.fresh
        result = None
        if curated:
            if state.validation is not None and not state.stale_validation and not force:
                result = state.validation
                up_to_date.append(shard)
            else:
                try:
                    audited = find_in_shard(campaign, audits, reviews)
                    inputs = _Inputs(curated, audits, audited)
                    result = _validate_shard(campaign, state, inputs, neighbours, run_id)
                except CrashedCheckError as crash:
                    crashes.append(str(crash))
                    continue
                validated.append(shard)
            found[shard] = _summary(curated, result)
            known = ", as validated before" if shard in up_to_date else ""
            _log.info("%s: %s%s", shard, result.verdict.value, known)
        else:
            not_curated[shard] = _why_none(state)
            _log.warning("%s is not validated; %s", shard, not_curated[shard].why)
        publications[shard] = decide(shard, wish, curated, result)
    if run_id is not None:
        place_of_run = run_summary_place(campaign.name, run_id)
        write_receipt(campaign.store, place_of_run, RunSummary(run_id=run_id, shards=found))
    if crashes:
        raise RetryableError("; ".join(crashes))
    return {
        "stage": "validate",
        "shards": {shard: asdict(summary) for shard, summary in found.items()},
        "publish": {shard: [one.action, one.reason] for shard, one in publications.items()},
        "verdicts": {shard: summary.verdict for shard, summary in found.items()},
        "validated": validated,
        "up_to_date": up_to_date,
        "not_curated": {shard: asdict(one) for shard, one in not_curated.items()},
    }


class Begin(enum.StrEnum):
    """Stage that a shard which is not curated has to begin with."""

    INGEST = "ingest"
    CAPTION = "caption"
    CAPTION_AGAIN = "caption again"
    CURATE = "curate"


@dataclass(frozen=True, slots=True)
class NotCurated:
    """A shard that has no curated captions that count."""

    why: str
    """Of stale captions, which curate refuses, with the command that makes them anew."""
    begin: Begin


def _why_none(state: ShardState) -> NotCurated:
    """Why no track of a shard is curated: what is stale, or else of the first track."""
    stale = {track: one for track, one in state.tracks.items() if one.stale}
    track, first = next(iter((stale or state.tracks).items()))
    if first.stale and first.stale[0].is_captions:
        return NotCurated(str(first.stale[0]), Begin.CAPTION_AGAIN)
    begin = Begin.CURATE
    if first.captions is None:
        begin = Begin.INGEST if state.ingest is None else Begin.CAPTION
    return NotCurated(f"{track}: {why_not_curated(first)}", begin)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What a validation of a shard is made from, by track."""

    curated: dict[str, CurateReceipt]
    audits: dict[str, AuditReceipt]
    audited: AuditFindings | None
    """What the audits found."""


def _validate_shard(
    campaign: Campaign,
    state: ShardState,
    inputs: _Inputs,
    neighbours: Neighbours,
    run_id: str | None,
) -> ShardValidation:
    shard, curated, audited = state.shard, inputs.curated, inputs.audited
    checks, health, metrics = {}, {}, {}
    reference = read_reference(campaign)
    captions = {track: state.tracks[track].captions for track in curated}
    occupancy = {track: found.occupancy for track, found in captions.items() if found}
    remarks = check_shard(occupancy)
    for track, receipt in curated.items():
        features = read_curated(campaign, receipt, "features.parquet")
        suite = expectations.shard_suite(campaign.recipe, track, receipt.planned)
        metrics[track] = read_metrics(campaign, receipt)
        of_track = None if reference is None else reference.tracks.get(track)
        limits = campaign.recipe.quality.health
        near = neighbours.of(track, shard)
        health[track] = measure_health(metrics[track], of_track, near, limits)
        if audited is not None and track in audited.tracks and campaign.recipe.audit is not None:
            limit = campaign.recipe.audit.unsupported
            health[track] += measure_audit(audited.tracks[track], of_track, limit)
        frame = expectations.shard_frame(features)
        checks[track] = run_suite(frame, suite, f"{track}/{shard}")
        if health[track]:
            suite = expectations.health_suite(health[track])
            checks[track] += run_suite(health_table(health[track]), suite, f"{track}/{shard}")
        checks[track] += remarks.get(track, [])
        accepted = [receipt.accepted, *(found["accepted"] for found in near)]
        plan = campaign.recipe.tracks[track]
        checks[track] += check_projection(project(plan, accepted, len(campaign.recipe.shards)))
    verdict = judge(check for found in checks.values() for check in found)
    findings = ShardFindings(
        *(shard, verdict, curated, metrics, checks, health, occupancy, run_id),
        audited,
    )
    return store_validation(
        campaign,
        of_shard(campaign, shard),
        ShardValidation(
            shard=shard,
            verdict=verdict,
            complete=set(curated) == set(TRACKS),
            checks=checks,
            health=health,
            occupancy=occupancy,
            counts={
                track: CurateCounts(
                    receipt.planned, receipt.accepted, receipt.rejected, receipt.reasons
                )
                for track, receipt in curated.items()
            },
            report="",  # its name comes with the page
            quality_fingerprint=campaign.quality_fingerprint,
            input=curated_version(curated, inputs.audits),
            curated={track: digest(receipt) for track, receipt in curated.items()},
            audited={track: digest(receipt) for track, receipt in inputs.audits.items()},
            cpu_s=cpu_lap_s(),
            run_id=run_id,
        ),
        render_shard(campaign, findings),
    )


def _summary(curated: dict[str, CurateReceipt], result: ShardValidation) -> ShardSummary:
    counts = result.counts.values()
    return ShardSummary(
        verdict=result.verdict,
        planned=sum(one.planned for one in counts),
        accepted=sum(one.accepted for one in counts),
        rejected=sum(one.rejected for one in counts),
        checks_failed=sum(
            not check.success and check.severity != "info"  # an info is a remark
            for found in result.checks.values()
            for check in found
        ),
        complete=result.complete,
        tracks={track: receipt.run_id for track, receipt in curated.items()},
        report=result.report,
        run_id=result.run_id,
    )
