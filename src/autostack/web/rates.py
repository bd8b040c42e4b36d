"""Limits for those we do not know yet: per address, and each kind of call by its own rate."""

from collections.abc import Callable, Mapping

from fastapi import Depends, Request, params

from autostack.core.settings import Settings as SettingsValue
from autostack.web.client import address_of
from autostack.web.deps import Limits, Settings

_RATES: Mapping[str, Callable[[SettingsValue], str]] = {
    "login": lambda settings: settings.login_rate,
    "register": lambda settings: settings.register_rate,
    "reset": lambda settings: settings.reset_rate,
    "oauth": lambda settings: settings.login_rate,
    "link": lambda settings: settings.login_rate,
    "webhook": lambda settings: settings.webhook_rate,
    "refresh": lambda settings: settings.api_rate,
}


def per_address(kind: str) -> params.Depends:
    """For a route's `dependencies`: it counts before the body is looked at."""
    rate = _RATES[kind]

    async def count(request: Request, limits: Limits, settings: Settings) -> None:
        quota = await limits.hit_from(rate(settings), kind, await address_of(request))
        request.state.headers = quota.headers

    found: params.Depends = Depends(count)
    return found
