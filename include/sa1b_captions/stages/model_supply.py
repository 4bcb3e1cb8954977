"""The model of a recipe from its hub: locked from the hub's own list, and fetched once.

The hub names the SHA-256 of every large file and the git hash of every small one. What it sends is
compared with that, whatever its client did.
"""

import contextlib
import hashlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sa1b_captions.caption.engines.lmdeploy.config import find_snapshot
from sa1b_captions.errors import CaptioningError, PermanentError, RetryableError
from sa1b_captions.recipe import Model
from sa1b_captions.recipe.model_files import lock_beside, lock_folder, replace_file, require_locked
from sa1b_captions.recipe.model_lock import LockedFile, ModelLock, is_of_model, render_lock
from sa1b_captions.release.hubs.hub import git_sha1

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

_log = logging.getLogger(__name__)
_BUSY = (408, 425, 429)


def lock_snapshot(model: Model, path: str | None) -> ModelLock:
    """The lock of a model as it is in a folder. Raises as `find_snapshot` and `lock_folder`."""
    snapshot = find_snapshot(model, path)
    return lock_folder(snapshot.path, model.id, snapshot.revision)


def lock_from_hub(model: Model) -> ModelLock:
    """The lock of a model as the hub has it; only small files are fetched for that.

    Raises:
        PermanentError: the client is not installed, or there is no such model or revision.
        RetryableError: the hub cannot be reached, is busy, or sent other bytes than it lists.
    """
    api = _client()
    with _errors(model):
        commit = str(api.model_info(model.id, revision=model.revision).sha)
        entries = api.list_repo_tree(model.id, revision=commit, recursive=True)
        listed: list[Any] = [one for one in entries if hasattr(one, "blob_id")]
        files = {
            one.path: _locked(api, model, commit, one) for one in listed if is_of_model(one.path)
        }
    if not files:
        raise PermanentError(f"{model.id} of revision {commit} has no files")
    return ModelLock(model.id, commit, files)


def fetch_model(model: Model, lock: ModelLock | None, cache: Path | None) -> tuple[Path, ModelLock]:
    """Fetch a model into the hub client's cache, unless it is there, and hash every file.

    Files that are not what is locked are deleted, for the client would keep them.

    Args:
        lock: what it must be; None takes the hub's own list.
        cache: folder of the cache; None for the one that HF_HOME names.

    Returns:
        The model's folder, and the lock, which also lies beside it.

    Raises:
        PermanentError: there is no such model, or the hub has other files than are locked.
        RetryableError: the hub cannot be reached or is busy, or what came is damaged.
    """
    api = _client()
    if lock is not None and lock.model != model.id:
        raise PermanentError(f"the lock is of {lock.model}, and the recipe asks for {model.id}")
    lock = lock or lock_from_hub(model)
    with _errors(model):
        folder = Path(api.snapshot_download(model.id, revision=lock.revision, cache_dir=cache))
    try:
        require_locked(folder, lock)
    except PermanentError as error:
        if dropped := _drop_damaged(folder, lock):
            raise RetryableError(
                f"{error}. Deleted {', '.join(dropped)}: run the same command again"
            ) from None
        raise
    replace_file(lock_beside(folder), render_lock(lock))
    return folder, lock


def _drop_damaged(folder: Path, lock: ModelLock) -> list[str]:
    found = lock_folder(folder, lock.model, lock.revision).files
    damaged = [name for name, file in found.items() if lock.files.get(name, file) != file]
    for name in damaged:
        (folder / name).resolve().unlink(missing_ok=True)
        (folder / name).unlink(missing_ok=True)
    return damaged


def _locked(api: "HfApi", model: Model, commit: str, entry: "RepoFile") -> LockedFile:
    """What a file is known by, from the hub's list; small files are kept in git, and read."""
    if entry.lfs is not None:
        return LockedFile(entry.lfs.size, entry.lfs.sha256)
    with tempfile.TemporaryDirectory() as folder:
        path = api.hf_hub_download(model.id, entry.path, revision=commit, local_dir=folder)
        data = Path(path).read_bytes()
    if git_sha1(data) != entry.blob_id:
        raise RetryableError(f"the hub sent other bytes of {entry.path} than it lists")
    return LockedFile(len(data), hashlib.sha256(data).hexdigest())


def _client() -> "HfApi":
    try:
        from huggingface_hub import HfApi, utils
    except ImportError:
        raise PermanentError(
            "fetching a model needs huggingface_hub: pip install 'sa1b-captions[hf]'"
        ) from None
    utils.disable_progress_bars()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it names signed addresses
    return HfApi()


@contextlib.contextmanager
def _errors(model: Model) -> Iterator[None]:
    """Turn the client's errors into ours, without addresses, which are signed."""
    from httpx2 import TransportError
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    what = f"{model.id} of revision {model.revision}"
    try:
        yield
    except CaptioningError:
        raise
    except HfHubHTTPError as error:
        status = error.response.status_code
        said = f"the hub answered {status} {error.server_message or ''}".rstrip()
        if status >= 500 or status in _BUSY:
            raise RetryableError(f"{what} cannot be fetched now: {said}") from None
        raise PermanentError(
            f"{what} cannot be fetched: {said}; check [model] of the recipe, and HF_TOKEN where "
            "the model asks for a login"
        ) from None
    except (TransportError, LocalEntryNotFoundError, OSError) as error:
        raise RetryableError(f"{what} cannot be fetched now: {type(error).__name__}") from None
