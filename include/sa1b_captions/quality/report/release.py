"""Quality report of a release: one self-contained HTML page over all shards."""

import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from sa1b_captions.campaign import Campaign
from sa1b_captions.chance import allowed_share
from sa1b_captions.quality.curated import read_all_metrics
from sa1b_captions.quality.report import charts, copies, faithfulness_section, gallery, page
from sa1b_captions.quality.report.window_occupancy import ReleaseOccupancy
from sa1b_captions.receipts import Alike, CurateReceipt
from sa1b_captions.receipts.faithfulness import AuditFindings
from sa1b_captions.receipts.findings import Check, Verdict

WORST_SHARDS = 10
SAMPLE_SHARDS = 4
"""Shards of a release that samples are taken from."""


@dataclass(frozen=True, slots=True)
class ReleaseFindings:
    """What the validate stage knows of a release."""

    verdict: Verdict
    receipts: dict[str, list[CurateReceipt]]
    """Curate receipts of each track, in the order of the recipe's shards."""
    duplicates: dict[str, pa.Table]
    """`records.DUPLICATE_SCHEMA` of each track."""
    alike: dict[str, list[Alike]]
    """What the dedup stage counted, of the tracks where it did."""
    by_shard: pa.Table
    """`metrics.SHARD_METRICS_SCHEMA`."""
    shard_verdicts: dict[str, str]
    checks: list[Check]
    occupancy: ReleaseOccupancy
    run_id: str | None
    audited: AuditFindings | None = None
    """What the audits found; None where there is none."""


def render_release(campaign: Campaign, findings: ReleaseFindings) -> str:
    """HTML page over all shards. Raises as `render_shard` does."""
    shards = campaign.recipe.shards
    metrics = {
        track: read_all_metrics(campaign, findings.receipts[track]) for track in campaign.tracks
    }
    rows = gallery.Gallery(campaign)
    duplicates = {track: table.num_rows for track, table in findings.duplicates.items()}
    return page.fill_template(
        "release.html.jinja",
        campaign=campaign,
        findings=findings,
        headline=page.headline(findings.checks),
        complaints=page.complaints({"": findings.checks}),
        tracks=[
            page.track_row(campaign, track, metrics[track], duplicates[track])
            for track in campaign.tracks
        ],
        verdicts=sorted(
            Counter(findings.shard_verdicts.values()).items(), key=lambda item: -item[1]
        ),
        reasons=page.reason_rows(
            {
                track: page.add_counts(receipt.reasons for receipt in receipts)
                for track, receipts in findings.receipts.items()
            }
        ),
        share_charts={
            track: _share_chart(campaign, receipts) for track, receipts in findings.receipts.items()
        },
        worst=_worst_shards(findings, shards),
        strangest=_strangest(findings.by_shard),
        charts=page.length_charts(campaign, metrics),
        copies=copies.show_copies(rows, findings.duplicates.values()),
        repeats=copies.show_repeats(campaign, rows),
        samples=_release_samples(rows, shards, campaign.tracks),
        **faithfulness_section.fill(rows, findings.audited),
        provenance=page.provenance(campaign, [one for many in metrics.values() for one in many]),
    )


_PHOTOGRAPH = re.compile(rb'<img src="data:image/[^"]*"[^>]*>')


def without_photographs(html: bytes) -> bytes:
    """The page for people outside, who have no right to the photographs: blanks in their place."""
    return _PHOTOGRAPH.sub(b'<div class="none">not in this dataset</div>', html)


def _share_chart(campaign: Campaign, receipts: Sequence[CurateReceipt]) -> Markup:
    quality = campaign.recipe.quality
    rows = round(statistics.median(receipt.planned for receipt in receipts))
    return charts.share_chart(
        campaign.recipe.shards,
        [_rejected_share([receipt]) for receipt in receipts],
        allowed_share(quality.reject_share_warning, rows),
        allowed_share(quality.reject_share_critical, rows),
    )


def _worst_shards(findings: ReleaseFindings, shards: Sequence[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for place, shard in enumerate(shards):
        receipts = [found[place] for found in findings.receipts.values()]
        if any(receipt.rejected for receipt in receipts):
            reasons = page.add_counts(receipt.reasons for receipt in receipts)
            rows.append(
                {
                    "shard": shard,
                    "verdict": findings.shard_verdicts[shard],
                    "planned": sum(receipt.planned for receipt in receipts),
                    "rejected": sum(receipt.rejected for receipt in receipts),
                    "share": _rejected_share(receipts),
                    "reasons": sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:3],
                }
            )
    return sorted(rows, key=lambda row: (-row["share"], row["shard"]))[:WORST_SHARDS]


def _strangest(by_shard: pa.Table) -> list[dict[str, Any]]:
    """Rows of shards and tracks whose lengths are farthest from the reference, farthest first."""
    judged = by_shard.filter(pc.is_valid(by_shard.column("ks_distance")))
    order = [("ks_distance", "descending"), ("shard", "ascending"), ("track", "ascending")]
    rows: list[dict[str, Any]] = judged.sort_by(order).slice(0, WORST_SHARDS).to_pylist()
    return rows


def _release_samples(
    rows: gallery.Gallery, shards: Sequence[str], tracks: Sequence[str]
) -> list[gallery.Sample]:
    chosen = [shards[place] for place in gallery.evenly(len(shards), SAMPLE_SHARDS)]
    single = [track for track in tracks if track.startswith("single_")]
    multi = [track for track in tracks if track.startswith("multi_")]
    samples = [sample for shard in chosen for sample in rows.samples(shard, single, singles=1)]
    return samples + rows.samples(chosen[0], multi)


def _rejected_share(receipts: Sequence[CurateReceipt]) -> float:
    planned = sum(receipt.planned for receipt in receipts)
    return sum(receipt.rejected for receipt in receipts) / planned if planned else 0.0
