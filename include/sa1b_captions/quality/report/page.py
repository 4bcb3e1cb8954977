"""What the report of a shard and that of a release share: templates, rows of tables, charts.

A page runs no script and loads nothing; pictures are inside it. Captions, error messages and
names are untrusted: the templates escape everything, and a Content-Security-Policy stands behind
them. Tables and charts come from receipts and metrics, pictures and texts from the curated rows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from sa1b_captions.campaign import Campaign
from sa1b_captions.plurals import counted
from sa1b_captions.quality.report import charts, gallery
from sa1b_captions.quality.rules import MEANINGS
from sa1b_captions.receipts import ENOUGH_OCCUPANCY
from sa1b_captions.receipts.findings import Check

SEVERITIES = ("critical", "warning", "info")

_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["percent"] = lambda share: f"{share:.1%}"
_environment.filters["count"] = lambda number: "–" if number is None else f"{number:,.0f}"
_environment.filters["counted"] = counted
_environment.globals |= {
    "rejected_per_reason": gallery.REJECTED_PER_REASON,
    "language_names": {"en": "English", "zh": "Chinese"},
    "meanings": MEANINGS,
    "enough_occupancy": ENOUGH_OCCUPANCY,
}


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


def fill_template(name: str, **values: Any) -> str:
    """Page of a template; a value that it lacks is an error."""
    return _environment.get_template(name).render(**values)


def headline(checks: Iterable[Check]) -> str:
    """One sentence on what the checks found."""
    failed = Counter(check.severity for check in checks if not check.success)
    parts = [
        counted(failed[severity], name)
        for severity, name in (
            ("critical", "critical failure"),
            ("warning", "warning"),
            ("info", "remark"),
        )
        if failed[severity]
    ]
    return ", ".join(parts) or "every check holds"


def track_row(
    campaign: Campaign, track: str, metrics: Sequence[Mapping[str, Any]], duplicates: int = 0
) -> TrackRow:
    """One line of the table of tracks, over the `metrics.json` of one shard or of many."""
    return TrackRow(
        track=track,
        language=campaign.recipe.tracks[track].language,
        planned=sum(one["planned"] for one in metrics),
        accepted=sum(one["accepted"] for one in metrics),
        rejected=sum(one["rejected"] for one in metrics),
        duplicates=duplicates,
        percentiles=metrics[0]["percentiles"]["caption_chars"] if len(metrics) == 1 else None,
    )


def reason_rows(by_track: Mapping[str, Mapping[str, int]]) -> list[tuple[str, dict[str, int], int]]:
    """Reason, rows per track and rows in all, most frequent first."""
    names = dict.fromkeys(reason for reasons in by_track.values() for reason in reasons)
    rows = [
        (reason, counts, sum(counts.values()))
        for reason in names
        for counts in [{track: found.get(reason, 0) for track, found in by_track.items()}]
    ]
    return sorted(rows, key=lambda row: (-row[2], row[0]))


def complaints(checks: Mapping[str, Sequence[Check]]) -> list[tuple[Check, dict[str, str]]]:
    """Each check that does not hold, with what was found per track; the gravest first."""
    found: dict[tuple[str, str], tuple[Check, dict[str, str]]] = {}
    for track, of_track in checks.items():
        for check in of_track:
            if not check.success:
                key = (check.severity, check.description)
                found.setdefault(key, (check, {}))[1][track] = check.observed
    return sorted(found.values(), key=lambda item: SEVERITIES.index(item[0].severity))


def length_charts(
    campaign: Campaign, metrics: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, Markup]:
    """Histogram per track of the lengths of accepted and of rejected captions."""
    drawn = {}
    for track, found in metrics.items():
        drawn[track] = charts.length_chart(
            add_counts(dict(one["lengths"]["accepted"]) for one in found),
            add_counts(dict(one["lengths"]["rejected"]) for one in found),
            found[0]["lengths"]["bin_chars"],
            campaign.recipe.quality.languages[campaign.recipe.tracks[track].language],
        )
    return drawn


def provenance(campaign: Campaign, metrics: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What captioned the rows of these `metrics.json`, and when."""
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


def add_counts(counts: Iterable[Mapping[Any, int]]) -> dict[Any, int]:
    """Sum per key."""
    total: Counter[Any] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)
