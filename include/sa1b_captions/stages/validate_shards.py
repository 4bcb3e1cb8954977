"""Validate stage, of shards: check curated shards and write their reports.

One process validates many shards, because importing Great Expectations costs far more than
validating one. A result is written after its report, so a result that exists has its report.

A shard's health is judged beside the neighbours that are curated when it is validated. Those that
come later do not make its result outdated; `force` judges it again.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sa1b_captions import layout, records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import RetryableError
from sa1b_captions.quality import expectations
from sa1b_captions.quality.checks import CrashedCheckError, judge, run_suite
from sa1b_captions.quality.curated import curated_version, read_curate_receipts, read_metrics
from sa1b_captions.quality.health.measures import health_table, measure_health
from sa1b_captions.quality.health.neighbours import Neighbours
from sa1b_captions.quality.health.reference import read_reference
from sa1b_captions.quality.report.shard import ShardFindings, render_shard
from sa1b_captions.quality.report.window_occupancy import check_shard, read_occupancies
from sa1b_captions.receipts import Receipt, read_receipt, write_receipt
from sa1b_captions.recipe import TRACKS

_log = logging.getLogger(__name__)


def validate_shards(
    campaign: Campaign, shards: Sequence[str], *, run_id: str | None = None, force: bool = False
) -> dict[str, Any]:
    """Validate shards in the tracks that are curated by the recipe's present rules.

    Returns:
        `shards` with each one's verdict, counts, report key, its `tracks` and the run that curated
        each, whether those are all (`complete`), and the run that validated it; `verdicts`, and
        the names that were `validated`, `up_to_date` and `not_curated`.

    Raises:
        RetryableError: the store failed, or a check crashed; the other shards are done then.
    """
    found: dict[str, dict[str, Any]] = {}
    validated, up_to_date, crashes = [], [], []
    neighbours = Neighbours(campaign)
    for shard in shards:
        curated = {
            track: receipt
            for track in TRACKS
            for receipt in read_curate_receipts(campaign, track, [shard])
            if receipt is not None
        }
        if not curated:
            continue
        result = (
            None
            if force
            else read_receipt(campaign.store, layout.shard_validation_key(campaign.name, shard))
        )
        if result is not None and result["input"] == curated_version(curated):
            up_to_date.append(shard)
        else:
            try:
                result = _validate_shard(campaign, shard, curated, neighbours, run_id)
            except CrashedCheckError as crash:
                crashes.append(str(crash))
                continue
            validated.append(shard)
        found[shard] = _shard_entry(campaign, shard, curated, result)
        _log.info("%s: %s", shard, result["verdict"])
    if run_id is not None:
        summary = {"run_id": run_id, "shards": found}
        campaign.store.write(
            layout.run_summary_key(campaign.name, run_id), json.dumps(summary, indent=1).encode()
        )
    if crashes:
        raise RetryableError("; ".join(crashes))
    return {
        "stage": "validate",
        "shards": found,
        "verdicts": {shard: entry["verdict"] for shard, entry in found.items()},
        "validated": validated,
        "up_to_date": up_to_date,
        "not_curated": [shard for shard in shards if shard not in found],
    }


def _validate_shard(
    campaign: Campaign,
    shard: str,
    curated: dict[str, Receipt],
    neighbours: Neighbours,
    run_id: str | None,
) -> Receipt:
    checks, health = {}, {}
    reference = read_reference(campaign)
    occupancy = read_occupancies(campaign, shard, curated)
    remarks = check_shard(occupancy)
    for track, receipt in curated.items():
        features = records.read_table(
            campaign.store, layout.curated_key(campaign.name, track, shard, "features.parquet")
        )
        suite = expectations.shard_suite(campaign.recipe, track, receipt["planned"])
        (metrics,) = read_metrics(campaign, track, [shard])
        usual = None if reference is None else reference.tracks.get(track)
        limits = campaign.recipe.quality.health
        near = neighbours.of(track, shard)
        health[track] = measure_health(metrics, usual, near, limits)
        checks[track] = run_suite(features, suite, f"{track}/{shard}")
        if health[track]:
            suite = expectations.health_suite(health[track])
            checks[track] += run_suite(health_table(health[track]), suite, f"{track}/{shard}")
        checks[track] += remarks.get(track, [])
    verdict = judge(check for found in checks.values() for check in found)
    findings = ShardFindings(shard, verdict, curated, checks, health, occupancy, run_id)
    page = render_shard(campaign, findings)
    campaign.store.write(layout.shard_report_key(campaign.name, shard), page.encode())
    return write_receipt(
        campaign.store,
        layout.shard_validation_key(campaign.name, shard),
        stage="validate",
        shard=shard,
        verdict=verdict.value,
        complete=set(curated) == set(TRACKS),
        checks={track: [asdict(check) for check in found] for track, found in checks.items()},
        health={track: [asdict(measure) for measure in found] for track, found in health.items()},
        occupancy={track: found.facts() for track, found in occupancy.items()},
        counts={
            track: {name: receipt[name] for name in ("planned", "accepted", "rejected", "reasons")}
            for track, receipt in curated.items()
        },
        report=layout.shard_report_key(campaign.name, shard),
        quality_fingerprint=campaign.quality_fingerprint,
        input=curated_version(curated),
        run_id=run_id,
    )


def _shard_entry(
    campaign: Campaign, shard: str, curated: dict[str, Receipt], result: Receipt
) -> dict[str, Any]:
    """What a run's page and Airflow need to know of a shard."""
    counts = result["counts"].values()
    return {
        "verdict": result["verdict"],
        **{name: sum(c[name] for c in counts) for name in ("planned", "accepted", "rejected")},
        "checks_failed": sum(
            not check["success"] and check["severity"] != "info"  # an info is a remark
            for found in result["checks"].values()
            for check in found
        ),
        "complete": result["complete"],
        "tracks": {track: receipt.get("run_id") for track, receipt in curated.items()},
        "report": layout.shard_report_key(campaign.name, shard),
        "run_id": result["run_id"],
    }
