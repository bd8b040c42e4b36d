"""Whether a delivery was signed with a hook's secret. Pure; bytes against bytes, in constant time.

Nothing of a body is looked into before this has said yes.
"""

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from starlette.datastructures import Headers

from autostack.models.hook import Provider

TOLERANCE = timedelta(minutes=5)
"""How far a signed time may be from ours."""
_FORM = "whsec_"
_KEY_BYTES = 32
_STANDARD = ("webhook-id", "webhook-timestamp", "webhook-signature")
_TIME_DIGITS = 12
HEADERS = ("x-hub-signature-256", "x-gitea-signature", "x-gitlab-token", *_STANDARD)


def make_secret() -> str:
    """In GitLab's form of a signing token, which is also good as any forge's secret."""
    return _FORM + b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def signed(
    provider: Provider, secret: str, headers: Headers, body: bytes, *, now: datetime
) -> bool:
    """An empty secret signs nothing: anybody has it."""
    if not secret:
        return False
    return _CHECKS[provider](secret, headers, body, now)


def one(headers: Headers, name: str) -> str | None:
    """A header that was sent twice says nothing."""
    found = headers.getlist(name)
    return found[0] if len(found) == 1 else None


def _github(secret: str, headers: Headers, body: bytes, _now: datetime) -> bool:
    return _same(one(headers, "x-hub-signature-256"), "sha256=" + _hex(secret, body))


def _gitea(secret: str, headers: Headers, body: bytes, _now: datetime) -> bool:
    return _same(one(headers, "x-gitea-signature"), _hex(secret, body))


def _gitlab(secret: str, headers: Headers, body: bytes, now: datetime) -> bool:
    """A delivery that begins the signed form must complete it; the bare token is for those of
    GitLabs that cannot sign.
    """
    if any(name in headers for name in _STANDARD):
        return _standard(secret, headers, body, now)
    return _same(one(headers, "x-gitlab-token"), secret)


def _standard(secret: str, headers: Headers, body: bytes, now: datetime) -> bool:
    """standardwebhooks.com: id, time and body, each signature as `v1,<base64>`."""
    delivery, sent, signatures = (one(headers, name) for name in _STANDARD)
    if not delivery or not sent or not signatures or not _recent(sent, now):
        return False
    told = f"{delivery}.{sent}.".encode("latin-1", "replace") + body
    expected = "v1," + b64encode(hmac.digest(_key(secret), told, "sha256")).decode()
    return any(_same(each, expected) for each in signatures.split(" "))


def _recent(sent: str, now: datetime) -> bool:
    if not (sent.isascii() and sent.isdigit() and len(sent) <= _TIME_DIGITS):
        return False
    return abs(now.timestamp() - int(sent)) <= TOLERANCE.total_seconds()


def _key(secret: str) -> bytes:
    return b64decode(secret.removeprefix(_FORM))


def _hex(secret: str, body: bytes) -> str:
    return hmac.digest(secret.encode(), body, "sha256").hex()


def _same(given: str | None, expected: str) -> bool:
    """Headers are Latin-1: `compare_digest` refuses texts that are not ASCII."""
    return hmac.compare_digest((given or "").encode("latin-1", "replace"), expected.encode())


_CHECKS: Mapping[Provider, Callable[[str, Headers, bytes, datetime], bool]] = {
    Provider.GITHUB: _github,
    Provider.GITEA: _gitea,
    Provider.GITLAB: _gitlab,
}
