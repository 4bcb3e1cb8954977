"""What captioning a track of a shard took and gave, in a few numbers that the summary keeps."""

import contextlib
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import PermanentError
from sa1b_captions.freshness.shard_freshness import ShardState, TrackState
from sa1b_captions.outputs import METRICS, read_metrics
from sa1b_captions.receipts import CaptionReceipt


@dataclass(frozen=True, slots=True)
class TrackFigures:
    """Numbers of a captioned track; None where what is stored does not tell."""

    planned: int
    captioned_at: str | None = None
    """When the caption receipt was written. Times are ISO 8601, UTC."""
    occupancy: float | None = None
    """`receipts.Occupancy.share` where it tells whether the engine waited."""
    run_s: float | None = None
    """What `receipts.Pace` says of the run that finished the track: seconds, for so many samples of
    the shard's tracks together."""
    run_samples: int | None = None
    rejected: int | None = None
    """As are those below: of a track that is curated by the present rules."""
    captions: int | None = None
    """Samples that have a caption, whatever the rules say of it."""
    chars: int | None = None
    """Of these captions together."""
    tokens: int | None = None
    """Completion tokens of these captions together."""
    began_at: str | None = None
    """When the first caption came."""
    ended_at: str | None = None
    """When the last one came."""

    @property
    def finished(self) -> dt.datetime | None:
        """When the track was captioned."""
        return instant(self.ended_at or self.captioned_at)


def read_figures(campaign: Campaign, state: ShardState) -> dict[str, TrackFigures]:
    """Figures of the tracks of a shard that are captioned and not stale."""
    return {
        track: _figures(campaign, found, found.captions)
        for track, found in state.tracks.items()
        if found.step and found.captions is not None
    }


def _figures(campaign: Campaign, state: TrackState, captions: CaptionReceipt) -> TrackFigures:
    curated = state.fresh_curated
    occupancy = captions.occupancy.share if captions.occupancy.tells else None
    metrics: Mapping[str, Any] = {}
    if curated is not None and METRICS in curated.files:
        with contextlib.suppress(PermanentError):  # damaged: validation of the shard says so
            metrics = read_metrics(campaign, curated)
    captioned = metrics.get("captioned", {})
    return TrackFigures(
        planned=captions.planned,
        captioned_at=captions.written_at,
        occupancy=None if occupancy is None else float(occupancy),
        run_s=None if captions.pace is None else float(captions.pace.seconds),
        run_samples=None if captions.pace is None else captions.pace.samples,
        rejected=None if curated is None else curated.rejected,
        captions=captioned.get("rows"),
        chars=_total(captioned.get("chars")),
        tokens=_total(captioned.get("tokens")),
        began_at=metrics.get("captioned_from"),
        ended_at=metrics.get("captioned_to"),
    )


def _total(counts: list[list[int]] | None) -> int | None:
    """Sum of values, from pairs of a value and its rows."""
    return None if counts is None else sum(value * rows for value, rows in counts)


def instant(text: str | None) -> dt.datetime | None:
    """A stored time; None of none, or of a text that is no time."""
    with contextlib.suppress(ValueError):
        found = dt.datetime.fromisoformat(text or "")
        return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
    return None
