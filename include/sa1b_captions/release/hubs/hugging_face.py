"""Hugging Face's hub, by `huggingface_hub`.

Large files go first, one by one, and are kept by the hub under their SHA-256; then one commit names
all files. So nobody sees half a release, and what a killed run has sent is not sent again.
"""

import contextlib
import logging
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path

from sa1b_captions.errors import CaptioningError, PermanentError, RetryableError
from sa1b_captions.release.hubs.hub import Destination, Local, Outgoing, Remote

_REPO_TYPE = "dataset"
_XET_TOKEN = "/xet-write-token/"  # noqa: S105 (a part of addresses)
"""Where the client asks how to send by Xet, which the public hub has and others may not. It never
falls back by itself."""
_BUSY = (408, 409, 412, 423, 425, 429)
"""Answers after which another try may do; 409 and 412 are others' commits in between."""


class HuggingFace:
    """A dataset repository of the hub."""

    def __init__(self, destination: Destination, token: str | None) -> None:
        """Open it with a token; without one, only what is public can be looked at.

        The client reads `HF_ENDPOINT` and its other variables itself. A login that it has stored
        is not used.

        Raises PermanentError: the client is not installed.
        """
        self._destination = destination
        self._revision = destination.revision or "main"
        try:
            from huggingface_hub import HfApi, utils
        except ImportError:
            raise PermanentError(
                "publishing at hf:// needs huggingface_hub: pip install 'sa1b-captions[hf]'"
            ) from None
        utils.disable_progress_bars()
        # Its warnings name the addresses of uploads, which are signed.
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        self._api = HfApi(token=token or False)
        self._repository = destination.repository

    @property
    def url(self) -> str:
        """Page of the repository."""
        return f"{self._api.endpoint}/datasets/{self._repository}"

    def files(self) -> Mapping[str, Remote] | None:
        """What the repository holds."""
        from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError
        from huggingface_hub.hf_api import RepoFile

        with self._errors("looked at"):
            try:
                tree = list(
                    self._api.list_repo_tree(
                        self._repository,
                        repo_type=_REPO_TYPE,
                        revision=self._revision,
                        recursive=True,
                    )
                )
            except (RepositoryNotFoundError, RevisionNotFoundError):
                return None
        return {
            entry.path: Remote(
                entry.size,
                sha256=entry.lfs.sha256 if entry.lfs else None,
                git_sha1=None if entry.lfs else entry.blob_id,
            )
            for entry in tree
            if isinstance(entry, RepoFile)
        }

    def read(self, name: str) -> bytes:
        """A small file of it."""
        with self._errors("read"), tempfile.TemporaryDirectory() as folder:
            path = self._api.hf_hub_download(
                self._repository,
                name,
                repo_type=_REPO_TYPE,
                revision=self._revision,
                local_dir=folder,
            )
            return Path(path).read_bytes()

    def send(
        self, files: Sequence[Outgoing], local: Local, remove: Collection[str], message: str
    ) -> None:
        """Send files, then name them in one commit."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        with self._errors("written"):
            self._api.create_repo(
                self._repository, repo_type=_REPO_TYPE, private=True, exist_ok=True
            )
            if self._destination.revision is not None:
                self._api.create_branch(
                    self._repository,
                    repo_type=_REPO_TYPE,
                    branch=self._destination.revision,
                    exist_ok=True,
                )
        additions = []
        for file in files:
            addition = CommitOperationAdd(file.name, str(local.path(file.name)))
            with self._errors(f"given {file.name}"):
                self._api.preupload_lfs_files(
                    self._repository,
                    [addition],
                    repo_type=_REPO_TYPE,
                    revision=self._revision,
                )
            if addition.path_or_fileobj == b"":  # freed, for the hub has it
                local.done(file.name)
            additions.append(addition)
        with self._errors("written"):
            self._api.create_commit(
                self._repository,
                [*additions, *map(CommitOperationDelete, remove)],
                commit_message=message,
                repo_type=_REPO_TYPE,
                revision=self._revision,
            )

    @contextlib.contextmanager
    def _errors(self, done: str) -> Iterator[None]:
        """Turn the client's errors into ours, without addresses: those of uploads are secret."""
        try:
            yield
        except CaptioningError:
            raise
        except Exception as error:
            raise self._translate(error, done) from None

    def _translate(self, error: BaseException, done: str) -> CaptioningError:
        from httpx2 import TransportError
        from huggingface_hub.errors import HfHubHTTPError

        what = f"{self._destination} cannot be {done}"
        found = error
        while not isinstance(found, HfHubHTTPError | TransportError) and found.__cause__:
            found = found.__cause__
        if isinstance(found, HfHubHTTPError):
            status = found.response.status_code
            said = f"{status} {found.server_message or HTTPStatus(status).phrase}"
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _BUSY:
                return RetryableError(f"{what} now: the hub answered {said}")
            if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
                said += "; set CAPTIONS_PUBLISH_TOKEN to a token that may write there"
            return PermanentError(f"{what}: the hub answered {said}")
        if _XET_TOKEN in str(error):
            return RetryableError(
                f"{what} now: the hub did not say how to send by Xet; if it is none that has Xet, "
                "set HF_HUB_DISABLE_XET=1"
            )
        if isinstance(found, TransportError | OSError):
            return RetryableError(f"{what} now: {type(found).__name__}")
        return PermanentError(f"{what}: {' '.join(str(error).split())}")
