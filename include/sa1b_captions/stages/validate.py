"""Validate stage: check curated shards, then the whole release, and write the reports.

One process validates many shards, because importing Great Expectations costs far more than
validating one. A result is written after its report, so a result that exists has its report.

A shard's health is judged beside the neighbours that are curated when it is validated. Those that
come later do not make its result outdated; `force` judges it again.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cache
from typing import Any

import pyarrow as pa

from sa1b_captions import records
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError, RetryableError
from sa1b_captions.quality import expectations, metrics
from sa1b_captions.quality.checks import Check, Checker, judge
from sa1b_captions.quality.curated import (
    READERS,
    read_curate_receipts,
    read_metrics,
    require_curated,
)
from sa1b_captions.quality.health import health_table, measure_health
from sa1b_captions.quality.neighbours import Neighbours
from sa1b_captions.quality.reference import read_reference
from sa1b_captions.quality.report import (
    ReleaseFindings,
    ShardFindings,
    render_release,
    render_shard,
)
from sa1b_captions.receipts import Receipt, digest, read_receipt, require_receipt, write_receipt
from sa1b_captions.recipe import TRACKS

_log = logging.getLogger(__name__)

_open_checker = cache(Checker)
"""One per process; opened when there is something to check."""


def validate_shards(
    campaign: Campaign, shards: Sequence[str], *, run_id: str | None = None, force: bool = False
) -> dict[str, Any]:
    """Validate shards in the tracks that are curated by the recipe's present rules.

    Returns:
        `shards` with each one's verdict, counts, report key, whether all tracks are `complete`
        and the run that validated it; `verdicts`, and the names that were `validated`,
        `up_to_date` and `not_curated`.

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
        result = None if force else read_receipt(campaign.store, campaign.shard_validation(shard))
        if result is not None and result["input"] == _version(curated):
            up_to_date.append(shard)
        else:
            try:
                result = _validate_shard(campaign, shard, curated, neighbours, run_id)
            except _CrashedCheckError as crash:
                crashes.append(str(crash))
                continue
            validated.append(shard)
        found[shard] = _shard_entry(campaign, shard, result)
        _log.info("%s: %s", shard, result["verdict"])
    if run_id is not None:
        summary = {"run_id": run_id, "shards": found}
        campaign.store.write(campaign.run_summary(run_id), json.dumps(summary, indent=1).encode())
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


def validate_release(
    campaign: Campaign, *, force: bool = False, run_id: str | None = None
) -> dict[str, Any]:
    """Validate all the recipe's shards together, after dedup.

    Returns:
        The verdict, the report's key, names of the checks that failed, descriptions of those that
        warned, and rows planned, rejected, duplicate and released.

    Raises:
        PermanentError: naming the shards to curate or the tracks to dedup first.
        RetryableError: the store failed, or a check crashed.
    """
    store, key = campaign.store, campaign.release_validation()
    curated = {track: require_curated(campaign, track) for track in TRACKS}
    dedups = {track: _require_dedup(campaign, track, curated[track]) for track in TRACKS}
    shard_results = _read_shard_results(campaign)
    version = digest(
        *(receipt for track in TRACKS for receipt in (*curated[track], dedups[track])),
        *shard_results.values(),
    )
    result = None if force else read_receipt(store, key)
    if result is None or result["input"] != version:
        duplicates = {
            track: records.read_table(store, campaign.duplicates(track)) for track in TRACKS
        }
        verdicts = _shard_verdicts(campaign, curated, shard_results)
        health = _shard_health(shard_results, verdicts)
        by_shard = metrics.shard_metrics(curated, duplicates, verdicts, health)
        checks = _check_release(campaign, by_shard)
        verdict = judge(checks)
        findings = ReleaseFindings(verdict, curated, duplicates, by_shard, verdicts, checks, run_id)
        store.write(campaign.release_report(), render_release(campaign, findings).encode())
        result = write_receipt(
            store,
            key,
            stage="validate",
            verdict=verdict.value,
            shards=len(campaign.recipe.shards),
            checks=[asdict(check) for check in checks],
            counts=_release_counts(curated, duplicates),
            report=campaign.release_report(),
            quality_fingerprint=campaign.quality_fingerprint,
            input=version,
            dedups=digest(*dedups.values()),
            run_id=run_id,
        )
    _log.info("release: %s", result["verdict"])
    return {
        "stage": "validate",
        "verdict": result["verdict"],
        "report": result["report"],
        "checks_failed": [check["name"] for check in result["checks"] if not check["success"]],
        "warnings": [
            check["description"]
            for check in result["checks"]
            if not check["success"] and check["severity"] == "warning"
        ],
        "tracks": result["counts"],
        "run_id": result["run_id"],
    }


class _CrashedCheckError(Exception):
    """A check ended with an exception, which says nothing about the data."""


def _version(curated: Mapping[str, Receipt]) -> str:
    return digest(*(curated.get(track) for track in TRACKS))


def _validate_shard(
    campaign: Campaign,
    shard: str,
    curated: dict[str, Receipt],
    neighbours: Neighbours,
    run_id: str | None,
) -> Receipt:
    checks, health = {}, {}
    reference = read_reference(campaign)
    for track, receipt in curated.items():
        features = records.read_table(
            campaign.store, campaign.curated(track, shard, "features.parquet")
        )
        suite = expectations.shard_suite(campaign.recipe, track, receipt["planned"])
        (metrics,) = read_metrics(campaign, track, [shard])
        usual = None if reference is None else reference.tracks.get(track)
        limits = campaign.recipe.quality.health
        near = neighbours.of(track, shard)
        health[track] = measure_health(metrics, usual, near, limits)
        checks[track] = _run(features, suite, f"{track}/{shard}")
        if health[track]:
            suite = expectations.health_suite(health[track])
            checks[track] += _run(health_table(health[track]), suite, f"{track}/{shard}")
    verdict = judge(check for found in checks.values() for check in found)
    findings = ShardFindings(shard, verdict, curated, checks, health, run_id)
    page = render_shard(campaign, findings)
    campaign.store.write(campaign.shard_report(shard), page.encode())
    return write_receipt(
        campaign.store,
        campaign.shard_validation(shard),
        stage="validate",
        shard=shard,
        verdict=verdict.value,
        complete=set(curated) == set(TRACKS),
        checks={track: [asdict(check) for check in found] for track, found in checks.items()},
        health={track: [asdict(measure) for measure in found] for track, found in health.items()},
        counts={
            track: {name: receipt[name] for name in ("planned", "accepted", "rejected", "reasons")}
            for track, receipt in curated.items()
        },
        report=campaign.shard_report(shard),
        quality_fingerprint=campaign.quality_fingerprint,
        input=_version(curated),
        run_id=run_id,
    )


def _run(frame: pa.Table, suite: Any, where: str) -> list[Check]:
    checks = _open_checker().check(frame, suite)
    crashed = [check for check in checks if check.crashed]
    if crashed:
        raise _CrashedCheckError(
            f"{where}: {len(crashed)} checks crashed, the first is {crashed[0].name}: "
            f"{crashed[0].observed}; nothing is recorded, validate again"
        )
    return checks


def _shard_entry(campaign: Campaign, shard: str, result: Receipt) -> dict[str, Any]:
    """What a run's page and Airflow need to know of a shard."""
    counts = result["counts"].values()
    return {
        "verdict": result["verdict"],
        **{name: sum(c[name] for c in counts) for name in ("planned", "accepted", "rejected")},
        "checks_failed": sum(
            not check["success"] for found in result["checks"].values() for check in found
        ),
        "complete": result["complete"],
        "report": campaign.shard_report(shard),
        "run_id": result["run_id"],
    }


def _require_dedup(campaign: Campaign, track: str, curated: Sequence[Receipt]) -> Receipt:
    hint = f"sa1b-captions dedup --tracks {track}"
    receipt = require_receipt(
        campaign.store, campaign.dedup_receipt(track), stage=f"dedup of {track}", hint=hint
    )
    if receipt["input"] != digest(*curated):
        raise PermanentError(f"{track}: shards were curated again since dedup ran; run {hint}")
    return receipt


def _read_shard_results(campaign: Campaign) -> dict[str, Receipt | None]:
    def read(shard: str) -> Receipt | None:
        return read_receipt(campaign.store, campaign.shard_validation(shard))

    shards = campaign.recipe.shards
    with ThreadPoolExecutor(READERS) as pool:
        return dict(zip(shards, pool.map(read, shards), strict=True))


def _shard_verdicts(
    campaign: Campaign,
    curated: Mapping[str, Sequence[Receipt]],
    results: Mapping[str, Receipt | None],
) -> dict[str, str]:
    """Verdict of each shard; `missing` without one, `outdated` when curated again since."""
    verdicts = {}
    for place, shard in enumerate(campaign.recipe.shards):
        result = results[shard]
        version = _version({track: curated[track][place] for track in TRACKS})
        if result is None:
            verdicts[shard] = "missing"
        else:
            verdicts[shard] = result["verdict"] if result["input"] == version else "outdated"
    return verdicts


def _shard_health(
    results: Mapping[str, Receipt | None], verdicts: Mapping[str, str]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Stored measures of each shard and track; none of captions that were curated again since."""
    return {
        shard: result.get("health", {})
        for shard, result in results.items()
        if result is not None and verdicts[shard] != "outdated"
    }


def _check_release(campaign: Campaign, by_shard: pa.Table) -> list[Check]:
    recipe = campaign.recipe
    totals = metrics.total_metrics(by_shard)
    try:
        return [
            *_run(by_shard, expectations.release_suite(recipe), "release"),
            *_run(totals, expectations.totals_suite(recipe), "release"),
        ]
    except _CrashedCheckError as crash:
        raise RetryableError(str(crash)) from None


def _release_counts(
    curated: Mapping[str, Sequence[Receipt]], duplicates: Mapping[str, pa.Table]
) -> dict[str, dict[str, int]]:
    counts = {}
    for track, receipts in curated.items():
        repeated = duplicates[track].num_rows
        accepted = sum(receipt["accepted"] for receipt in receipts)
        counts[track] = {
            "planned": sum(receipt["planned"] for receipt in receipts),
            "rejected": sum(receipt["rejected"] for receipt in receipts),
            "duplicates": repeated,
            "released": accepted - repeated,
        }
    return counts
