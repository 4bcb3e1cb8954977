"""Signatures: whoever holds a key says that a manifest, and so every file it names, is theirs.

A signature is 64 bytes of Ed25519 over `manifest.json`, beside it. It proves that the key's holder
signed exactly these files. It proves nothing about how the captions were made.
"""

from typing import Any

from sa1b_captions import layout
from sa1b_captions.errors import MissingKeyError, PermanentError
from sa1b_captions.release.manifest import read_manifest_at
from sa1b_captions.storage import Store

SIGNATURE = f"{layout.MANIFEST}.sig"


def sign_release(store: Store, prefix: str, private_key: bytes) -> None:
    """Write the signature of a finished release.

    Args:
        prefix: of its folder, with a final slash; empty if the store is the folder.
        private_key: Ed25519, PEM without a password.

    Raises PermanentError: there is no manifest, it is damaged, or this is no such key.
    """
    key = _load("load_pem_private_key", private_key, password=None)
    data = _manifest(store, prefix)
    read_manifest_at(store, prefix + layout.MANIFEST)
    store.write(prefix + SIGNATURE, key.sign(data))


def check_signature(store: Store, prefix: str, public_key: bytes) -> None:
    """Hold a release's signature against a public key.

    Args:
        prefix: as in `sign_release`.
        public_key: Ed25519, PEM.

    Raises PermanentError: it is not signed, or not by this key, or the manifest was changed since.
    """
    key = _load("load_pem_public_key", public_key)
    from cryptography.exceptions import InvalidSignature

    manifest = _manifest(store, prefix)
    try:
        key.verify(store.read(prefix + SIGNATURE), manifest)
    except MissingKeyError:
        raise PermanentError(
            f"{store.locate(prefix + SIGNATURE)} is missing; sign the release with sa1b-captions "
            "sign, or verify it without a key"
        ) from None
    except InvalidSignature:
        raise PermanentError(
            f"{store.locate(prefix + SIGNATURE)} is not this key's signature of the manifest; "
            "ask its signer for the key, or sign the release again with sa1b-captions sign"
        ) from None


def _manifest(store: Store, prefix: str) -> bytes:
    try:
        return store.read(prefix + layout.MANIFEST)
    except MissingKeyError:
        raise PermanentError(
            f"{store.locate(prefix + layout.MANIFEST)} is missing, so there is no release to sign; "
            "restore it from a copy, or export one"
        ) from None


def _load(loader: str, pem: bytes, **options: Any) -> Any:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise PermanentError(
            "signatures need the package cryptography: pip install 'sa1b-captions[sign]'"
        ) from None
    try:
        key = getattr(serialization, loader)(pem, **options)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ed25519.Ed25519PrivateKey | ed25519.Ed25519PublicKey):
        raise PermanentError(
            "this is no Ed25519 key in PEM without a password; make one with "
            "openssl genpkey -algorithm ed25519"
        )
    return key
