"""The HTTP client of downloads: how long it waits, and what it does not log."""

import functools
import logging
from dataclasses import dataclass

import httpx

from sa1b_captions.settings.network import naming_variables

_ssl_context = functools.cache(httpx.create_ssl_context)
"""Reads the certificates once: that takes 30 ms."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a download waits, and how often it asks again."""

    connect_timeout_s: float = 15.0
    stall_timeout_s: float = 60.0
    """A reply that brings no byte, or less than `min_bytes_per_s`, for this long is given up."""
    min_bytes_per_s: int = 4096
    attempts: int = 8
    """Requests in a row that may fail while bringing less than `progress_bytes`."""
    progress_bytes: int = 2**20
    backoff_s: float = 1.0
    """First pause; each further one doubles, up to `backoff_max_s`."""
    backoff_max_s: float = 60.0
    retry_after_max_s: float = 300.0
    """A server that asks for a longer pause ends the download with a RetryableError."""


def open_client(patience: Patience) -> httpx.Client:
    """HTTP client that follows redirects and asks for the bytes as they are stored."""
    with naming_variables("nothing can be downloaded"):
        return httpx.Client(
            # identity: the stored bytes, which the MD5 and the ranges count, are what is wanted.
            headers={"Accept-Encoding": "identity", "User-Agent": "sa1b-captions"},
            timeout=httpx.Timeout(patience.stall_timeout_s, connect=patience.connect_timeout_s),
            verify=_ssl_context(),
            follow_redirects=True,
            max_redirects=5,
        )


def silence_url_logs() -> None:
    """Drop what httpx logs about a normal request: it holds signed URLs.

    A filter, unlike a level, survives whoever configures logging later.
    """
    for name in ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "proxy"))):
        logging.getLogger(name).addFilter(_is_warning)


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING
