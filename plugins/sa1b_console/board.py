"""How a campaign's shards stand, as a page may show it at once; safe in several threads.

Asking a thousand shards' receipts takes listings, which no request waits for: it shows what the
summary keeps, and later what a thread of this process found out, which asks the receipts anew
whenever somebody looks and some time has passed.
"""

import datetime as dt
import logging
import threading
import time
from dataclasses import dataclass

from sa1b_captions.campaign import Campaign
from sa1b_captions.errors import CaptioningError
from sa1b_captions.quality.browse.bounded import Bounded
from sa1b_captions.stages.status.status import CampaignStatus, glance, read_status

_log = logging.getLogger(__name__)

FIRST_WAIT_S = 5.0
"""Seconds that a request waits for the receipts where the summary tells nothing."""
SOON_S = 0.3
"""Seconds that it waits for them where asking took no longer the last time."""
REST = 20
"""The receipts are asked again after so many times as long as asking took."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a campaign's shards."""

    status: CampaignStatus
    asked_at: dt.datetime | None
    """When the receipts said so; None of what the summary keeps from some time before."""
    fault: str
    """Why the receipts could not be asked the last time; empty if they could."""


class Board:
    """One campaign."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._seen: Seen | None = None
        self._asking: threading.Thread | None = None
        self._error: CaptioningError | None = None
        self._asked, self._took_s = 0.0, 0.0
        self._lock = threading.Lock()

    def look(self) -> Seen | None:
        """What is known now; None where nothing is yet.

        Raises:
            PermanentError: nothing is known, and a receipt is damaged.
            RetryableError: nothing is known, and the store failed.
        """
        with self._lock:
            if self._seen is None and (kept := glance(self._campaign)) is not None:
                self._seen = Seen(kept, None, "")
            if self._asking is None and self._rested():
                self._asking = threading.Thread(target=self._ask, daemon=True)
                self._asking.start()
            asking = self._asking
            wait_s = SOON_S if self._took_s < SOON_S else 0.0
            wait_s = FIRST_WAIT_S if self._seen is None else wait_s
        if asking is not None:
            asking.join(wait_s)
        if self._seen is None and self._error is not None:
            raise self._error
        return self._seen

    def _rested(self) -> bool:
        return not self._asked or time.monotonic() - self._asked > REST * self._took_s

    def _ask(self) -> None:
        began = time.monotonic()
        try:
            found = read_status(self._campaign)
            self._seen, self._error = Seen(found, dt.datetime.now(dt.UTC), ""), None
        except CaptioningError as error:
            _log.warning("shards are shown as they stood before: %s", error)
            self._error = error
            if self._seen is not None:
                self._seen = Seen(self._seen.status, self._seen.asked_at, str(error))
        finally:
            with self._lock:
                self._asked, self._took_s = time.monotonic(), time.monotonic() - began
                self._asking = None


_boards: Bounded[tuple[str, str, str, str], Board] = Bounded(2)


def board_of(campaign: Campaign) -> Board:
    """The board of a campaign, one for all requests of this process."""
    shards = f"{len(campaign.recipe.shards)} {campaign.recipe.shards[-1]}"
    key = (campaign.store.url, campaign.name, campaign.quality_fingerprint, shards)
    return _boards.get(key, lambda: Board(campaign))
