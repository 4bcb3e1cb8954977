"""What people said of the captions of two sides: how many fit, and which of two was preferred.

A mark counts for the words that it was made of: it names their digest, so marks of captions that
are on neither side count for nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from sa1b_captions.chance import wilson
from sa1b_captions.mark_logs import read_marks
from sa1b_captions.marks import (
    Better,
    CaptionMark,
    Judgement,
    PairMark,
    last_of_each,
    text_digest,
)
from sa1b_captions.storage import Store

_SIDES = ("before", "after")


Marks = Mapping[str, Sequence[CaptionMark | PairMark]]
"""Marks of captions and of pairs, by sample."""


def collect_marks(store: Store, campaigns: Iterable[str]) -> Marks:
    """All marks of captions and pairs that count.

    Raises PermanentError: a stored mark is damaged.
    """
    by_sample: dict[str, list[CaptionMark | PairMark]] = defaultdict(list)
    for campaign in dict.fromkeys(campaigns):
        # A person may have marked both captions of a sample, each counts.
        captions = {
            (mark.who, mark.sample_id, mark.text_xxh3): mark
            for mark in read_marks(store, campaign, CaptionMark)
        }
        marks: list[CaptionMark | PairMark] = [*captions.values()]
        marks += last_of_each(read_marks(store, campaign, PairMark))
        for mark in marks:
            by_sample[mark.sample_id].append(mark)
    return by_sample


@dataclass(slots=True)
class TrackMarks:
    """What the marks say of the captions of two sides."""

    good: Counter[str] = field(default_factory=Counter)
    """Marks that call a caption good, by side."""
    bad: Counter[str] = field(default_factory=Counter)
    preferred: Counter[str] = field(default_factory=Counter)
    """Choices between the two captions of a sample: `before`, `after` or `neither`."""

    def add(self, rows: pl.DataFrame, marks: Marks) -> None:
        """Count the marks of samples with `sample_id`, `caption` and `caption_after`."""
        if not marks:
            return
        for row in rows.filter(pl.col("sample_id").is_in(list(marks))).iter_rows(named=True):
            texts = (row["caption"], row["caption_after"])
            digests = [None if text is None else text_digest(text) for text in texts]
            for mark in marks[row["sample_id"]]:
                if isinstance(mark, CaptionMark):
                    self._add_caption(mark, digests)
                else:
                    self._add_pair(mark, digests)

    def _add_caption(self, mark: CaptionMark, digests: list[str | None]) -> None:
        counter = {Judgement.GOOD: self.good, Judgement.BAD: self.bad}.get(mark.judgement)
        for side, digest in zip(_SIDES, digests, strict=True):
            if counter is not None and digest == mark.text_xxh3:
                counter[side] += 1

    def _add_pair(self, mark: PairMark, digests: list[str | None]) -> None:
        chosen = {Better.LEFT: mark.left_xxh3, Better.RIGHT: mark.right_xxh3}.get(mark.better)
        if mark.left_xxh3 == mark.right_xxh3 or {*digests} != {mark.left_xxh3, mark.right_xxh3}:
            return
        self.preferred["neither" if chosen is None else _SIDES[digests.index(chosen)]] += 1

    def figures(self) -> dict[str, Any] | None:
        """All of it as JSON; None without a mark."""
        if not (self.good or self.bad or self.preferred):
            return None
        wins = {side: self.preferred[side] for side in (*_SIDES, "neither")}
        return {
            "fit": {
                side: share(self.good[side], self.good[side] + self.bad[side]) for side in _SIDES
            },
            "preferred": wins,
            # A choice of neither says nothing about which is better.
            "win_rate": share(wins["after"], wins["before"] + wins["after"]),
        }


def share(part: int, whole: int) -> dict[str, float] | None:
    """Share with Wilson's interval of 95 %; None of nothing."""
    if not whole:
        return None
    low, high = wilson(part, whole)
    return {"marks": whole, "share": part / whole, "low": low, "high": high}
