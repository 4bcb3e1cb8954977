"""Parsers of settings: the text of an environment variable becomes its value.

Each raises ValueError with what it expected.
"""

import contextlib
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit


def one_of(*choices: str) -> Callable[[str], str]:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"expected {', '.join(choices[:-1])} or {choices[-1]}")
        return text

    return parse


def whole_number(at_most: int | None = None) -> Callable[[str], int]:
    """A whole number of at least 1."""

    def parse(text: str) -> int:
        if not re.fullmatch("[0-9]+", text, re.ASCII) or int(text) < 1:
            raise ValueError("expected a whole number of at least 1")
        if at_most is not None and int(text) > at_most:
            raise ValueError(f"expected at most {at_most}")
        return int(text)

    return parse


def root(text: str) -> str:
    """URL of the store, without a slash at its end."""
    if not re.match(r"file:///.|s3://[^/@]+(/|$)", text):
        raise ValueError("expected file:///absolute/path or s3://bucket/prefix")
    return text.rstrip("/")


def name(text: str) -> str:
    """A name that is safe as a folder's and as an object key's."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", text):
        raise ValueError("expected letters, digits, dot, dash or underscore, at most 63")
    return text


def kubernetes_name(text: str) -> str:
    """A name that Kubernetes accepts for an object."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", text):
        raise ValueError("expected small letters, digits and dashes, at most 63")
    return text


def container_image(text: str) -> str:
    """A container image with a tag or digest that stays what it is."""
    last = text.rpartition("/")[2]
    if not re.search(r"(:[^@:]+|@sha256:[0-9a-f]{64})$", last) or last.endswith(":latest"):
        raise ValueError("expected an image with its tag or digest, and not latest")
    return text


def key(text: str) -> str:
    """A key that is sent in a header."""
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ValueError("expected printable ASCII characters without blanks")
    return text


def flag(text: str) -> bool:
    """`true` or `false`."""
    if text not in ("true", "false"):
        raise ValueError("expected true or false")
    return text == "true"


def share(text: str) -> float:
    """A number from 0 to 1."""
    with contextlib.suppress(ValueError):
        number = float(text)
        if 0 <= number <= 1:
            return number
    raise ValueError("expected a share from 0 to 1, for example 0.05")


def price(text: str) -> float:
    """An amount of money above zero."""
    with contextlib.suppress(ValueError):
        number = float(text)
        if 0 < number < float("inf"):
            return number
    raise ValueError("expected a number above 0, for example 2.49")


def urls(text: str) -> tuple[str, ...]:
    """Addresses of servers, separated by commas, none twice and none with a login."""
    found = tuple(url.strip().rstrip("/") for url in text.split(",") if url.strip())
    for url in found:
        parts = urlsplit(url)
        _ = parts.port  # validated only when read
        plain = not (parts.query or parts.fragment or "@" in parts.netloc)
        if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
            raise ValueError("expected URLs like http://host:23333/v1, separated by commas")
    if len(set(found)) != len(found):
        raise ValueError("a URL is given twice")
    return found


def url(text: str) -> str:
    """Address of one server, without a login."""
    found = urls(text)
    if len(found) != 1:
        raise ValueError("expected one URL")
    return found[0]


def options(text: str) -> dict[str, Any]:
    """A JSON object."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("expected a JSON object")
    return found


def listener(text: str) -> str:
    """Host and port of a server that listens for datagrams."""
    host, _, port = text.rpartition(":")
    if not re.fullmatch(r"[A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]", host) or not port.isdecimal():
        raise ValueError("expected host:port, for example airflow-statsd:9125")
    if not 1 <= int(port) <= 65535:
        raise ValueError("expected a port from 1 to 65535")
    return text


def connection(text: str) -> str:
    """Id of an Airflow connection."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,200}", text):
        raise ValueError("expected the id of an Airflow connection: letters, digits, _ . -")
    return text
