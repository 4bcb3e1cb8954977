"""The manifest: what a release is made of, written last.

A release exists when its manifest does. `releases/LATEST` names the newest one.
"""

import contextlib
from dataclasses import asdict, dataclass, field

from sa1b_captions import checked_json, layout
from sa1b_captions.errors import MissingKeyError, PermanentError
from sa1b_captions.storage import Store
from sa1b_captions.typed_json import build

SUMS = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """One file of a release."""

    name: str
    """Relative to the release's folder."""
    rows: int | None
    """None for a file that is not a table."""
    bytes: int
    sha256: str | None
    """Hexadecimal; None of a file that the store put together, which its pieces prove."""


@dataclass(frozen=True, slots=True)
class TrackTotals:
    """What became of one track's samples: planned = rows + rejected + duplicates + trimmed."""

    planned: int
    accepted: int
    """By the rules, before captions that repeat another shard's were left out."""
    rejected: int
    duplicates: int
    """Accepted captions left out because they share much of another shard's caption."""
    rows: int
    """Published: accepted - duplicates - trimmed."""
    reasons: dict[str, int]
    """Unpublished samples by reason; a sample may have several reasons."""
    engines: list[str]
    """Engines of the published rows, ascending."""
    model_revisions: list[str]
    """Model revisions of the published rows, ascending."""
    trimmed: int = 0
    """Accepted captions left out because the recipe wants no more than its target."""
    retried: int = 0
    """Published rows that are not from the first try."""
    near_duplicates: int = 0
    """Unpublished samples whose caption is like another's, not word for word the same."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A release."""

    version: str
    title: str
    campaign: str
    recipe: str
    """Name of the recipe; the whole of it is the release's `recipe.json`."""
    recipe_fingerprint: str
    model: str
    """What every published caption comes from."""
    rows: dict[str, int]
    """Rows of each published JSONL file."""
    files: list[ReleaseFile]
    """All files but the manifest itself, by name."""
    shards: list[str]
    tracks: dict[str, TrackTotals]
    verdict: str
    """Of the release's validation: `pass`, or `warn` when a person accepted the warnings."""
    input: str
    """Digest of the recipe, all receipts the release was made from, and the verdict."""
    created_at: str
    """ISO 8601, UTC, to the millisecond."""
    software: str
    run_id: str | None
    missing_shards: list[str] = field(default_factory=list)
    """Shards of the recipe that a partial release leaves out."""
    merkle_root: str | None = None
    """Over the pieces of `pieces.csv`, hexadecimal; releases of version 0.2.0 have none."""
    worker_images: list[str] = field(default_factory=list)
    """Container images that captioned, ascending; none of what was captioned in no pod."""
    number: int = 0
    """Above that of every release made before it, which orders releases: clocks jump."""

    @property
    def rejected(self) -> dict[str, int]:
        """Unpublished samples of all tracks by reason, most frequent first."""
        sums: dict[str, int] = {}
        for track in self.tracks.values():
            for reason, rows in track.reasons.items():
                sums[reason] = sums.get(reason, 0) + rows
        return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def read_manifest(store: Store, version: str) -> Manifest | None:
    """Manifest of a release; None when there is no finished release of that version.

    Raises PermanentError: what is stored is no manifest.
    """
    return read_manifest_at(store, layout.manifest_key(version))


def read_manifest_at(store: Store, key: str) -> Manifest | None:
    """As `read_manifest`, of a release that lies anywhere."""
    try:
        return build(Manifest, checked_json.parse(store.read(key)))
    except MissingKeyError:
        return None
    except ValueError as error:
        raise PermanentError(
            f"{store.locate(key)} is not a release's manifest: {error}; restore it from a copy of "
            "the release, or leave this version as it is and choose a new one"
        ) from None


def write_manifest(store: Store, manifest: Manifest) -> None:
    """Make the release exist. Call this after everything the manifest names is written."""
    store.write(layout.manifest_key(manifest.version), checked_json.render(asdict(manifest)))


def latest_version(store: Store) -> str | None:
    """Version of the newest release; None when there is none.

    Raises PermanentError: the pointer names no release, or one whose manifest is gone.
    """
    version = pointed_version(store)
    # Its manifest is written before the pointer.
    if version is not None and not store.exists(key := layout.manifest_key(version)):
        raise PermanentError(
            f"{store.locate(layout.latest_key())} names {version}, and {key} is gone; restore it "
            "from a copy of the release, or delete the pointer, which the next export writes anew"
        )
    return version


def pointed_version(store: Store) -> str | None:
    """What `releases/LATEST` says, whether there is such a release or it was deleted.

    Raises as `latest_version` does, of what names no release at all.
    """
    try:
        version = store.read(layout.latest_key()).decode().strip()
        layout.release_prefix(version)
    except MissingKeyError:
        return None
    except (UnicodeDecodeError, PermanentError):
        raise PermanentError(
            f"{store.locate(layout.latest_key())} is damaged: it names no release; delete it, and "
            "the next export or an export of the newest version writes it anew"
        ) from None
    return version


def next_number(store: Store) -> int:
    """Number of the next release: above that of every finished one."""
    prefix = layout.releases_prefix()
    keys = (key.removeprefix(prefix).split("/") for key in store.list(prefix))
    numbers = [0]
    for version in (key[0] for key in keys if key[1:] == [layout.MANIFEST]):
        with contextlib.suppress(PermanentError):  # whoever wants that release is told
            manifest = read_manifest(store, version)
            numbers.append(manifest.number if manifest else 0)
    return max(numbers) + 1


def point_latest(store: Store, manifest: Manifest) -> None:
    """Make `releases/LATEST` name this release unless it names a newer one."""
    version = pointed_version(store)
    newest = read_manifest(store, version) if version else None
    if newest is None or newest.number < manifest.number:
        store.write(layout.latest_key(), f"{manifest.version}\n".encode())
