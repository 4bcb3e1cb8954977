"""Quality report of a shard: one self-contained HTML page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sa1b_captions.campaign import Campaign
from sa1b_captions.quality.expectations import HEALTH
from sa1b_captions.quality.health.measures import SHAPES
from sa1b_captions.quality.report import copies, faithfulness_section, gallery, page
from sa1b_captions.quality.report.window_occupancy import occupancy_rows
from sa1b_captions.receipts import CurateReceipt, Occupancy
from sa1b_captions.receipts.faithfulness import AuditFindings
from sa1b_captions.receipts.findings import Check, Measure, Verdict
from sa1b_captions.recipe import TRACKS

HEALTH_NAMES = {
    "psi": "lengths, stability index",
    "ks_distance": "lengths, greatest distance",
    "spread": "lengths, ratio of spreads",
    "tail_share": "far too short or long",
    "common_tokens_share": "most frequent token count",
    "rejected": "rejected",
    "unsupported": "sentences not found in the image",
}
"""Measures of health, for people; others are reasons."""


@dataclass(frozen=True, slots=True)
class ShardFindings:
    """What the validate stage knows of a shard."""

    shard: str
    verdict: Verdict
    receipts: dict[str, CurateReceipt]
    """Curate receipt of each curated track."""
    metrics: dict[str, dict[str, Any]]
    """`metrics.json` of each."""
    checks: dict[str, list[Check]]
    """Checks of each curated track."""
    health: dict[str, list[Measure]]
    """What the track was compared with and how it came out; empty where there was nothing."""
    occupancy: dict[str, Occupancy]
    """What the caption receipt of each track says of the window."""
    run_id: str | None
    audited: AuditFindings | None = None
    """What the audits found; None where there is none."""


def render_shard(campaign: Campaign, findings: ShardFindings) -> str:
    """HTML page of one shard.

    Raises PermanentError: curated rows that a receipt vouches for are gone.
    """
    shard, tracks = findings.shard, [track for track in TRACKS if track in findings.receipts]
    metrics = findings.metrics
    rows = gallery.Gallery(campaign)
    return page.fill_template(
        "shard.html.jinja",
        campaign=campaign,
        findings=findings,
        headline=page.headline(check for checks in findings.checks.values() for check in checks),
        tracks=[page.track_row(campaign, track, [metrics[track]]) for track in tracks],
        missing=[track for track in TRACKS if track not in tracks],
        reasons=page.reason_rows({track: findings.receipts[track].reasons for track in tracks}),
        complaints=page.complaints(findings.checks),
        check_rows=_check_rows(findings.checks),
        health=[
            (track, measure)
            for track in tracks
            for measure in findings.health.get(track, [])
            if measure.name in SHAPES or measure.severity
        ],
        occupancy=occupancy_rows(findings.occupancy),
        health_names=HEALTH_NAMES,
        min_neighbours=campaign.recipe.quality.health.min_neighbours,
        has_reference=campaign.reference_digest is not None,
        charts=page.length_charts(campaign, {track: [metrics[track]] for track in tracks}),
        samples=rows.samples(shard, tracks),
        rejected=rows.rejected(shard, tracks),
        copies=copies.show_copies(
            rows, [copies.read_copies(campaign, track, shard) for track in tracks]
        ),
        **faithfulness_section.fill(rows, findings.audited),
        provenance=page.provenance(campaign, metrics.values()),
    )


def _check_rows(checks: Mapping[str, Sequence[Check]]) -> list[tuple[Check, dict[str, Check]]]:
    """One row per distinct check with each track's result, in the order of the suite."""
    rows: dict[str, dict[str, dict[str, Check]]] = {}
    for track, found in checks.items():
        for check in found:
            if check.name.startswith(HEALTH):  # has a table of its own
                continue
            # Limits differ by language, and so does what the check says.
            rows.setdefault(check.name, {}).setdefault(check.description, {})[track] = check
    return [
        (next(iter(by_track.values())), by_track)
        for by_description in rows.values()
        for by_track in by_description.values()
    ]
