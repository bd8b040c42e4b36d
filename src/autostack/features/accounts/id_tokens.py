"""Whether an ID token is what its provider says of whoever signed in there just now. Pure."""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import jwt

LEEWAY = timedelta(minutes=1)
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
"""Signatures only: a shared key would be the provider's public one in a forger's hands."""
_REQUIRED = ["exp", "iat", "iss", "aud", "sub"]
_LONGEST = 255


class NotGenuine(ValueError):
    """Why not, for the log."""


def read(
    token: str,
    keys: Mapping[str, Any],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    now: datetime,
) -> Mapping[str, Any]:
    """The claims of a token that this issuer signed for us, now, and for this very sign-in."""
    try:
        claims = cast(
            "Mapping[str, Any]",
            jwt.decode(
                token,
                _key(token, keys),
                algorithms=_ALGORITHMS,
                audience=client_id,
                issuer=issuer,
                # Time is ours to check: by the clock we were given.
                options={
                    "require": _REQUIRED,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            ),
        )
        _check(claims, client_id=client_id, nonce=nonce, now=now)
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise NotGenuine(f"{type(error).__name__}: {error}") from error
    return claims


def _check(claims: Mapping[str, Any], *, client_id: str, nonce: str, now: datetime) -> None:
    expires, begins = claims["exp"], claims.get("nbf", 0)
    if not all(type(one) in {int, float} for one in (expires, begins)):
        raise NotGenuine("its times are no numbers")
    at, slack = now.timestamp(), LEEWAY.total_seconds()
    if not begins - slack <= at < expires + slack:
        raise NotGenuine("it is not of now")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise NotGenuine("its nonce is another")
    several = isinstance(claims["aud"], list) and len(cast("list[object]", claims["aud"])) > 1
    if (several or "azp" in claims) and claims.get("azp") != client_id:
        raise NotGenuine("it was made for another party")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= _LONGEST:
        raise NotGenuine("it names no subject")


def _key(token: str, keys: Mapping[str, Any]) -> jwt.PyJWK:
    """The one the token names; one that names none needs a provider with a single key."""
    known = jwt.PyJWKSet.from_dict(dict(keys)).keys
    name = jwt.get_unverified_header(token).get("kid")
    found = [one for one in known if name is None or one.key_id == name]
    if len(found) != 1:
        raise NotGenuine("no key of the provider's fits it")
    return found[0]
