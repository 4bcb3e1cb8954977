"""A campaign's captions as a gallery asks for them: counted, found, read; safe in several threads.

Nothing is listed, and what is remembered is bounded, whatever is asked for.
"""

import contextlib
import functools
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import polars as pl

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import DamagedObjectError, MissingKeyError, PermanentError
from sa1b_captions.quality.browse.bounded import Bounded
from sa1b_captions.quality.browse.caption_texts import CaptionTexts, Row
from sa1b_captions.quality.browse.finding.counting import Counting
from sa1b_captions.quality.browse.finding.facet_counts import FacetCounts
from sa1b_captions.quality.browse.finding.facets import Facets, read_facets, read_named_facets
from sa1b_captions.quality.browse.finding.filters import Filters, search_patterns
from sa1b_captions.quality.browse.finding.find import Page, find_page, search_page
from sa1b_captions.quality.browse.finding.orders import Hit
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.receipts.receipt_files import curate_place, digest, read_receipt
from sa1b_captions.recipe import TRACKS

READERS = 16
_ROWS = 700_000
"""Rows of facets kept: those of 60 full shards, about 60 MB."""


class Some(Protocol):
    """Some of a campaign's captions."""

    def counts(self) -> FacetCounts:
        """How many have which facets."""

    def load(self, unit: str) -> Facets:
        """Facets of those of a unit."""


class Catalogue:
    """One campaign."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._texts = CaptionTexts(campaign)
        self._facets: Bounded[tuple[str, str], Facets] = Bounded(
            _ROWS, lambda facets: facets.rows.height
        )
        self.counting: Counting[CurateReceipt] = Counting(
            campaign,
            functools.partial(_read_receipts, campaign),
            functools.partial(read_facets, campaign),
        )

    def counts(self) -> FacetCounts:
        """How many captions have which facets; raises as `Counting.counts`."""
        return self.counting.counts()

    def refresh(self) -> FacetCounts:
        """The present state, however long that takes; raises as `Counting.refresh`."""
        return self.counting.refresh()

    def require_counted(self) -> None:
        """Make sure that the captions of all that is curated are known; call `refresh` before.

        Raises PermanentError: what is lacking is damaged or gone.
        """
        for receipt in self.counts().lacking(self.counting.receipts):
            read_facets(self._campaign, receipt)

    def load(self, unit: str) -> Facets:
        """Facets of a unit.

        Raises:
            MissingKeyError: it is not curated.
            DamagedObjectError: its tables are not what its receipt names.
        """
        counts = self.counting.known
        if counts is not None and (content := counts.files.get(unit)) is not None:
            track, shard = unit.split("/")
            with contextlib.suppress(MissingKeyError, DamagedObjectError):  # curated again since
                return self._facets.get(
                    (unit, content),
                    lambda: read_named_facets(self._campaign, track, shard, content),
                )
        try:
            return self._facets_of(self.receipt(unit))
        except (MissingKeyError, DamagedObjectError):  # it may be curated again since
            self.counting.receipts.pop(unit, None)
        return self._facets_of(self.receipt(unit))

    def receipt(self, unit: str) -> CurateReceipt:
        """Receipt of a unit, as far as is known. Raises MissingKeyError if it is not curated."""
        if (known := self.counting.receipts.get(unit)) is not None:
            return known
        track, shard = unit.split("/")
        place = curate_place(self._campaign.name, track, shard)
        found = read_receipt(self._campaign.store, place)
        if found is None:
            raise MissingKeyError(f"curated captions of {unit}", self._campaign.store.url)
        self.counting.receipts[unit] = found
        return found

    def _facets_of(self, receipt: CurateReceipt) -> Facets:
        key = (f"{receipt.track}/{receipt.shard}", digest(receipt))
        return self._facets.get(key, lambda: read_facets(self._campaign, receipt))

    def page(
        self, filters: Filters, after: str = "", among: "Some | None" = None, **rows: int
    ) -> Page:
        """The next samples of a filter, of all captions or some. Raises as `find.find_page`."""
        some = among or self
        if not filters.text:
            return find_page(some.counts(), filters, after, some.load, **rows)
        patterns = search_patterns(filters.text)

        def search(facets: Facets, places: pl.Series) -> pl.Series:
            return self._texts.search(facets, places, patterns)

        return search_page(some.counts(), filters, after, some.load, search, **rows)

    def load_all(self, units: Iterable[str]) -> None:
        """Read the facets of many units at once, so that each is there when it is asked for."""
        with ThreadPoolExecutor(READERS) as pool:
            for done in [pool.submit(self.load, unit) for unit in units]:
                with contextlib.suppress(PermanentError):
                    done.result()

    def rows(self, hits: Sequence[Hit]) -> list[Row]:
        """Caption rows of samples. Raises as `CaptionTexts.read`."""
        return self._texts.read(hits)

    def find(self, sample_id: str) -> Hit | None:
        """A sample by its name; None if it is none of the curated ones."""
        unit, _, ids = sample_id.rpartition("/")
        if unit not in self.counts().units:
            return None
        wanted = [int(one) for one in ids.split("-")]
        facets = self.load(unit)
        for place in places_with(facets, wanted[0]):
            if facets.rows["image_ids"][place].to_list() == wanted:
                return Hit(facets, place, "")
        return None


def places_with(facets: Facets, image_id: int) -> list[int]:
    """Places of the samples that an image is in."""
    found = facets.rows.select(pl.col("image_ids").list.contains(image_id).arg_true())
    return found.to_series().to_list()


def _read_receipts(campaign: Campaign) -> dict[str, CurateReceipt]:
    """Receipts of all that is curated, by unit; what is stale is curated all the same."""

    def read(unit: tuple[str, str]) -> CurateReceipt | None:
        return read_receipt(campaign.store, curate_place(campaign.name, *unit))

    units = [(track, shard) for shard in campaign.recipe.shards for track in TRACKS]
    with ThreadPoolExecutor(READERS) as pool:
        found = pool.map(read, units)
        return {f"{one.track}/{one.shard}": one for one in found if one is not None}
