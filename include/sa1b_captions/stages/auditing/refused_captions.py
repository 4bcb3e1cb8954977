"""Captions with a sentence that the audit's judge refused, as a gallery asks for them.

An audit draws few captions of a track of a shard, so which they are is read from its answers, one
track of a shard at a time; how many there are is counted once and kept. What is remembered is
bounded. Safe in several threads.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl

from sa1b_captions import layout
from sa1b_captions.audit.judge import Answer
from sa1b_captions.audit.totals import probability_of_no
from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import DamagedObjectError, MissingKeyError
from sa1b_captions.freshness.audits import is_fresh
from sa1b_captions.outputs import read_answers
from sa1b_captions.quality.browse.bounded import Bounded
from sa1b_captions.quality.browse.catalogue import READERS, Catalogue
from sa1b_captions.quality.browse.finding.counting import Counting
from sa1b_captions.quality.browse.finding.facet_counts import FacetCounts
from sa1b_captions.quality.browse.finding.facets import Facets
from sa1b_captions.receipts import AuditReceipt
from sa1b_captions.receipts.receipt_files import audit_place, digest, read_receipt
from sa1b_captions.recipe import TRACKS

REFUSED_SCHEMA = {
    "sample_id": pl.String(),
    "text_xxh3": pl.String(),  # marks.text_digest of the caption that was judged
    "start": pl.Int32(),  # first character of the sentence in the caption
    "end": pl.Int32(),  # the one behind its last
    "text": pl.String(),
    "probability": pl.Float64(),  # of no, among the three answers; null where nobody tells
}
"""One row per refused sentence, the surest first."""

_ROWS = 200_000
"""Sentences kept: 40 MB where one has 100 characters."""


class RefusedCaptions:
    """Those of one campaign."""

    def __init__(self, campaign: Campaign, catalogue: Catalogue) -> None:
        self._campaign, self._catalogue = campaign, catalogue
        self._sentences: Bounded[tuple[str, str], pl.DataFrame] = Bounded(
            _ROWS, lambda rows: max(1, rows.height)
        )
        self.counting: Counting[AuditReceipt] = Counting(
            campaign, self._ask, self._facets_of, layout.refused_counts_key(campaign.name)
        )

    def counts(self) -> FacetCounts:
        """How many there are; raises as `Counting.counts`."""
        return self.counting.counts()

    def load(self, unit: str) -> Facets:
        """Facets of a unit's refused captions. Raises as `Catalogue.load`."""
        return self._facets_of(self._receipt(unit))

    def sentences(self, unit: str) -> pl.DataFrame:
        """Refused sentences of a unit (`REFUSED_SCHEMA`).

        Raises:
            MissingKeyError: it is not audited, or audited again right now.
            DamagedObjectError: the answers are not what the receipt names.
        """
        audit = self._receipt(unit)
        return self._sentences.get((unit, digest(audit)), lambda: self._read(audit))

    def _ask(self) -> dict[str, AuditReceipt]:
        """Receipts of the audits that count and refused something, by unit."""
        self._catalogue.counts()
        units = [(track, shard) for shard in self._campaign.recipe.shards for track in TRACKS]
        with ThreadPoolExecutor(READERS) as pool:
            found = pool.map(self._audit, units)
            return {f"{one.track}/{one.shard}": one for one in found if one is not None}

    def _audit(self, unit: tuple[str, str]) -> AuditReceipt | None:
        audit = read_receipt(self._campaign.store, audit_place(self._campaign.name, *unit))
        if audit is None or not audit.counts.refused:
            return None
        try:
            curated = self._catalogue.receipt("/".join(unit))
        except MissingKeyError:
            return None
        return audit if is_fresh(self._campaign, audit, curated) else None

    def _receipt(self, unit: str) -> AuditReceipt:
        known = self.counting.receipts.get(unit)
        track, shard = unit.split("/")
        found = known or self._audit((track, shard))
        if found is None:
            raise MissingKeyError(f"an audit of {unit}", self._campaign.store.url)
        return found

    def _read(self, audit: AuditReceipt) -> pl.DataFrame:
        rows = [
            {**row, "probability": probability_of_no(row)}
            for row in read_answers(self._campaign, audit).to_pylist()
            if row["answer"] == Answer.NO
        ]
        found = pl.DataFrame(rows, schema=REFUSED_SCHEMA)
        order = ["probability", "sample_id", "start"]
        return found.sort(order, descending=[True, False, False], nulls_last=True)

    def _facets_of(self, audit: AuditReceipt) -> Facets:
        unit = f"{audit.track}/{audit.shard}"
        refused = self._sentences.get((unit, digest(audit)), lambda: self._read(audit))
        ids = refused["sample_id"].unique().str.split("/").list.last()
        facets = self._catalogue.load(unit)
        names = pl.col("image_ids").cast(pl.List(pl.String)).list.join("-")
        return replace(facets, rows=facets.rows.filter(names.is_in(ids.implode())))


def worst_units(counts: FacetCounts, units: set[str]) -> list[str]:
    """Those of some units that have refused captions, the ones with most of them first."""
    rows = counts.rows.with_columns(pl.col("unit").cast(pl.String))
    rows = rows.filter(pl.col("unit").is_in(sorted(units)))
    found = rows.group_by("unit").agg(pl.col("rows").sum())
    return found.sort(["rows", "unit"], descending=[True, False])["unit"].to_list()


def sentences_of(
    refused: RefusedCaptions, units: list[str], begin: int, behind: int
) -> Iterator[tuple[str, int, dict[str, object]]]:
    """Refused sentences of units, one after the other.

    Args:
        units: in the order in which they are read.
        begin: place of the first one among `units`.
        behind: sentences of that one that are left out.

    Yields:
        The unit, the sentence's place within it, and its row (`REFUSED_SCHEMA`).
    """
    for unit in units[begin:]:
        try:
            rows = refused.sentences(unit)
        except (MissingKeyError, DamagedObjectError):  # audited again right now
            continue
        for place, row in enumerate(rows.iter_rows(named=True)):
            if unit != units[begin] or place >= behind:
                yield unit, place, row
