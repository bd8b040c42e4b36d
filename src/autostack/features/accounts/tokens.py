"""What proves a session (access token, refresh token, cookie), a known device, or a mail link."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import jwt

from autostack.core.crypto import derive

ACCESS_LIFE = timedelta(minutes=30)
SESSION_LIFE = timedelta(days=7)
DEVICE_LIFE = timedelta(days=180)

Kind = Literal["access", "cookie", "device"]

_NAME = "autostack"
_ALGORITHM = "HS256"
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "sid", "typ"]
_ID = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a genuine token says; whether the session still stands is the database's answer. That
    of a device names the device instead.
    """

    user_id: UUID
    session_id: UUID


class Signer:
    """Signs tokens and knows its own."""

    def __init__(self, secret: str) -> None:
        self._key = derive(secret, "tokens")

    def sign(self, claim: Claim, kind: Kind, *, now: datetime, life: timedelta) -> str:
        payload = {
            "iss": _NAME,
            "aud": _NAME,
            "sub": str(claim.user_id),
            "sid": str(claim.session_id),
            "typ": kind,
            "iat": int(now.timestamp()),
            "exp": int((now + life).timestamp()),
        }
        return jwt.encode(payload, self._key, algorithm=_ALGORITHM)

    def read(self, token: str, kind: Kind, *, now: datetime) -> Claim | None:
        """None for anything that is not a living token of this kind."""
        try:
            payload = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                audience=_NAME,
                issuer=_NAME,
                # Time is ours to check: by the clock we were given, and only as whole numbers.
                options={
                    "require": _REQUIRED,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            return _claim(payload, kind, now)
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError):
            return None


def _claim(payload: dict[str, Any], kind: Kind, now: datetime) -> Claim | None:
    lives = type(payload["exp"]) is int and now.timestamp() < payload["exp"]
    if not lives or payload["typ"] != kind or "nbf" in payload:
        return None
    return Claim(user_id=UUID(payload["sub"]), session_id=UUID(payload["sid"]))


def make_refresh(session_id: UUID) -> str:
    """Opaque; it names its session, so that an old one can be told from a made-up one."""
    return urlsafe_b64encode(session_id.bytes + secrets.token_bytes(32)).decode()


def make_link() -> str:
    """What a mail link carries; only its digest is kept."""
    return secrets.token_urlsafe(32)


def session_of(refresh: str) -> UUID | None:
    try:
        raw = urlsafe_b64decode(refresh.encode("ascii"))
        return UUID(bytes=raw[:_ID])
    except ValueError:
        return None


def digest(token: str) -> str:
    return sha256(token.encode(errors="replace")).hexdigest()
