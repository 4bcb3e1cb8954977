"""What time it is where links end, whatever this machine's clock says."""

import datetime as dt

import httpx

from sa1b_captions.ingest.downloading.http_client import Patience, open_client, silence_url_logs
from sa1b_captions.ingest.downloading.links import Link, require_fresh
from sa1b_captions.ingest.downloading.replies import server_time


def require_lasting(link: Link, margin: dt.timedelta, patience: Patience | None) -> None:
    """Raise PermanentError unless the link lives for `margin` from now.

    What this machine's clock takes for an expired link is held against the server's clock.
    """
    now = dt.datetime.now(dt.UTC)
    if link.expires_at is not None and now + margin >= link.expires_at:
        now = _ask(link, patience or Patience()) or now
    require_fresh(link, now, margin)


def _ask(link: Link, patience: Patience) -> dt.datetime | None:
    """The server's time, from the head of any answer; None when it does not say."""
    silence_url_logs()
    try:
        with open_client(patience) as client:
            return server_time(client.head(link.url))
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
