"""ModelScope's hub, by `modelscope_hub`, the client that the package modelscope is made of.

Each file is a commit of its own, the manifest the last: until it is there, the repository holds no
whole release of the new version. Files that are there already are not sent again.
"""

import contextlib
import logging
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from sa1b_captions import layout
from sa1b_captions.errors import CaptioningError, PermanentError, RetryableError
from sa1b_captions.release.hubs.hub import Destination, Local, Outgoing, Remote

_REPO_TYPE = "dataset"


class ModelScope:
    """A dataset repository of the hub."""

    def __init__(self, destination: Destination, token: str | None) -> None:
        """Open it with a token; without one, only what is public can be looked at.

        The client reads `MODELSCOPE_ENDPOINT` and its other variables itself.

        Raises PermanentError: the client is not installed.
        """
        self._destination = destination
        self._revision = destination.revision or "master"
        try:
            from modelscope_hub import HubApi
            from modelscope_hub.config import HubConfig
        except ImportError:
            raise PermanentError(
                "publishing at modelscope:// needs modelscope_hub: pip install "
                "'sa1b-captions[modelscope]'"
            ) from None
        # An empty token keeps the client from one that a login has stored.
        # Its warnings name the addresses of uploads, which are signed.
        logging.getLogger("modelscope_hub").setLevel(logging.ERROR)
        self._api = HubApi(HubConfig(token=token or ""))

    @property
    def url(self) -> str:
        """Page of the repository."""
        return f"{self._api.legacy.endpoint}/datasets/{self._destination.repository}"

    def files(self) -> Mapping[str, Remote] | None:
        """What the repository holds."""
        from modelscope_hub.errors import NotExistError

        with self._errors("looked at"):
            try:
                entries = self._api.list_repo_files(
                    self._destination.repository, _REPO_TYPE, revision=self._revision
                )
            except NotExistError:
                return None
        return {
            entry.path: Remote(entry.size, sha256=entry.sha256)
            for entry in entries
            if entry.type != "tree"
        }

    def read(self, name: str) -> bytes:
        """A small file of it."""
        with self._errors("read"), tempfile.TemporaryDirectory() as folder:
            path = self._api.download_file(
                self._destination.repository,
                _REPO_TYPE,
                name,
                revision=self._revision,
                local_dir=folder,
            )
            return Path(path).read_bytes()

    def send(
        self, files: Sequence[Outgoing], local: Local, remove: Collection[str], message: str
    ) -> None:
        """Send files, each with a commit of its own, the manifest last."""
        from modelscope_hub.errors import AlreadyExistsError

        repository = self._destination.repository
        with self._errors("written"), contextlib.suppress(AlreadyExistsError):
            self._api.create_repo(repository, _REPO_TYPE, visibility="private", license="other")
        for file in sorted(files, key=lambda file: (file.name == layout.MANIFEST, file.name)):
            with self._errors(f"given {file.name}"):
                self._api.upload_file(
                    repository,
                    _REPO_TYPE,
                    str(local.path(file.name)),
                    file.name,
                    commit_message=message,
                    revision=self._revision,
                    disable_tqdm=True,
                )
            local.done(file.name)
        if remove:
            with self._errors("written"):
                self._api.delete_files(
                    repository,
                    _REPO_TYPE,
                    sorted(remove),
                    commit_message=message,
                    revision=self._revision,
                )

    @contextlib.contextmanager
    def _errors(self, done: str) -> Iterator[None]:
        """Turn the client's errors into ours, and its prints to standard error."""
        from modelscope_hub.errors import (
            AlreadyExistsError,
            HubError,
            NetworkError,
            NotExistError,
        )

        what = f"{self._destination} cannot be {done}"
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield
        except (CaptioningError, AlreadyExistsError):
            raise
        except NetworkError as error:  # its message may name the address of an upload
            raise RetryableError(f"{what} now: {type(error).__name__}") from None
        except HubError as error:
            said = " ".join(error.message.split())
            if error.retryable:
                raise RetryableError(f"{what} now: {said}") from None
            if isinstance(error, NotExistError) or getattr(error, "status_code", 0) in (401, 403):
                said += "; set CAPTIONS_PUBLISH_TOKEN to a token that may write there"
            raise PermanentError(f"{what}: {said}") from None
        except OSError as error:
            raise RetryableError(f"{what} now: {type(error).__name__}") from None
