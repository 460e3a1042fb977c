"""The keys that seals are signed with, and known by. They never enter the database."""

import base64
import os
import re
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.utils.translation import gettext as _

from .exceptions import KeyMissing, SealError

_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)
# What is signed begins with this: a signature over something else cannot pass for a seal's.
_PURPOSE = b"stockbook seal\n"


def signing_key() -> Ed25519PrivateKey:
    """The key in AUDIT_SIGNING_KEY. Raises KeyMissing, or SealError where it is no such key."""
    value = settings.AUDIT_SIGNING_KEY
    if not value:
        raise KeyMissing(
            _(
                "There is no key to sign seals with. Make one with `manage.py audit_make_key "
                "FILE`, keep it where the database cannot read it, and set AUDIT_SIGNING_KEY=FILE."
            )
        )
    if settings.AUDIT_MAKE_MISSING_KEY and not _PEM.search(value) and not Path(value).exists():
        with suppress(FileExistsError):  # another process was faster
            make_key(Path(value))
    try:
        key = serialization.load_pem_private_key(_text(value).encode(), password=None)
    except (ValueError, TypeError) as error:
        raise SealError(_("AUDIT_SIGNING_KEY holds no private key: %s") % error) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SealError(_("AUDIT_SIGNING_KEY is not an Ed25519 key. Make one: audit_make_key."))
    return key


def public_keys() -> dict[str, Ed25519PublicKey]:
    """All keys that seals may be signed with, by their id: the old ones too."""
    known = [
        _public_key(block[0])
        for value in settings.AUDIT_PUBLIC_KEYS
        for block in _PEM.finditer(_text(value))
    ]
    if settings.AUDIT_SIGNING_KEY:
        known.append(signing_key().public_key())
    if not known:
        raise KeyMissing(
            _(
                "No public key is known that a seal could be verified by. Set AUDIT_PUBLIC_KEYS "
                "to the file that `manage.py audit_make_key` wrote beside the private key."
            )
        )
    return {key_id(key): key for key in known}


def _public_key(pem: str) -> Ed25519PublicKey:
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except ValueError as error:
        raise SealError(_("AUDIT_PUBLIC_KEYS holds no public key: %s") % error) from error
    if not isinstance(key, Ed25519PublicKey):
        raise SealError(_("AUDIT_PUBLIC_KEYS holds a key that is not Ed25519."))
    return key


def _text(value: str) -> str:
    """PEM as such, or the PEM in the file of that name."""
    if _PEM.search(value):
        return value
    try:
        return Path(value).read_text()
    except OSError as error:
        raise SealError(
            _("The key in %(file)s cannot be read: %(error)s.")
            % {"file": value, "error": error.strerror}
        ) from error


def key_id(key: Ed25519PublicKey) -> str:
    """A short name for a key: the beginning of the hash of its 32 bytes."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def sign(key: Ed25519PrivateKey, statement: str) -> str:
    return base64.b64encode(key.sign(_PURPOSE + statement.encode())).decode()


def is_signed(key: Ed25519PublicKey, statement: str, signature: str) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), _PURPOSE + statement.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def make_key(path: Path) -> Path:
    """Write a new private key, for its owner's eyes only, and its public half beside it.

    Returns the public one's path. Never overwrites: raises FileExistsError.
    """
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Linked into place when complete: of two processes that make it at once, one wins.
    with tempfile.NamedTemporaryFile(dir=path.parent) as draft:
        draft.write(private)
        draft.flush()
        os.link(draft.name, path)
    public = path.with_name(f"{path.name}.pub")
    public.write_text(public_pem(key.public_key()))
    return public


def public_pem(key: Ed25519PublicKey) -> str:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
