"""Quality reports: one self-contained HTML page per shard and one per release.

A page runs no script and loads nothing; pictures are inside it. Captions, error messages and
names are untrusted: the templates escape everything, and a Content-Security-Policy stands behind
them. Tables and charts come from receipts and metrics, pictures and texts from the curated rows.
"""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from sa1b_captions.campaign import Campaign
from sa1b_captions.chance import allowed_share
from sa1b_captions.quality import charts, copies, gallery
from sa1b_captions.quality.checks import Check, Verdict
from sa1b_captions.quality.curated import read_metrics
from sa1b_captions.quality.expectations import HEALTH
from sa1b_captions.quality.health import SHAPES, Measure
from sa1b_captions.quality.rules import MEANINGS
from sa1b_captions.receipts import Receipt
from sa1b_captions.recipe import TRACKS

SEVERITIES = ("critical", "warning", "info")
WORST_SHARDS = 10
SAMPLE_SHARDS = 4
"""Shards of a release that samples are taken from."""

_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["percent"] = lambda share: f"{share:.1%}"
_environment.globals |= {
    "rejected_per_reason": gallery.REJECTED_PER_REASON,
    "language_names": {"en": "English", "zh": "Chinese"},
    "meanings": MEANINGS,
}
_environment.filters["count"] = lambda number: "–" if number is None else f"{number:,.0f}"


HEALTH_NAMES = {
    "psi": "lengths, stability index",
    "ks_distance": "lengths, greatest distance",
    "spread": "lengths, ratio of spreads",
    "tail_share": "far too short or long",
    "common_tokens_share": "most frequent token count",
    "rejected": "rejected",
}
"""Measures of health, for people; others are reasons."""


@dataclass(frozen=True, slots=True)
class ShardFindings:
    """What the validate stage knows of a shard."""

    shard: str
    verdict: Verdict
    receipts: dict[str, Receipt]
    """Curate receipt of each curated track."""
    checks: dict[str, list[Check]]
    """Checks of each curated track."""
    health: dict[str, list[Measure]]
    """What the track was compared with and how it came out; empty where there was nothing."""
    run_id: str | None


@dataclass(frozen=True, slots=True)
class ReleaseFindings:
    """What the validate stage knows of a release."""

    verdict: Verdict
    receipts: dict[str, list[Receipt]]
    """Curate receipts of each track, in the order of the recipe's shards."""
    duplicates: dict[str, pa.Table]
    """`records.DUPLICATE_SCHEMA` of each track."""
    by_shard: pa.Table
    """`metrics.SHARD_METRICS_SCHEMA`."""
    shard_verdicts: dict[str, str]
    checks: list[Check]
    run_id: str | None


@dataclass(frozen=True, slots=True)
class TrackRow:
    """One line of the table of tracks."""

    track: str
    language: str
    planned: int
    accepted: int
    rejected: int
    duplicates: int
    """Accepted, but another shard says the same; 0 on a shard's page."""
    percentiles: Mapping[str, float | None] | None
    """Of accepted captions' characters; None over many shards."""

    @property
    def released(self) -> int:
        """Rows that remain."""
        return self.accepted - self.duplicates

    @property
    def left_out_share(self) -> float:
        """Share of planned rows that do not remain."""
        return (self.rejected + self.duplicates) / self.planned if self.planned else 0.0


def render_shard(campaign: Campaign, findings: ShardFindings) -> str:
    """HTML page of one shard.

    Raises:
        RetryableError: the store failed.
        PermanentError: curated rows that a receipt vouches for are gone.
    """
    shard, tracks = findings.shard, [track for track in TRACKS if track in findings.receipts]
    metrics = {track: read_metrics(campaign, track, [shard])[0] for track in tracks}
    rows = gallery.Gallery(campaign)
    return _environment.get_template("shard.html.jinja").render(
        campaign=campaign,
        findings=findings,
        headline=_headline(check for checks in findings.checks.values() for check in checks),
        tracks=[_track_row(campaign, track, [metrics[track]]) for track in tracks],
        missing=[track for track in TRACKS if track not in tracks],
        reasons=_reasons({track: findings.receipts[track]["reasons"] for track in tracks}),
        complaints=_complaints(findings.checks),
        check_rows=_check_rows(findings.checks),
        health=[
            (track, measure)
            for track in tracks
            for measure in findings.health.get(track, [])
            if measure.name in SHAPES or measure.severity
        ],
        health_names=HEALTH_NAMES,
        min_neighbours=campaign.recipe.quality.health.min_neighbours,
        has_reference=campaign.reference_digest is not None,
        charts=_length_charts(campaign, {track: [metrics[track]] for track in tracks}),
        samples=rows.samples(shard, tracks),
        rejected=rows.rejected(shard, tracks),
        copies=copies.show_copies(
            rows, [copies.read_copies(campaign, track, shard) for track in tracks]
        ),
        provenance=_provenance(campaign, metrics.values()),
    )


def render_release(campaign: Campaign, findings: ReleaseFindings) -> str:
    """HTML page over all shards. Raises as `render_shard` does."""
    shards = campaign.recipe.shards
    metrics = {track: read_metrics(campaign, track, shards) for track in TRACKS}
    rows = gallery.Gallery(campaign)
    duplicates = {track: table.num_rows for track, table in findings.duplicates.items()}
    return _environment.get_template("release.html.jinja").render(
        campaign=campaign,
        findings=findings,
        headline=_headline(findings.checks),
        complaints=_complaints({"": findings.checks}),
        tracks=[_track_row(campaign, track, metrics[track], duplicates[track]) for track in TRACKS],
        verdicts=sorted(
            Counter(findings.shard_verdicts.values()).items(), key=lambda item: -item[1]
        ),
        reasons=_reasons(
            {
                track: _sum(receipt["reasons"] for receipt in receipts)
                for track, receipts in findings.receipts.items()
            }
        ),
        share_charts={
            track: _share_chart(campaign, receipts) for track, receipts in findings.receipts.items()
        },
        worst=_worst_shards(findings, shards),
        strangest=_strangest(findings.by_shard),
        charts=_length_charts(campaign, metrics),
        copies=copies.show_copies(rows, findings.duplicates.values()),
        repeats=copies.show_repeats(campaign, rows),
        samples=_release_samples(rows, shards),
        provenance=_provenance(campaign, [one for many in metrics.values() for one in many]),
    )


def _headline(checks: Iterable[Check]) -> str:
    """One sentence on what the checks found."""
    failed = Counter(check.severity for check in checks if not check.success)
    parts = [
        f"{failed[severity]} {name if failed[severity] == 1 else name + 's'}"
        for severity, name in (
            ("critical", "critical failure"),
            ("warning", "warning"),
            ("info", "remark"),
        )
        if failed[severity]
    ]
    return ", ".join(parts) or "every check holds"


def _track_row(
    campaign: Campaign, track: str, metrics: Sequence[Mapping[str, Any]], duplicates: int = 0
) -> TrackRow:
    return TrackRow(
        track=track,
        language=campaign.recipe.tracks[track].language,
        planned=sum(one["planned"] for one in metrics),
        accepted=sum(one["accepted"] for one in metrics),
        rejected=sum(one["rejected"] for one in metrics),
        duplicates=duplicates,
        percentiles=metrics[0]["percentiles"]["caption_chars"] if len(metrics) == 1 else None,
    )


def _reasons(by_track: Mapping[str, Mapping[str, int]]) -> list[tuple[str, dict[str, int], int]]:
    """Reason, rows per track and rows in all, most frequent first."""
    names = dict.fromkeys(reason for reasons in by_track.values() for reason in reasons)
    rows = [
        (reason, counts, sum(counts.values()))
        for reason in names
        for counts in [{track: found.get(reason, 0) for track, found in by_track.items()}]
    ]
    return sorted(rows, key=lambda row: (-row[2], row[0]))


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


def _complaints(checks: Mapping[str, Sequence[Check]]) -> list[tuple[Check, dict[str, str]]]:
    """Each check that does not hold, with what was found per track; the gravest first."""
    found: dict[tuple[str, str], tuple[Check, dict[str, str]]] = {}
    for track, of_track in checks.items():
        for check in of_track:
            if not check.success:
                key = (check.severity, check.description)
                found.setdefault(key, (check, {}))[1][track] = check.observed
    return sorted(found.values(), key=lambda item: SEVERITIES.index(item[0].severity))


def _length_charts(
    campaign: Campaign, metrics: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, Markup]:
    drawn = {}
    for track, found in metrics.items():
        drawn[track] = charts.length_chart(
            _sum(dict(one["lengths"]["accepted"]) for one in found),
            _sum(dict(one["lengths"]["rejected"]) for one in found),
            found[0]["lengths"]["bin_chars"],
            campaign.recipe.quality.languages[campaign.recipe.tracks[track].language],
        )
    return drawn


def _share_chart(campaign: Campaign, receipts: Sequence[Receipt]) -> Markup:
    quality = campaign.recipe.quality
    rows = round(statistics.median(receipt["planned"] for receipt in receipts))
    return charts.share_chart(
        campaign.recipe.shards,
        [_rejected_share([receipt]) for receipt in receipts],
        allowed_share(quality.reject_share_warning, rows),
        allowed_share(quality.reject_share_critical, rows),
    )


def _worst_shards(findings: ReleaseFindings, shards: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for place, shard in enumerate(shards):
        receipts = [found[place] for found in findings.receipts.values()]
        if any(receipt["rejected"] for receipt in receipts):
            reasons = _sum(receipt["reasons"] for receipt in receipts)
            rows.append(
                {
                    "shard": shard,
                    "verdict": findings.shard_verdicts[shard],
                    "planned": sum(receipt["planned"] for receipt in receipts),
                    "rejected": sum(receipt["rejected"] for receipt in receipts),
                    "share": _rejected_share(receipts),
                    "reasons": sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:3],
                }
            )
    return sorted(rows, key=lambda row: (-row["share"], row["shard"]))[:WORST_SHARDS]


def _strangest(by_shard: pa.Table) -> list[dict[str, Any]]:
    """Rows of shards and tracks whose lengths are farthest from the usual ones, farthest first."""
    judged = by_shard.filter(pc.is_valid(by_shard.column("ks_distance")))
    order = [("ks_distance", "descending"), ("shard", "ascending"), ("track", "ascending")]
    rows: list[dict[str, Any]] = judged.sort_by(order).slice(0, WORST_SHARDS).to_pylist()
    return rows


def _release_samples(rows: gallery.Gallery, shards: Sequence[str]) -> list[gallery.Sample]:
    chosen = [shards[place] for place in gallery.evenly(len(shards), SAMPLE_SHARDS)]
    single = [track for track in TRACKS if track.startswith("single_")]
    multi = [track for track in TRACKS if track.startswith("multi_")]
    samples = [sample for shard in chosen for sample in rows.samples(shard, single, singles=1)]
    return samples + rows.samples(chosen[0], multi)


def _provenance(campaign: Campaign, metrics: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    origins: Counter[tuple[str, str, str]] = Counter()
    instants, retried, tokens = [], 0, 0
    for one in metrics:
        for origin in one["origins"]:
            names = (origin["engine"], origin["model"], origin["model_revision"])
            origins[names] += origin["rows"]
        instants += [one["captioned_from"], one["captioned_to"]]
        retried += one["retried"]
        tokens += one["completion_tokens"]
    known = [instant for instant in instants if instant]
    return {
        "origins": origins.most_common(),
        "captioned_from": min(known, default=None),
        "captioned_to": max(known, default=None),
        "retried": retried,
        "completion_tokens": tokens,
    }


def _rejected_share(receipts: Sequence[Receipt]) -> float:
    planned = sum(receipt["planned"] for receipt in receipts)
    return sum(receipt["rejected"] for receipt in receipts) / planned if planned else 0.0


def _sum(counts: Iterable[Mapping[Any, int]]) -> dict[Any, int]:
    total: Counter[Any] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)
