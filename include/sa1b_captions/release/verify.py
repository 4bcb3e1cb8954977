"""Checks of a release against its manifest, wherever the release is: a store, a folder, a download.

What it shows is that the files are those that the manifest names. Who wrote the manifest, only a
signature shows.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence

from sa1b_captions import layout
from sa1b_captions.errors import MissingKeyError, PermanentError
from sa1b_captions.release.manifest import (
    Manifest,
    ReleaseFile,
    latest_version,
    read_manifest_at,
)
from sa1b_captions.release.pieces import PIECES, Piece, merkle_root, parse_pieces
from sa1b_captions.release.signature import SIGNATURE
from sa1b_captions.storage import Store

READ_BYTES = 16 * 1024 * 1024
"""What is held of a file at a time."""
_SMALL_BYTES = 128 * 1024
"""Up to here a file is hashed again where all must be quick: card, manifest, notes, sums."""
_SHOWN = 5
"""Damaged pieces of a file that are named."""


def verify_release(store: Store, version: str, shard: str | None = None) -> list[str]:
    """Check a release of a store. As `verify_folder`, which see."""
    if not store.exists(layout.manifest_key(version)):
        latest = latest_version(store)
        there_is = f"the latest is {latest}" if latest else "there is none yet; run export"
        raise PermanentError(f"{store.url} has no release {version}; {there_is}")
    return verify_folder(store, layout.release_prefix(version), shard)


def require_files(store: Store, manifest: Manifest) -> None:
    """Make sure that a release is all there: every file, down to its last byte.

    The small files are hashed again. What the bytes of the large ones are was hashed while they
    were written, and `verify_release` hashes them again.

    Raises PermanentError naming a file that is missing, too short or damaged.
    """
    prefix = layout.release_prefix(manifest.version)
    for file in manifest.files:
        if difference := _difference_at_a_glance(store, prefix, file):
            raise PermanentError(
                f"release {manifest.version} is damaged: {difference}; restore the file from a "
                f"copy of the release and run sa1b-captions verify --version {manifest.version}, "
                "or leave this version as it is and export a new one, with --version"
            )


def _difference_at_a_glance(store: Store, prefix: str, file: ReleaseFile) -> str | None:
    if file.sha256 is not None and file.bytes <= _SMALL_BYTES:
        return _difference(store, prefix, file, [])
    key = prefix + file.name
    try:
        if file.bytes:
            store.read_range(key, file.bytes - 1, 1)
        elif not store.exists(key):
            return f"{key} is missing"
    except MissingKeyError:
        return f"{key} is missing"
    except PermanentError:
        return f"{key} is shorter than {file.bytes} bytes, or cannot be read"
    return None


def verify_folder(store: Store, prefix: str = "", shard: str | None = None) -> list[str]:
    """Hash a release's files again.

    Args:
        prefix: of its folder, with a final slash; empty if the store is the folder.
        shard: check the lines of this one in the JSONL files, and nothing else.

    Returns:
        One sentence for each difference from the manifest; empty when there is none.

    Raises PermanentError: there is no release, or none that says what its pieces are.
    """
    manifest = read_manifest_at(store, prefix + layout.MANIFEST)
    if manifest is None:
        raise PermanentError(
            f"{store.locate(prefix + layout.MANIFEST)} is missing; name the folder that holds it"
        )
    pieces, problem = _read_pieces(store, prefix, manifest)
    if shard is not None:
        return _verify_shard(store, prefix, pieces, problem, shard)
    by_file: dict[str, list[Piece]] = defaultdict(list)
    for piece in pieces:
        by_file[piece.file].append(piece)
    differences = [
        difference
        for file in manifest.files
        if (difference := _difference(store, prefix, file, by_file.get(file.name, [])))
    ]
    if problem and not any(PIECES in difference for difference in differences):
        differences.append(problem)
    return differences + _extra(store, prefix, manifest)


def _read_pieces(store: Store, prefix: str, manifest: Manifest) -> tuple[list[Piece], str]:
    """The pieces if they are those of the manifest, else why they are not."""
    if manifest.merkle_root is None:
        return [], ""
    try:
        pieces = parse_pieces(store.read(prefix + PIECES).decode())
    except MissingKeyError:
        return [], f"{prefix}{PIECES} is missing"
    except UnicodeDecodeError:
        return [], f"{prefix}{PIECES} cannot be read: it is no text in UTF-8"
    except ValueError as error:
        return [], f"{prefix}{PIECES} cannot be read: {error}"
    if merkle_root(pieces) != manifest.merkle_root:
        return [], f"{prefix}{PIECES} does not fit the Merkle root {manifest.merkle_root}"
    return pieces, ""


def _verify_shard(
    store: Store, prefix: str, pieces: Sequence[Piece], problem: str, shard: str
) -> list[str]:
    mine = [piece for piece in pieces if piece.shard == shard]
    if problem:
        return [problem]
    if not mine:
        raise PermanentError(
            f"{store.locate(prefix + PIECES)} has no lines of {shard}; leave the shard out to "
            "check the whole release"
        )
    return [
        f"{prefix}{piece.file}: {piece.describe()} are damaged"
        for piece in mine
        if not _whole(store, prefix, piece)
    ]


def _extra(store: Store, prefix: str, manifest: Manifest) -> list[str]:
    """Files that do not belong to the release; what clients keep in hidden ones passes."""
    expected = {layout.MANIFEST, SIGNATURE, *(file.name for file in manifest.files)}
    names = (key.removeprefix(prefix) for key in store.list(prefix))
    return [
        f"{prefix}{name} is not in the manifest"
        for name in names
        if name not in expected and not name.startswith(".")
    ]


def _difference(
    store: Store, prefix: str, file: ReleaseFile, pieces: Sequence[Piece]
) -> str | None:
    key = prefix + file.name
    if file.sha256 is None:
        return _difference_of_pieces(store, prefix, file, pieces)
    digest = hashlib.sha256()
    try:
        for part in _parts(store, key, 0, file.bytes):
            digest.update(part)
        longer = _goes_on(store, key, file.bytes)
    except MissingKeyError:
        return f"{key} is missing"
    except PermanentError:
        return f"{key} is shorter than {file.bytes} bytes, or cannot be read" + _damaged(
            store, prefix, pieces
        )
    if digest.hexdigest() != file.sha256:
        return (
            f"{key} has other bytes: SHA-256 {digest.hexdigest()}, expected {file.sha256}"
            + _damaged(store, prefix, pieces)
        )
    return f"{key} is longer than {file.bytes} bytes" if longer else None


def _difference_of_pieces(
    store: Store, prefix: str, file: ReleaseFile, pieces: Sequence[Piece]
) -> str | None:
    """As `_difference`, of a file that was put together: every byte is in a piece with a digest."""
    key = prefix + file.name
    end = 0
    for piece in pieces:
        if piece.offset != end:
            break
        end += piece.bytes
    if end != file.bytes:
        return f"{key} cannot be checked: its pieces do not cover its {file.bytes} bytes"
    try:
        longer = _goes_on(store, key, file.bytes)
    except MissingKeyError:
        return f"{key} is missing"
    if damaged := _damaged(store, prefix, pieces):
        return f"{key} has other bytes{damaged}"
    return f"{key} is longer than {file.bytes} bytes" if longer else None


def _damaged(store: Store, prefix: str, pieces: Sequence[Piece]) -> str:
    found = [piece.describe() for piece in pieces if not _whole(store, prefix, piece)]
    if not found:
        return ""
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"; damaged: {', '.join(found[:_SHOWN])}{more}"


def _whole(store: Store, prefix: str, piece: Piece) -> bool:
    digest = hashlib.sha256()
    try:
        for part in _parts(store, prefix + piece.file, piece.offset, piece.bytes):
            digest.update(part)
    except PermanentError:
        return False
    return digest.hexdigest() == piece.sha256


def hash_file(store: Store, version: str, file: ReleaseFile) -> str:
    """SHA-256 of a release's file, hexadecimal. Raises as `verify_folder` and RetryableError."""
    digest = hashlib.sha256()
    for part in _parts(store, layout.release_key(version, file.name), 0, file.bytes):
        digest.update(part)
    return digest.hexdigest()


def _goes_on(store: Store, key: str, size: int) -> bool:
    """Whether an object has a byte past `size`; stores refuse a range past the end."""
    try:
        return bool(store.read_range(key, size, 1))
    except MissingKeyError:
        raise
    except PermanentError:
        return False


def _parts(store: Store, key: str, start: int, size: int) -> Iterator[bytes]:
    for offset in range(start, start + size, READ_BYTES):
        yield store.read_range(key, offset, min(READ_BYTES, start + size - offset))
