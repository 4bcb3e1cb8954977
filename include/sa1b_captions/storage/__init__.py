"""The object store: one small interface over a local folder and S3.

A write is all or nothing on both: a reader sees the old object or the whole new one. Keys are
relative, use `/`, and every key's content is a function of inputs and recipe, so two writers of
one key write the same thing and no lock is needed.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from sa1b_captions.errors import SettingsError
from sa1b_captions.settings import Settings
from sa1b_captions.storage.files import FileStore
from sa1b_captions.storage.s3 import S3Store
from sa1b_captions.storage.store import ABANDONED_S, Store, Writer


def open_store(settings: Settings) -> Store:
    """Open the store that `CAPTIONS_ROOT` names."""
    return open_store_url(settings.captions_root, settings.s3_endpoint_url)


def open_store_url(url: str, s3_endpoint_url: str | None = None) -> Store:
    """Open `file:///path` or `s3://bucket/prefix`. Raises SettingsError if the URL is neither."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FileStore(Path(unquote(parts.path)))
    if parts.scheme == "s3":
        return S3Store(parts.netloc, parts.path.strip("/"), s3_endpoint_url)
    raise SettingsError(f"{url!r} is not a store; write file:///path or s3://bucket/prefix")
