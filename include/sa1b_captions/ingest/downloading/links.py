"""Meta's links file: which URL holds which archive, and until when.

A link is a signed URL and therefore a credential: its query never leaves this module except in
`Link.url`. `Link.source` is what messages, logs and receipts show.
"""

import codecs
import datetime as dt
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from sa1b_captions.errors import PermanentError
from sa1b_captions.storage import Store

_ARCHIVE_NAME = re.compile(r"(sa_[0-9]{6})\.tar")
_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_HOW_TO_GET_LINKS = (
    "accept the licence on Meta's SA-1B download page, download the links file again and put it "
    "in place of the old one; shards that are done stay done"
)


@dataclass(frozen=True, slots=True)
class Link:
    """Where one archive can be downloaded."""

    shard: str
    url: str = field(repr=False)
    """Signed, hence secret."""
    expires_at: dt.datetime | None
    """When the signature ends, in UTC, as the URL says; None when it does not say."""

    @property
    def path(self) -> str:
        """Path of the URL, which a refreshed link to the same object keeps."""
        return urlsplit(self.url).path

    @property
    def source(self) -> str:
        """The URL without its secret: scheme, host and path."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"


def parse_links(text: str) -> dict[str, Link]:
    """Read the rows `sa_NNNNNN.tar<TAB>URL`, in any order; every other row is passed over.

    A shard named twice keeps the link that expires last, so old and new files may be joined. URLs
    that were escaped for HTML or JSON, or encoded twice, are mended.

    Raises PermanentError if there is no such row, or one has no usable URL.
    """
    links: dict[str, Link] = {}
    for number, words in _rows(text):
        name = _ARCHIVE_NAME.fullmatch(words[0])
        if name is None:
            continue
        link = _link(name[1], words[1] if len(words) > 1 else "")
        if link is None:
            raise PermanentError(
                f"line {number} of the links file has no http(s) URL for {words[0]}; "
                "expected the name, a tab and the URL"
            )
        known = links.get(link.shard)
        if known is None or _expiry(link) >= _expiry(known):
            links[link.shard] = link
    if not links:
        raise PermanentError(
            "the links file names no archive such as sa_000000.tar; it must be the tab-separated "
            f"text file, not the page around it: {_HOW_TO_GET_LINKS}"
        )
    return links


def read_links(store: Store, location: str) -> dict[str, Link]:
    """Read the links file.

    Args:
        store: for a location `store:<key>`.
        location: local path, `store:<key>`, or `-` for standard input.

    Raises PermanentError if it cannot be read, or names no archive.
    """
    return parse_links(_read_text(store, location, "links file"))


def require_fresh(link: Link, now: dt.datetime, margin: dt.timedelta) -> None:
    """Raise PermanentError unless the link lives at least `margin` longer than `now`."""
    if link.expires_at is None or now + margin < link.expires_at:
        return
    verb = "expired" if link.expires_at <= now else "expires too soon,"
    raise PermanentError(
        f"the link of {link.shard} {verb} at {link.expires_at:%Y-%m-%d %H:%M} UTC: "
        f"{_HOW_TO_GET_LINKS}"
    )


def read_md5_list(store: Store, location: str) -> dict[str, str]:
    """Read expected MD5s per shard, in lower case, from a list as `md5sum` writes it.

    Args:
        store: for a location `store:<key>`.
        location: local path, or `store:<key>`.

    Raises PermanentError if no line has the form `<32 hexadecimal digits>  sa_NNNNNN.tar`.
    """
    expected: dict[str, str] = {}
    for _, words in _rows(_read_text(store, location, "MD5 list")):
        name = _ARCHIVE_NAME.fullmatch(words[-1].lstrip("*"))
        if name is not None and _MD5.fullmatch(words[0]):
            expected[name[1]] = words[0].lower()
    if not expected:
        raise PermanentError(
            f"MD5 list {location} has no line such as <32 hexadecimal digits>  sa_000000.tar"
        )
    return expected


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and words of every line that is not blank."""
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")), start=1):
        words = [word.strip('"') for word in line.split()]
        if words:
            yield number, words


def _read_text(store: Store, location: str, what: str) -> str:
    key = location.removeprefix("store:")
    if key != location:
        data = store.read(key)
    elif location == "-":
        data = sys.stdin.buffer.read()
    elif location.startswith("connection:"):
        raise PermanentError(
            f"only Airflow can read {location}; give --links with a path, store:<key> or -"
        )
    else:
        try:
            data = Path(location).read_bytes()
        except OSError as error:
            raise PermanentError(f"cannot read the {what} {location}: {error.strerror}") from None
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if wide else "utf-8")
    except UnicodeDecodeError:
        encoding = "UTF-16" if wide else "UTF-8"
    raise PermanentError(f"the {what} {location} is not {encoding} text; download it again")


def _link(shard: str, url: str) -> Link | None:
    url = _mended(url)
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return Link(shard, url, _signature_end(parts.query))


def _mended(url: str) -> str:
    """The URL without what pages, JSON and spreadsheets do to one on its way."""
    url = url.strip("<>\"'").replace("\\/", "/").replace("\\u0026", "&")
    while (plain := _ESCAPED_AMPERSAND.sub("&", url)) != url:
        url = plain
    while re.match(r"https?%(25)*3a", url, re.IGNORECASE):  # encoded as a whole
        url = unquote(url)
    if "?" not in url and "%3f" in url.lower() and "=" not in url:  # encoded but for its start
        url = unquote(url)
    while (plain := _ENCODED_TWICE.sub("%", url)) != url:
        url = plain
    return url


_ESCAPED_AMPERSAND = re.compile(r"&(?:amp|#0*38|#x0*26);", re.IGNORECASE)
_ENCODED_TWICE = re.compile(r"%25(?=(?:25)*[0-9A-Fa-f]{2})")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # validated only when read
    except ValueError:
        return None
    return parts


def _signature_end(query: str) -> dt.datetime | None:
    """Expiry from Meta's `oe` parameter: Unix time in hexadecimal."""
    digits = parse_qs(query).get("oe", [""])[0]
    if not re.fullmatch(r"[0-9a-fA-F]{1,9}", digits):
        return None
    return dt.datetime.fromtimestamp(int(digits, 16), dt.UTC)


def _expiry(link: Link) -> dt.datetime:
    return link.expires_at or dt.datetime.max.replace(tzinfo=dt.UTC)
