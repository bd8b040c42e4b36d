"""Secrets at rest, and keys for purposes.

Whoever has the public key can seal; only the private key opens. So the api keeps project secrets
it cannot read. A value is sealed for one place (`context`, its row's identity): moved to another
row, it does not open. Everything fails closed: there is no plain-text fallback.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from functools import cache
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from autostack.core.errors import AutostackError

_VERSION = b"\x01"
_KEY_ID = 8
_HEADER = len(_VERSION) + _KEY_ID
_NONCE = 12
_SECRET_BYTES = 32


class SealBroken(AutostackError):
    hint = "Set the value again."

    def __init__(self) -> None:
        super().__init__("A stored secret cannot be opened: it was changed or moved.")


class SealKeyMissing(AutostackError):
    hint = "Restore the secrets directory from a backup, or set the value again."

    def __init__(self) -> None:
        super().__init__("A stored secret was sealed with a key this platform no longer has.")


class KeyUnusable(AutostackError):
    hint = "Restore the secrets directory from a backup."

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} cannot be used.")


class SecretTooWeak(AutostackError):
    hint = "Remove AUTOSTACK_SECRET_KEY and let the first start make one."

    def __init__(self) -> None:
        super().__init__(f"The secret key has fewer than {_SECRET_BYTES} characters, or is a word.")


def generate() -> tuple[str, str]:
    """A fresh pair as text: (private, public), one line each for a key file."""
    key = X25519PrivateKey.generate()
    return _text(key.private_bytes_raw()), _text(key.public_key().public_bytes_raw())


def generate_secret() -> str:
    """A secret key for signing tokens, as text."""
    return secrets.token_urlsafe(48)


def public_of(private: str) -> str:
    """The public half of a private key, both as text."""
    return _text(_private(private).public_key().public_bytes_raw())


class Sealer:
    """Seals with a public key, as text made by `generate`; `now` gives the one of this moment,
    which a rotation may have changed.
    """

    def __init__(self, public: str, *, now: Callable[[], str] | None = None) -> None:
        self._now = now or (lambda: public)
        self._use(public)

    @property
    def header(self) -> bytes:
        """What everything begins with that is sealed now."""
        if (public := self._now()) != self._public:
            self._use(public)
        return self._header

    def seal(self, value: bytes, *, context: str) -> bytes:
        header = self.header
        return header + _suite().encrypt(value, self._key, header + context.encode())

    def _use(self, public: str) -> None:
        try:
            self._key = X25519PublicKey.from_public_bytes(_bytes(public))
        except ValueError as error:
            raise KeyUnusable("The public sealing key") from error
        self._public = public
        self._header = _VERSION + _key_id(self._key)


class Opener:
    """Opens what was sealed with any of these keys; during a rotation there are several. `again`
    gives those of this moment: it is asked when a key is not among the known ones.
    """

    def __init__(
        self, private: Iterable[str], *, again: Callable[[], Iterable[str]] | None = None
    ) -> None:
        self._again = again
        self._keys = _by_id(private)

    def open(self, sealed: bytes, *, context: str) -> bytes:
        header, body = sealed[:_HEADER], sealed[_HEADER:]
        if not header.startswith(_VERSION) or len(header) != _HEADER:
            raise SealBroken
        key = self._key(header[len(_VERSION) :])
        if key is None:
            raise SealKeyMissing
        try:
            return _suite().decrypt(body, key, header + context.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken from error

    def _key(self, key_id: bytes) -> X25519PrivateKey | None:
        if key_id not in self._keys and self._again is not None:
            self._keys = _by_id(self._again())
        return self._keys.get(key_id)


class Vault:
    """Encrypts what the platform itself must read again, as other services' tokens."""

    def __init__(self, secret: str) -> None:
        self._cipher = ChaCha20Poly1305(derive(secret, "vault"))

    def encrypt(self, value: bytes, *, context: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return _VERSION + nonce + self._cipher.encrypt(nonce, value, context.encode())

    def decrypt(self, stored: bytes, *, context: str) -> bytes:
        nonce, body = stored[1 : 1 + _NONCE], stored[1 + _NONCE :]
        if not stored.startswith(_VERSION):
            raise SealBroken
        try:
            return self._cipher.decrypt(nonce, body, context.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken from error


def derive(secret: str, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose: one secret, no key used for two things."""
    if len(secret) < _SECRET_BYTES or len(set(secret)) < _KEY_ID:
        raise SecretTooWeak
    return hmac.digest(secret.encode(), f"autostack:{purpose}".encode(), "sha256")


def _by_id(private: Iterable[str]) -> dict[bytes, X25519PrivateKey]:
    keys = [_private(text) for text in private]
    return {_key_id(key.public_key()): key for key in keys}


def _private(text: str) -> X25519PrivateKey:
    try:
        return X25519PrivateKey.from_private_bytes(_bytes(text))
    except ValueError as error:
        raise KeyUnusable("A private sealing key") from error


def _key_id(key: X25519PublicKey) -> bytes:
    return sha256(key.public_bytes_raw()).digest()[:_KEY_ID]


@cache
def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def _text(key: bytes) -> str:
    return urlsafe_b64encode(key).decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text.strip().encode())
