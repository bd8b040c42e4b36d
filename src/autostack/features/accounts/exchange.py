"""Speaking with a provider: where it wants browsers to go, and who came back from there.

Nothing is kept between two sign-ins: a provider's keys and addresses are asked for when they are
needed, which is seldom, and are never stale.
"""

import logging
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote, urlencode, urlsplit

import httpx

from autostack.core.addresses import HostRefused
from autostack.features.accounts import id_tokens
from autostack.features.accounts.errors import ProviderAway, ProviderRefused
from autostack.features.accounts.providers import OAuth, Provider

log = logging.getLogger(__name__)

Json = Mapping[str, Any]
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Who somebody is at a provider. `email` is what it says their address is."""

    issuer: str
    subject: str
    email: str | None
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    authorize: str
    token: str
    keys: str = ""
    userinfo: str | None = None
    basic: bool = False
    """Whether our secret goes into a header instead of the form."""


async def address(oauth: OAuth, provider: Provider, *, state: str, secret: str) -> str:
    """Where a browser signs in."""
    async with oauth.client() as http:
        places = await _places(http, provider)
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": oauth.callback,
        "scope": provider.scope,
        "state": state,
        "code_challenge": _challenge(secret),
        "code_challenge_method": "S256",
    }
    if provider.api is None:
        query["nonce"] = nonce(secret)
    joint = "&" if urlsplit(places.authorize).query else "?"
    return f"{places.authorize}{joint}{urlencode(query)}"


async def claimed(
    oauth: OAuth, provider: Provider, *, code: str, secret: str, now: datetime
) -> Claimed:
    """Who a code stands for. It is swapped once; the provider refuses it the second time."""
    async with oauth.client() as http:
        places = await _places(http, provider)
        told = await _swap(http, oauth, provider, places, code=code, secret=secret)
        token = told.get("access_token")
        if not isinstance(token, str) or not token:
            raise ProviderRefused(provider.name, _shown(told.get("error")))
        if provider.api is not None:
            return await _of_github(http, provider, provider.api, token)
        return await _of_oidc(http, provider, places, told, secret=secret, now=now)


def nonce(secret: str) -> str:
    """Another value than the challenge, from the same secret."""
    return sha256(f"nonce:{secret}".encode()).hexdigest()


def _challenge(secret: str) -> str:
    return urlsafe_b64encode(sha256(secret.encode()).digest()).decode().rstrip("=")


async def _places(http: httpx.AsyncClient, provider: Provider) -> _Places:
    if provider.api is not None:
        root = f"{provider.issuer}/login/oauth"
        return _Places(authorize=f"{root}/authorize", token=f"{root}/access_token")
    url = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    found = await _get(http, provider, url)
    if found.get("issuer") != provider.issuer:
        raise ProviderAway(provider.name, "it says it is another issuer than the configured one")
    methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    userinfo = found.get("userinfo_endpoint")
    return _Places(
        authorize=_endpoint(provider, found.get("authorization_endpoint")),
        token=_endpoint(provider, found.get("token_endpoint")),
        keys=_endpoint(provider, found.get("jwks_uri")),
        userinfo=_endpoint(provider, userinfo) if userinfo else None,
        basic="client_secret_basic" in methods if isinstance(methods, list) else True,
    )


def _endpoint(provider: Provider, url: object) -> str:
    """Never less protected than the issuer itself."""
    if isinstance(url, str):
        wanted = {"https", urlsplit(provider.issuer).scheme}
        if urlsplit(url).scheme in wanted and url.isprintable():
            return url
    raise ProviderAway(provider.name, "its configuration names no usable address")


async def _swap(
    http: httpx.AsyncClient,
    oauth: OAuth,
    provider: Provider,
    places: _Places,
    *,
    code: str,
    secret: str,
) -> Json:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": oauth.callback,
        "code_verifier": secret,
    }
    auth = httpx.BasicAuth(quote(provider.client_id), quote(provider.client_secret))
    if not places.basic:
        form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
    request = http.build_request(
        "POST", places.token, data=form, headers={"Accept": "application/json"}
    )
    return await _ask(http, provider, request, auth=auth if places.basic else None)


async def _of_oidc(
    http: httpx.AsyncClient,
    provider: Provider,
    places: _Places,
    told: Json,
    *,
    secret: str,
    now: datetime,
) -> Claimed:
    keys = await _get(http, provider, places.keys)
    try:
        claims = id_tokens.read(
            str(told.get("id_token")),
            keys,
            issuer=provider.issuer,
            client_id=provider.client_id,
            nonce=nonce(secret),
            now=now,
        )
    except id_tokens.NotGenuine as error:
        log.warning("%s sent an ID token that does not hold: %s", provider.name, error)
        raise ProviderRefused(provider.name, "what it says about you does not hold") from error
    token = str(told["access_token"])
    if "email" not in claims and places.userinfo:
        claims = await _userinfo(http, provider, places.userinfo, token, subject=claims["sub"])
    return Claimed(issuer=provider.issuer, subject=claims["sub"], email=_email(claims), token=token)


async def _userinfo(
    http: httpx.AsyncClient, provider: Provider, url: str, token: str, *, subject: str
) -> Json:
    found = await _get(http, provider, url, token=token)
    if found.get("sub") != subject:
        raise ProviderRefused(provider.name, "it tells of somebody else")
    return found


async def _of_github(http: httpx.AsyncClient, provider: Provider, api: str, token: str) -> Claimed:
    """The number is the identity: names there change hands."""
    person = await _get(http, provider, f"{api}/user", token=token)
    if type(person.get("id")) is not int:
        raise ProviderRefused(provider.name, "it does not say who you are")
    listed = await _fetch(http, provider, f"{api}/user/emails", token=token)
    known = cast("list[object]", listed) if isinstance(listed, list) else []
    emails = [cast("Json", one) for one in known if isinstance(one, dict)]
    main = next((one for one in emails if one.get("primary") and one.get("verified")), None)
    return Claimed(
        issuer=provider.issuer,
        subject=str(person["id"]),
        email=_email({"email": main.get("email")}) if main else None,
        token=token,
    )


def _email(claims: Json) -> str | None:
    """None for one the provider itself does not believe."""
    value = claims.get("email")
    believed = claims.get("email_verified") is not False
    return value if isinstance(value, str) and believed else None


async def _get(
    http: httpx.AsyncClient, provider: Provider, url: str, *, token: str | None = None
) -> Json:
    found = await _fetch(http, provider, url, token=token)
    if not isinstance(found, dict):
        raise ProviderAway(provider.name, "its answer makes no sense")
    return cast("Json", found)


async def _fetch(
    http: httpx.AsyncClient, provider: Provider, url: str, *, token: str | None
) -> object:
    headers = {"Accept": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    answer = await _send(http, provider, http.build_request("GET", url, headers=headers))
    if answer.status_code != HTTPStatus.OK:
        raise ProviderAway(provider.name, f"it answers {answer.status_code}")
    return _json(provider, answer)


async def _ask(
    http: httpx.AsyncClient,
    provider: Provider,
    request: httpx.Request,
    *,
    auth: httpx.Auth | None,
) -> Json:
    answer = await _send(http, provider, request, auth=auth)
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ProviderAway(provider.name, f"it answers {answer.status_code}")
    found = _json(provider, answer)
    if not isinstance(found, dict) or answer.status_code != HTTPStatus.OK:
        error = cast("Json", found).get("error") if isinstance(found, dict) else None
        raise ProviderRefused(provider.name, _shown(error))
    return cast("Json", found)


async def _send(
    http: httpx.AsyncClient,
    provider: Provider,
    request: httpx.Request,
    *,
    auth: httpx.Auth | None = None,
) -> httpx.Response:
    try:
        return await http.send(request, auth=auth)
    except HostRefused as error:
        raise ProviderAway(provider.name, str(error)) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        log.warning("%s cannot be reached: %s", provider.name, error)
        raise ProviderAway(provider.name, "it cannot be reached") from error


def _json(provider: Provider, answer: httpx.Response) -> object:
    try:
        return cast("object", answer.json())
    except (ValueError, RecursionError) as error:
        raise ProviderAway(provider.name, "its answer makes no sense") from error


def _shown(error: object) -> str:
    text = error if isinstance(error, str) else "no reason given"
    return "".join(char for char in text if char.isprintable())[:_SHOWN]
