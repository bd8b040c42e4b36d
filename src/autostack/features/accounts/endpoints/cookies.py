"""The two cookies of a browser: its session, and that it is known."""

from datetime import timedelta

from fastapi import Request, Response

from autostack.core.clock import Clock
from autostack.features.accounts.deps import (
    cookie_name,
    device_cookie_name,
    sign_in_cookie_name,
)
from autostack.features.accounts.service import Accounts, SignedIn
from autostack.features.accounts.service.oauth import LIFE
from autostack.features.accounts.tokens import DEVICE_LIFE, SESSION_LIFE
from autostack.web.client import is_https


def let_in(
    request: Request, response: Response, accounts: Accounts, signed: SignedIn, now: Clock
) -> None:
    """Both cookies of a browser that has just signed in."""
    token = accounts.signer.sign(signed.claim, "cookie", now=now(), life=SESSION_LIFE)
    set_session(request, response, token)
    set_device(request, response, signed.device)


def set_session(request: Request, response: Response, token: str) -> None:
    _set(request, response, cookie_name(request), token, life=SESSION_LIFE)


def set_device(request: Request, response: Response, token: str) -> None:
    _set(request, response, device_cookie_name(request), token, life=DEVICE_LIFE)


def set_sign_in(request: Request, response: Response, value: str) -> None:
    """Strict is enough: what comes back from elsewhere is a page, which then asks itself."""
    _set(request, response, sign_in_cookie_name(request), value, life=LIFE)


def forget_session(request: Request, response: Response) -> None:
    """The browser stays a known one."""
    response.delete_cookie(
        cookie_name(request),
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="strict",
    )


def _set(request: Request, response: Response, name: str, value: str, *, life: timedelta) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(life.total_seconds()),
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="strict",
    )
