"""Whom people may sign in with: read from the settings, once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from autostack.core.addresses import PrivateHosts, private_hosts
from autostack.core.outbound import outbound_client
from autostack.core.settings import Settings
from autostack.features.accounts.errors import ProviderUnknown

CALLBACK = "/dashboard/oauth"
"""Where providers send browsers back to. One address, fixed by the configuration."""
_GOOGLE = "https://accounts.google.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """`api` is only of GitHub, which speaks OAuth but not OpenID Connect."""

    key: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = "openid email"
    api: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    """The configured providers, where they send people back to, and which of their hosts may be
    private.
    """

    providers: Mapping[str, Provider]
    callback: str
    private: PrivateHosts

    def provider(self, key: str) -> Provider:
        found = self.providers.get(key)
        if found is None:
            raise ProviderUnknown
        return found

    def client(self) -> httpx.AsyncClient:
        return outbound_client(self.private)


def configured(settings: Settings) -> OAuth:
    """The operator chose these addresses, so they may be private; where a provider's answers lead
    is checked like every other address.
    """
    found = [one for one in (_github(settings), _google(settings)) if one]
    found += [one for one in (_gitlab(settings), _oidc(settings)) if one]
    hosts = [urlsplit(one.issuer).hostname or "" for one in found]
    return OAuth(
        providers={one.key: one for one in found},
        callback=settings.web_address + CALLBACK,
        private=private_hosts([*settings.private_hosts, *hosts]),
    )


def _github(settings: Settings) -> Provider | None:
    if not (settings.oauth_github_id and settings.oauth_github_secret):
        return None
    url = settings.oauth_github_url.rstrip("/")
    return Provider(
        key="github",
        name="GitHub",
        issuer=url,
        client_id=settings.oauth_github_id,
        client_secret=settings.oauth_github_secret,
        scope="read:user user:email",
        api="https://api.github.com" if url == "https://github.com" else f"{url}/api/v3",
    )


def _google(settings: Settings) -> Provider | None:
    if not (settings.oauth_google_id and settings.oauth_google_secret):
        return None
    return Provider(
        key="google",
        name="Google",
        issuer=_GOOGLE,
        client_id=settings.oauth_google_id,
        client_secret=settings.oauth_google_secret,
    )


def _gitlab(settings: Settings) -> Provider | None:
    if not (settings.oauth_gitlab_id and settings.oauth_gitlab_secret):
        return None
    return Provider(
        key="gitlab",
        name="GitLab",
        issuer=settings.oauth_gitlab_url.rstrip("/"),
        client_id=settings.oauth_gitlab_id,
        client_secret=settings.oauth_gitlab_secret,
    )


def _oidc(settings: Settings) -> Provider | None:
    if not (settings.oidc_issuer and settings.oidc_id and settings.oidc_secret):
        return None
    return Provider(
        key="oidc",
        name=settings.oidc_name,
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_id,
        client_secret=settings.oidc_secret,
    )
