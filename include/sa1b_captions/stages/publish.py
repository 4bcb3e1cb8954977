"""The publish stage: a release of the store into a repository of a hub.

Nothing goes that is not verified right before, and nothing goes at all unless that is asked for:
by default only a plan is made. A repository that has the release already is left as it is.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sa1b_captions import layout
from sa1b_captions.errors import MissingKeyError, PermanentError, RetryableError
from sa1b_captions.release.hubs.hub import HUBS, Destination, Hub, Outgoing, Remote
from sa1b_captions.release.hubs.staging import Staging
from sa1b_captions.release.manifest import Manifest, read_manifest
from sa1b_captions.release.signature import SIGNATURE
from sa1b_captions.release.verify import hash_file, verify_release
from sa1b_captions.storage import Store

_log = logging.getLogger(__name__)
_SHOWN = 5


def open_hub(destination: Destination, token: str | None) -> Hub:
    """A repository by its hub's official client."""
    if destination.scheme == "hf":
        from sa1b_captions.release.hubs.hugging_face import HuggingFace

        return HuggingFace(destination, token)
    from sa1b_captions.release.hubs.model_scope import ModelScope

    return ModelScope(destination, token)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a repository lacks of a release, and has too much."""

    send: list[Outgoing]
    remove: list[str]
    """Files of the version that the repository holds, which the release does not have."""
    strangers: list[str]
    """Other files, which stay."""
    holds: str | None
    """Version that the repository holds."""


def publish_release(
    store: Store,
    version: str,
    destination: Destination,
    token: str | None,
    *,
    dry_run: bool = True,
) -> dict[str, Any]:
    """Bring a repository to hold a release, and nothing else of another version.

    Args:
        token: of the hub; None where none is needed to look.
        dry_run: look only, and say what would go.

    Returns:
        What goes or went where, in files and bytes.

    Raises:
        PermanentError: the release differs from its manifest, the repository holds a newer one, or
            the hub refuses.
        RetryableError: store or hub failed; the same call goes on where it was.
    """
    files, manifest = _verified(store, version)
    hub = open_hub(destination, token)
    with Staging(store, layout.release_prefix(version), files) as staging:
        plan = _plan(hub, files, manifest, staging.read)
        result = _result(hub, version, destination, plan, files)
        if dry_run or not (plan.send or plan.remove):
            return result | {"dry_run": dry_run, "up_to_date": not (plan.send or plan.remove)}
        if token is None:
            raise PermanentError(
                f"writing at {HUBS[destination.scheme]} needs a token: set CAPTIONS_PUBLISH_TOKEN "
                "or CAPTIONS_PUBLISH_TOKEN_FILE"
            )
        _log.info("publishing %s at %s", version, destination)
        hub.send(plan.send, staging, plan.remove, f"{manifest.title} {version}")
        wrong = _wrong(hub.files() or {}, files, staging.read, untold=True)
    if wrong:
        raise RetryableError(
            f"{destination} holds other bytes of {', '.join(wrong[:_SHOWN])} than were sent; "
            "publish again"
        )
    return result | {"dry_run": False, "up_to_date": False}


def _verified(store: Store, version: str) -> tuple[dict[str, Outgoing], Manifest]:
    """The release's files by name, all as the manifest says."""
    differences = verify_release(store, version)
    manifest = read_manifest(store, version)
    if differences or manifest is None:
        raise PermanentError(
            f"release {version} differs from its manifest, so nothing of it is published: "
            + "; ".join(differences[:_SHOWN])
        )
    files = [
        # Hubs want a digest of the whole, which a file that the store put together has not.
        Outgoing(file.name, file.bytes, file.sha256 or hash_file(store, version, file))
        for file in manifest.files
    ]
    for name in (layout.MANIFEST, SIGNATURE):
        try:
            data = store.read(layout.release_key(version, name))
            files.append(Outgoing(name, len(data), hashlib.sha256(data).hexdigest()))
        except MissingKeyError:
            _log.info("release %s is not signed", version)
    return {file.name: file for file in files}, manifest


def _plan(
    hub: Hub,
    files: Mapping[str, Outgoing],
    manifest: Manifest,
    read: Callable[[str], bytes],
) -> Plan:
    there = hub.files() or {}
    held = _held(hub, there)
    if held and held["number"] > manifest.number and held["version"] != manifest.version:
        raise PermanentError(
            f"the repository holds {held['version']}, which is newer than {manifest.version}; "
            "publish that, or name another branch, as in hf://owner/name@branch"
        )
    # What hubs make themselves is hidden, as .gitattributes is.
    others = [name for name in there if name not in files and not name.startswith(".")]
    known = {file["name"] for file in held.get("files", ())} | {layout.MANIFEST, SIGNATURE}
    return Plan(
        send=[files[name] for name in _wrong(there, files, read, untold=False)],
        remove=[name for name in others if name in known],
        strangers=[name for name in others if name not in known],
        holds=held.get("version"),
    )


def _held(hub: Hub, there: Mapping[str, Remote]) -> dict[str, Any]:
    """Manifest of the release that the repository holds; empty if it holds none."""
    if layout.MANIFEST not in there:
        return {}
    data = hub.read(layout.MANIFEST)
    try:
        found = json.loads(data)
        layout.release_prefix(found["version"])  # people are shown it, so it must be a plain name
        return {
            "version": found["version"],
            "number": int(found.get("number", 0)),
            "files": [{"name": str(file["name"])} for file in found["files"]],
        }
    except (PermanentError, ValueError, TypeError, KeyError):
        return {}  # somebody else's file of that name


def _wrong(
    there: Mapping[str, Remote],
    files: Mapping[str, Outgoing],
    read: Callable[[str], bytes],
    *,
    untold: bool,
) -> list[str]:
    """Names of files that the repository lacks, or has with other bytes."""
    return [
        name
        for name, file in files.items()
        if name not in there or not there[name].has(file, read, untold=untold)
    ]


def _result(
    hub: Hub, version: str, destination: Destination, plan: Plan, files: Mapping[str, Outgoing]
) -> dict[str, Any]:
    return {
        "stage": "publish",
        "version": version,
        "to": str(destination),
        "url": hub.url,
        "holds": plan.holds,
        "files": len(files),
        "bytes": sum(file.size_bytes for file in files.values()),
        "send_files": len(plan.send),
        "send_bytes": sum(file.size_bytes for file in plan.send),
        "send": [file.name for file in plan.send],
        "remove": plan.remove,
        "leave": plan.strangers,
    }
