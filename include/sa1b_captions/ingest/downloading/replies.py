"""What a server's reply to a (range) request means, before its body is read."""

import datetime as dt
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

from sa1b_captions.errors import PermanentError

_CONTENT_RANGE = re.compile(r"bytes (?:([0-9]{1,18})-([0-9]{1,18})|\*)/([0-9]{1,18}|\*)")
_ENCODING_MARK = re.compile(r"[-;:](?:gzip|br|zstd|deflate|df|identity)$")
_MAY_PASS = frozenset({408, 425, 429})
_REFUSED = frozenset({401, 403, 404, 410})


class Interrupted(Exception):
    """A request did not bring the object to its end; asking again may."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells an object from another at the same address; None is what no server said."""

    total_bytes: int | None = None
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """Where the body of a reply lies in the object, and which object it is."""

    start: int
    """Offset of the body's first byte in the object."""
    end: int | None
    """Offset after its last byte; None when the server does not say."""
    total: int | None
    """Size of the object in bytes; None when the server does not say."""
    etag: str | None
    last_modified: str | None
    is_end: bool = False
    """The offset asked for is the end of the object: there is no body."""
    has_own_end: bool = False
    """The body marks its end (chunked coding), so an early end shows as an error."""


def read_reply(response: httpx.Response, offset: int, name: str) -> Reply:
    """Say what a reply brings to someone who holds the first `offset` bytes.

    Raises:
        Interrupted: the request should be made again.
        PermanentError: asking again is of no use.
    """
    status = response.status_code
    if status == 416 and offset:
        return _end_of_object(response, offset)
    if status not in (200, 206):
        raise _refusal(response, name)
    media_type = response.headers.get("content-type", "").lower()
    if media_type.startswith(("text/html", "application/xhtml")):
        raise PermanentError(
            f"{name}: got a web page instead of an archive; the link has expired or is refused, "
            "download a new links file"
        )
    if status == 200:
        size = response.headers.get("content-length", "")
        total = int(size) if size.isdecimal() else None
        return _reply(response, 0, total, total)
    start, end, total = _content_range(response)
    if start != offset or end is None or end <= start or (total is not None and end > total):
        # Also what follows here: another part of the object must never be taken for this one.
        raise Interrupted(f"the server sent range {start}-{end} when asked for {offset}-")
    return _reply(response, start, end, total)


def _reply(response: httpx.Response, start: int, end: int | None, total: int | None) -> Reply:
    return Reply(
        start=start,
        end=end,
        total=total,
        etag=response.headers.get("etag"),
        last_modified=response.headers.get("last-modified"),
        has_own_end="chunked" in response.headers.get("transfer-encoding", "").lower(),
    )


def same_etag(one: str | None, other: str | None) -> bool:
    """Whether two ETags may be of one object; one that was not said may.

    Servers and proxies mark one object's as weak, leave out the quotes, or add what they would
    compress it with.
    """
    return not one or not other or _bare_etag(one) == _bare_etag(other)


def _bare_etag(etag: str) -> str:
    bare = etag.strip()
    if bare[:2] in ("W/", "w/"):
        bare = bare[2:]
    return _ENCODING_MARK.sub("", bare.strip('"'))


def _end_of_object(response: httpx.Response, offset: int) -> Reply:
    _, _, total = _content_range(response)
    if total is None or total > offset:
        raise Interrupted(f"the server refused range {offset}- of {total} bytes")
    # A total below the offset is another object's; whoever compares totals will say so.
    return Reply(offset, offset, total, None, None, is_end=total == offset)


def _content_range(response: httpx.Response) -> tuple[int | None, int | None, int | None]:
    """Start, end (exclusive) and total of Content-Range; None for what it does not say."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
    if match is None:
        return None, None, None
    start, last, total = match.groups()
    return (
        int(start) if start else None,
        int(last) + 1 if last else None,
        int(total) if total != "*" else None,
    )


def _refusal(response: httpx.Response, name: str) -> Exception:
    status = response.status_code
    if status in _MAY_PASS or status >= 500:
        return Interrupted(f"status {status}", _retry_after_s(response))
    if status in _REFUSED:
        return PermanentError(
            f"{name}: status {status}, the link has expired or is refused; download a new links "
            "file"
        )
    return PermanentError(f"{name}: status {status}, which no archive comes with; check the link")


def server_time(response: httpx.Response) -> dt.datetime | None:
    """When the server says it answered; None when it does not say."""
    return _moment(response.headers.get("date", ""))


def _retry_after_s(response: httpx.Response) -> float | None:
    """Seconds that the server wants to be left alone for; a date is one of its own clock."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    moment, now = _moment(text), server_time(response)
    return max(0.0, (moment - now).total_seconds()) if moment and now else None


def _moment(text: str) -> dt.datetime | None:
    try:
        return parsedate_to_datetime(text).replace(tzinfo=dt.UTC)  # HTTP knows no other zone
    except ValueError:
        return None
