"""Validate stage, of a release: check all shards together, after dedup, and write the report.

The result is written after the report, so a result that exists has its report.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from sa1b_captions.campaign import Campaign
from sa1b_captions.freshness.release_freshness import read_shards, release_validation_input
from sa1b_captions.freshness.shard_freshness import ShardState
from sa1b_captions.outputs import read_duplicates
from sa1b_captions.process import cpu_lap_s
from sa1b_captions.quality import metrics, release_expectations
from sa1b_captions.quality.checks import run_suite
from sa1b_captions.quality.curated import (
    require_curated,
    require_deduplicated,
)
from sa1b_captions.quality.report.release import ReleaseFindings, render_release
from sa1b_captions.quality.report.window_occupancy import check_release, sum_up
from sa1b_captions.receipts import CurateReceipt, ReleaseValidation, RunSummary
from sa1b_captions.receipts.findings import Check, judge
from sa1b_captions.receipts.receipt_files import (
    digest,
    read_receipt,
    release_validation_place,
    run_summary_place,
    write_receipt,
)
from sa1b_captions.stages.auditing.audit_findings import Reviews, find_in_release
from sa1b_captions.stages.validating.validations import of_release, store_validation

_log = logging.getLogger(__name__)


def validate_release(
    campaign: Campaign, *, force: bool = False, run_id: str | None = None
) -> dict[str, Any]:
    """Validate all the recipe's shards together, after dedup.

    Returns:
        The verdict, the report's key, names of the checks that failed, a sentence for each that
        warned, names of mere remarks, and rows planned, rejected, duplicate and released.

    Raises:
        PermanentError: naming the shards to curate or the tracks to dedup first.
        RetryableError: the store failed, or a check crashed.
    """
    store, place = campaign.store, release_validation_place(campaign.name)
    states = read_shards(campaign)
    curated = {track: require_curated(campaign, track, states) for track in campaign.tracks}
    dedups = {
        track: require_deduplicated(campaign, track, curated[track]) for track in campaign.tracks
    }
    shard_results = {state.shard: state.validation for state in states}
    version = release_validation_input(campaign, curated, dedups, list(shard_results.values()))
    result = None if force else read_receipt(store, place)
    reviews = Reviews(campaign)
    if result is None or result.input != version or _has_other_marks(campaign, result, reviews):
        duplicates = {
            track: read_duplicates(campaign, receipt) for track, receipt in dedups.items()
        }
        verdicts = {state.shard: _verdict(state, campaign.tracks) for state in states}
        present = {  # none of captions that were curated again since
            shard: found
            for shard, found in shard_results.items()
            if found is not None and verdicts[shard] != "outdated"
        }
        health = {shard: found.health for shard, found in present.items()}
        by_shard = metrics.shard_metrics(curated, duplicates, verdicts, health)
        occupancy = sum_up({shard: found.occupancy for shard, found in present.items()})
        checks = [*_check_release(campaign, by_shard), *check_release(occupancy)]
        verdict = judge(checks)
        alike = {track: receipt.alike for track, receipt in dedups.items() if receipt.alike}
        audited = find_in_release(campaign, curated, reviews)
        findings = ReleaseFindings(
            *(verdict, curated, duplicates, alike, by_shard, verdicts, checks, occupancy),
            run_id,
            audited,
        )
        result = store_validation(
            campaign,
            of_release(campaign),
            ReleaseValidation(
                verdict=verdict,
                shards=len(campaign.recipe.shards),
                checks=checks,
                counts=_release_counts(curated, duplicates),
                report="",  # its name comes with the page
                quality_fingerprint=campaign.quality_fingerprint,
                input=version,
                dedups=digest(*dedups.values()),
                shard_results=digest(*shard_results.values()),
                not_validated=[one for one, found in shard_results.items() if found is None],
                audit=audited,
                cpu_s=cpu_lap_s(),
                run_id=run_id,
            ),
            render_release(campaign, findings),
        )
    if run_id is not None:
        summary = RunSummary(run_id=run_id, release=result.report)
        write_receipt(store, run_summary_place(campaign.name, run_id), summary)
    _log.info("release: %s", result.verdict.value)
    return {
        "stage": "validate",
        "verdict": result.verdict.value,
        "report": result.report,
        "checks_failed": [one.name for one in _failed(result, "critical", "warning")],
        "warnings": [_explain(one, result.counts, campaign) for one in _failed(result, "warning")],
        "remarks": [one.name for one in _failed(result, "info")],
        "tracks": result.counts,
        "run_id": result.run_id,
    }


def _has_other_marks(campaign: Campaign, result: ReleaseValidation, reviews: Reviews) -> bool:
    """Whether people marked audited sentences since a validation said how good the judge is."""
    return (
        campaign.recipe.audit is not None
        and result.audit is not None
        and result.audit.shards > 0
        and result.audit.marks != reviews.digest
    )


def _failed(result: ReleaseValidation, *severities: str) -> list[Check]:
    return [one for one in result.checks if not one.success and one.severity in severities]


def _explain(check: Check, counts: Mapping[str, Mapping[str, int]], campaign: Campaign) -> str:
    """What a check asks for and what was found; of a share, in which tracks."""
    if not check.name.startswith(release_expectations.LEFT_OUT):
        return f"{check.description}; found: {check.observed}"
    shares = {
        track: (one["rejected"] + one["duplicates"]) / max(1, one["planned"])
        for track, one in counts.items()
    }
    limit = campaign.recipe.quality.reject_share_warning
    above = sorted((track for track in shares if shares[track] > limit), key=lambda t: -shares[t])
    found = ", ".join(f"{track} {shares[track]:.1%}" for track in above)
    return f"{check.description}; found: {found or check.observed}"


def _verdict(state: ShardState, tracks: Collection[str]) -> str:
    """Verdict of a shard in the released tracks; `missing` without one, `outdated` if stale."""
    if state.validation is None:
        return "missing"
    return "outdated" if state.stale_validation else state.validation.verdict_in(tracks).value


def _check_release(campaign: Campaign, by_shard: pa.Table) -> list[Check]:
    tracks = {name: campaign.recipe.tracks[name] for name in campaign.tracks}
    recipe, totals = replace(campaign.recipe, tracks=tracks), metrics.total_metrics(by_shard)
    return [
        *run_suite(by_shard, release_expectations.release_suite(recipe), "release"),
        *run_suite(totals, release_expectations.totals_suite(recipe), "release"),
    ]


def _release_counts(
    curated: Mapping[str, Sequence[CurateReceipt]], duplicates: Mapping[str, pa.Table]
) -> dict[str, dict[str, int]]:
    counts = {}
    for track, receipts in curated.items():
        repeated = duplicates[track].num_rows
        accepted = sum(receipt.accepted for receipt in receipts)
        counts[track] = {
            "planned": sum(receipt.planned for receipt in receipts),
            "rejected": sum(receipt.rejected for receipt in receipts),
            "duplicates": repeated,
            "released": accepted - repeated,
        }
    return counts
