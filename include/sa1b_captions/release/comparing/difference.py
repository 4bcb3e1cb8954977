"""The difference of two sides, counted shard by shard: rows, reasons, lengths, and examples.

A sample is found again by its `sample_id`: its track, shard and images. Two recipes that plan other
groups of images have few samples in common in the multi-image tracks, and the count says so.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa

from sa1b_captions.errors import DamagedObjectError
from sa1b_captions.release.card.summary import Lengths
from sa1b_captions.release.comparing.chosen import Chosen
from sa1b_captions.release.comparing.judged import Marks, TrackMarks
from sa1b_captions.release.comparing.sides import REASONS, SAMPLES, Side

_log = logging.getLogger(__name__)

KINDS = ("changed", "removed", "added")
"""What may become of a published row: other words, gone, new."""

NOT_THERE = "not_there"
"""In place of reasons: the other side has no such sample at all."""

EXAMPLES = 20
"""Of each kind."""

_PERCENTILES = {"p5": 5, "median": 50, "p95": 95}
_PROGRESS_INTERVAL_S = 5.0


@dataclass(slots=True)
class SideTotals:
    """What one side has of a track."""

    rows: int = 0
    """Published."""
    left_out: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Samples left out, by reason; one may have several."""
    characters: Lengths = field(default_factory=Lengths)
    """Of the published captions, as are the tokens."""
    tokens: Lengths = field(default_factory=Lengths)

    def add(self, samples: pl.DataFrame) -> None:
        """Count samples (`SAMPLES`)."""
        published = samples.filter(_published(""))
        self.rows += published.height
        self.left_out += samples.height - published.height
        self.reasons.update(samples["reasons"].explode().drop_nulls().to_list())
        _add(self.characters, published["caption"].str.len_chars())
        _add(self.tokens, published["tokens"])


@dataclass(slots=True)
class TrackDifference:
    """What became of a track's samples."""

    before: SideTotals = field(default_factory=SideTotals)
    after: SideTotals = field(default_factory=SideTotals)
    unchanged: int = 0
    """Published on both sides with the same caption."""
    changed: int = 0
    """Published on both sides with other captions."""
    removed: int = 0
    """Published before and not after."""
    added: int = 0
    """Published after and not before."""
    removed_by_reason: Counter[str] = field(default_factory=Counter)
    """For what they are left out after, or `NOT_THERE`; a row may count under several."""
    added_by_reason: Counter[str] = field(default_factory=Counter)
    """For what they were left out before, or `NOT_THERE`."""
    removed_same_caption: Counter[str] = field(default_factory=Counter)
    """Of `removed_by_reason`, those whose caption is the same: it was judged otherwise."""
    added_same_caption: Counter[str] = field(default_factory=Counter)
    shift: Lengths = field(default_factory=Lengths)
    """Characters that the changed captions gained; negative where they lost some."""
    marks: TrackMarks = field(default_factory=TrackMarks)

    def add(
        self, before: pl.DataFrame, after: pl.DataFrame, marks: Marks
    ) -> dict[str, pl.DataFrame]:
        """Count the samples of a shard, and the marks of them.

        Returns:
            Rows by kind: `sample_id`, and caption and reasons of each side.
        """
        self.before.add(before)
        self.after.add(after)
        both = before.join(after, on="sample_id", how="full", coalesce=True, suffix="_after")
        was, is_ = _published(""), _published("_after")
        same = (pl.col("caption") == pl.col("caption_after")).fill_null(False)
        kinds = {
            "changed": both.filter(was & is_ & ~same),
            "removed": both.filter(was & ~is_),
            "added": both.filter(~was & is_),
        }
        self.marks.add(both, marks)
        self.unchanged += both.filter(was & is_ & same).height
        self.changed += kinds["changed"].height
        self.removed += kinds["removed"].height
        self.added += kinds["added"].height
        lengths = [pl.col(name).str.len_chars().cast(pl.Int64) for name in _CAPTIONS]
        _add(self.shift, kinds["changed"].select(gained=lengths[1] - lengths[0])["gained"])
        for found, name, all_, judged in (
            (kinds["removed"], "reasons_after", self.removed_by_reason, self.removed_same_caption),
            (kinds["added"], "reasons", self.added_by_reason, self.added_same_caption),
        ):
            reasons = pl.col(name).fill_null(pl.lit([NOT_THERE], REASONS))
            all_.update(found.select(reasons.explode())[name].to_list())
            judged.update(found.filter(same).select(reasons.explode())[name].to_list())
        return kinds

    def figures(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "before": _side(self.before),
            "after": _side(self.after),
            "unchanged": self.unchanged,
            "changed": self.changed,
            "removed": self.removed,
            "added": self.added,
            "removed_by_reason": _moved(self.removed_by_reason, self.removed_same_caption),
            "added_by_reason": _moved(self.added_by_reason, self.added_same_caption),
            "characters_gained": _lengths(self.shift),
            "marks": self.marks.figures(),
        }


_CAPTIONS = ("caption", "caption_after")


def compare_track(
    before: Side, after: Side, track: str, seed: int, marks: Marks, examples: int = EXAMPLES
) -> tuple[TrackDifference, dict[str, list[dict[str, Any]]]]:
    """Compare a track over all shards of both sides.

    Args:
        track: that at least one of them has.

    Returns:
        The difference, and examples by kind, as `TrackDifference.add` returns rows.

    Raises PermanentError: a side cannot be read.
    """
    found = TrackDifference()
    mine = {sample: made for sample, made in marks.items() if sample.startswith(f"{track}/")}
    chosen = {kind: Chosen(seed, examples) for kind in KINDS}
    for was, is_ in _aligned(before, after, track):
        for kind, rows in found.add(was, is_, mine).items():
            chosen[kind].offer(rows)
    return found, {kind: one.rows for kind, one in chosen.items()}


def _aligned(before: Side, after: Side, track: str) -> Iterator[list[pl.DataFrame]]:
    """Samples of both sides, shard by shard; none of a side that has no such shard."""
    sides = (before, after)
    shards = [set(side.shards(track)) if track in side.tracks else set() for side in sides]
    union = sorted(set.union(*shards))
    logged_at = time.monotonic()
    for number, shard in enumerate(union, start=1):
        yield [
            unique_samples(side, track, shard) if shard in has else pl.DataFrame(schema=SAMPLES)
            for side, has in zip(sides, shards, strict=True)
        ]
        if time.monotonic() - logged_at >= _PROGRESS_INTERVAL_S or number == len(union):
            _log.info("%s: %d of %d shards compared", track, number, len(union))
            logged_at = time.monotonic()


def unique_samples(side: Side, track: str, shard: str) -> pl.DataFrame:
    """Samples of a shard that a side has.

    Raises PermanentError: it has one twice, or cannot be read.
    """
    samples = side.samples(track, shard)
    if samples["sample_id"].n_unique() != samples.height:
        raise DamagedObjectError(f"{side.name} has a sample of {track}/{shard} twice; verify it")
    return samples


def _published(suffix: str) -> pl.Expr:
    """Whether a row is there and has no reasons."""
    return (pl.col(f"reasons{suffix}").list.len() == 0).fill_null(False)


def _add(lengths: Lengths, values: pl.Series) -> None:
    lengths.add(pa.chunked_array([values.to_arrow()]))


def _side(totals: SideTotals) -> dict[str, Any]:
    return {
        "rows": totals.rows,
        "left_out": totals.left_out,
        "reasons": dict(totals.reasons.most_common()),
        "characters": _lengths(totals.characters),
        "tokens": _lengths(totals.tokens),
    }


def _moved(rows: Counter[str], same: Counter[str]) -> dict[str, dict[str, int]]:
    return {
        reason: {"rows": count, "same_caption": same[reason]}
        for reason, count in rows.most_common()
    }


def _lengths(lengths: Lengths) -> dict[str, float] | None:
    """Mean and percentiles; None without any."""
    if not lengths.counts:
        return None
    found: dict[str, float] = {"mean": round(lengths.mean, 2)}
    return found | {name: lengths.percentile(percent) for name, percent in _PERCENTILES.items()}


def track_names(before: Side, after: Side) -> Sequence[str]:
    """Tracks that either side has, in their order."""
    return list(dict.fromkeys([*before.tracks, *after.tracks]))
