"""A campaign's captions as a gallery asks for them: counted, found, read; safe in several threads.

Nothing is listed. The stored counts answer at once; a thread asks the receipts, now and then, what
was curated since. What is remembered is bounded, whatever is asked for.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import (
    CaptioningError,
    DamagedObjectError,
    MissingKeyError,
    PermanentError,
)
from sa1b_captions.quality.browse.bounded import Bounded
from sa1b_captions.quality.browse.caption_texts import CaptionTexts, Row
from sa1b_captions.quality.browse.facet_counts import (
    FacetCounts,
    read_counts,
    store_counts,
    update_counts,
)
from sa1b_captions.quality.browse.facets import Facets, read_facets, read_named_facets
from sa1b_captions.quality.browse.filters import Filters, search_patterns
from sa1b_captions.quality.browse.find import Page, find_page, search_page
from sa1b_captions.quality.browse.orders import Hit
from sa1b_captions.receipt_files import curate_place, digest, read_receipt
from sa1b_captions.receipts import CurateReceipt
from sa1b_captions.recipe import TRACKS

_log = logging.getLogger(__name__)

READERS = 16
FIRST_WAIT_S = 5.0
"""Seconds that the first request waits for the shards to be counted before it shows some."""

REST = 20
"""The receipts are asked again after so many times as long as asking took."""

_ROWS = 700_000
"""Rows of facets kept: those of 60 full shards, about 60 MB."""
_STEP_S = 2.0


class Catalogue:
    """One campaign."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._texts = CaptionTexts(campaign)
        self._facets: Bounded[tuple[str, str], Facets] = Bounded(
            _ROWS, lambda facets: facets.rows.height
        )
        self._receipts: dict[str, CurateReceipt] = {}
        self._counts: FacetCounts | None = None
        self._asked_at, self._took_s = 0.0, 0.0
        self._lock = threading.Lock()
        self._refreshing: threading.Thread | None = None
        self.lacking = 0
        """Units that are curated and not counted yet."""
        self.fault = ""
        """Why the receipts could not be asked the last time; empty if they could."""

    def counts(self) -> FacetCounts:
        """How many captions have which facets, as far as is known; soon the present state.

        Raises:
            RetryableError: the store failed, and nothing is known yet.
        """
        with self._lock:
            first = self._counts is None
            if self._counts is None:
                self._counts = read_counts(self._campaign)
            rested = time.monotonic() - self._asked_at > max(5.0, REST * self._took_s)
            if self._refreshing is None and (first or rested):
                self._refreshing = threading.Thread(target=self._refresh, daemon=True)
                self._refreshing.start()
            refreshing, known = self._refreshing, bool(self._counts.units)
        if first and not known and refreshing is not None:
            refreshing.join(FIRST_WAIT_S)
        return self._counts

    def refresh(self) -> FacetCounts:
        """The present state, however long that takes.

        Raises:
            PermanentError: a receipt is damaged.
            RetryableError: the store failed.
        """
        counts = self.counts()
        while (running := self._refreshing) is not None:
            running.join()
        self._ask()
        return self._counts or counts

    def require_counted(self) -> None:
        """Make sure that the captions of all that is curated are known; call `refresh` before.

        Raises:
            PermanentError: what is lacking is damaged or gone.
            RetryableError: the store failed.
        """
        for receipt in self.counts().lacking(self._receipts):
            read_facets(self._campaign, receipt)

    def _refresh(self) -> None:
        try:
            self._ask()
        except CaptioningError as error:
            self.fault = str(error)
            _log.warning("captions are counted as they were before: %s", error)
        finally:
            with self._lock:
                self._refreshing = None

    def _ask(self) -> None:
        began = time.monotonic()
        receipts = _read_receipts(self._campaign)
        self._receipts, self.fault = receipts, ""
        counts = self._counts or read_counts(self._campaign)
        before = counts
        while lacking := len(counts.lacking(receipts)):
            self.lacking = lacking
            newer = update_counts(self._campaign, counts, receipts, at_most_s=_STEP_S)
            if newer is counts:  # the rest is damaged, or being curated right now
                break
            self._counts = counts = newer
        counts = update_counts(self._campaign, counts, receipts, at_most_s=0.0)
        self._counts, self.lacking = counts, len(counts.lacking(receipts))
        if counts is not before:
            self._store(counts)
        self._took_s, self._asked_at = time.monotonic() - began, time.monotonic()

    def _store(self, counts: FacetCounts) -> None:
        try:
            store_counts(self._campaign, counts)
        except CaptioningError as error:  # a reader's account need not be allowed to write
            _log.warning("the counts of captions are not stored: %s", error)

    def load(self, unit: str) -> Facets:
        """Facets of a unit.

        Raises:
            MissingKeyError: it is not curated.
            DamagedObjectError: its tables are not what its receipt names.
            RetryableError: the store failed.
        """
        counts = self._counts
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
            self._receipts.pop(unit, None)
        return self._facets_of(self.receipt(unit))

    def receipt(self, unit: str) -> CurateReceipt:
        """Receipt of a unit, as far as is known.

        Raises:
            MissingKeyError: it is not curated.
            RetryableError: the store failed.
        """
        if (known := self._receipts.get(unit)) is not None:
            return known
        track, shard = unit.split("/")
        place = curate_place(self._campaign.name, track, shard)
        found = read_receipt(self._campaign.store, place)
        if found is None:
            raise MissingKeyError(f"curated captions of {unit}", self._campaign.store.url)
        self._receipts[unit] = found
        return found

    def _facets_of(self, receipt: CurateReceipt) -> Facets:
        key = (f"{receipt.track}/{receipt.shard}", digest(receipt))
        return self._facets.get(key, lambda: read_facets(self._campaign, receipt))

    def page(self, filters: Filters, after: str = "", **rows: int) -> Page:
        """The next samples of a filter. Raises as `find.find_page`."""
        if not filters.text:
            return find_page(self.counts(), filters, after, self.load, **rows)
        patterns = search_patterns(filters.text)

        def search(facets: Facets, places: pl.Series) -> pl.Series:
            return self._texts.search(facets, places, patterns)

        return search_page(self.counts(), filters, after, self.load, search, **rows)

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
