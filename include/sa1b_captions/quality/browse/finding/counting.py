"""Counts of captions that are kept up to date while they are asked for; safe in several threads.

Nothing is listed. The stored counts answer at once; a thread asks the receipts, now and then, what
was made since.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import CaptioningError
from sa1b_captions.quality.browse.finding.facet_counts import (
    FacetCounts,
    R,
    read_counts,
    store_counts,
    update_counts,
)
from sa1b_captions.quality.browse.finding.facets import Facets

_log = logging.getLogger(__name__)

FIRST_WAIT_S = 5.0
"""Seconds that the first request waits for the shards to be counted before it shows some."""

REST = 20
"""The receipts are asked again after so many times as long as asking took."""

_STEP_S = 2.0


class Counting(Generic[R]):
    """Counts of a campaign's captions, or of some of them."""

    def __init__(
        self,
        campaign: Campaign,
        ask: Callable[[], dict[str, R]],
        read: Callable[[R], Facets],
        key: str = "",
    ) -> None:
        """Begin to know them.

        Args:
            ask: receipts of what is to be counted, by unit.
            read: facets of a receipt's captions; called in threads.
            key: under which the counts are kept, as of `read_counts`.
        """
        self._campaign, self._ask_receipts, self._read, self._key = campaign, ask, read, key
        self._counts: FacetCounts | None = None
        self._asked_at, self._took_s = 0.0, 0.0
        self._lock = threading.Lock()
        self._refreshing: threading.Thread | None = None
        self.receipts: dict[str, R] = {}
        """By unit, as far as they are known."""
        self.lacking = 0
        """Units that have a receipt and are not counted yet."""
        self.fault = ""
        """Why the receipts could not be asked the last time; empty if they could."""

    @property
    def known(self) -> FacetCounts | None:
        """What is known without asking."""
        return self._counts

    def counts(self) -> FacetCounts:
        """How many captions have which facets, as far as is known; soon the present state.

        Raises RetryableError: the store failed, and nothing is known yet.
        """
        with self._lock:
            first = self._counts is None
            if self._counts is None:
                self._counts = read_counts(self._campaign, self._key)
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

        Raises PermanentError: a receipt is damaged.
        """
        counts = self.counts()
        while (running := self._refreshing) is not None:
            running.join()
        self._ask()
        return self._counts or counts

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
        receipts = self._ask_receipts()
        self.receipts, self.fault = receipts, ""
        counts = self._counts or read_counts(self._campaign, self._key)
        before = counts
        while lacking := len(counts.lacking(receipts)):
            self.lacking = lacking
            newer = update_counts(counts, receipts, self._read, at_most_s=_STEP_S)
            if newer is counts:  # the rest is damaged, or being made right now
                break
            self._counts = counts = newer
        counts = update_counts(counts, receipts, self._read, at_most_s=0.0)
        self._counts, self.lacking = counts, len(counts.lacking(receipts))
        if counts is not before:
            self._store(counts)
        self._took_s, self._asked_at = time.monotonic() - began, time.monotonic()

    def _store(self, counts: FacetCounts) -> None:
        try:
            store_counts(self._campaign, counts, self._key)
        except CaptioningError as error:  # a reader's account need not be allowed to write
            _log.warning("the counts of captions are not stored: %s", error)
